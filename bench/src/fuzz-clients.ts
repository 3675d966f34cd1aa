import { connect } from 'node:net'
import { frame, fuzzFrames } from './fuzz-frames.js'
import { fuzzMessage } from './fuzz-messages.js'
import { FuzzRandom } from './fuzz-random.js'
import { LoadSocket } from './tracker-socket.js'

/** A tracker that neither answers nor ends the socket in this time has lost it, in ms. */
const PATIENCE_MS = 60_000

/** Messages between two questions that must be answered. */
const MAX_BATCH = 40

/** Share of batches after which the socket is dropped in the middle of a frame. */
const DROP_SHARE = 0.05

/** Share of sockets before which a handshake goes wrong. */
const BAD_HANDSHAKE_SHARE = 0.1

/** What all hostile clients of a run did. */
export interface FuzzTally {
  messages: number
  sockets: number
  /** Sockets that the tracker ended. */
  ended: number
  /** Sockets that were neither answered nor ended. */
  silent: number
  handshakes: number
}

/** One hostile client: sockets one after the other, each with batches of messages, until told to stop. */
export class FuzzClient {
  private readonly port: number
  private readonly random: FuzzRandom
  private readonly tally: FuzzTally
  private readonly limit: number
  private fences = 0

  /** @param limit messages of all clients together */
  constructor(port: number, seed: number, tally: FuzzTally, limit: number) {
    this.port = port
    this.random = new FuzzRandom(seed)
    this.tally = tally
    this.limit = limit
  }

  async run(): Promise<void> {
    while (this.tally.messages < this.limit) {
      if (this.random.chance(BAD_HANDSHAKE_SHARE)) await this.badHandshake()
      await this.oneSocket()
    }
  }

  private async oneSocket(): Promise<void> {
    let wake = () => {}
    let fence = ''
    let answered = false
    let ended = false
    const socket = await LoadSocket.open(this.port, (payload) => {
      if (fence !== '' && payload.includes(fence)) answered = true
      if (answered) wake()
    })
    socket.onEnd(() => {
      ended = true
      wake()
    })
    this.tally.sockets++
    while (!ended && this.tally.messages < this.limit) {
      const sound = await this.batch(socket, () => ended)
      if (this.random.chance(DROP_SHARE)) {
        socket.send(Buffer.from([0x81, 0xfe, 0x01]))
        break
      }
      if (!sound) break
      fence = `fence ${++this.fences}`.padEnd(20, '.')
      answered = false
      socket.send(frame(1, Buffer.from(JSON.stringify({ action: 'scrape', info_hash: fence }))))
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PATIENCE_MS)
        wake = () => {
          if (!answered && !ended) return
          clearTimeout(timer)
          resolve()
        }
        wake()
      })
      if (!answered && !ended) {
        this.tally.silent++
        break
      }
    }
    if (ended) this.tally.ended++
    socket.destroy()
  }

  /** @returns false after a frame that the tracker may end the socket for, or wait for the rest of */
  private async batch(socket: LoadSocket, ended: () => boolean): Promise<boolean> {
    for (let left = 1 + this.random.below(MAX_BATCH); left > 0 && !ended(); left--) {
      const { pieces, sound } = fuzzFrames(this.random, fuzzMessage(this.random))
      this.tally.messages++
      for (const [i, piece] of pieces.entries()) {
        if (i > 0) await sleep(this.random.below(5))
        socket.send(piece)
      }
      if (!sound) return false
    }
    return true
  }

  /** A connection that does not become a WebSocket, or not soon. */
  private badHandshake(): Promise<void> {
    const { random } = this
    this.tally.handshakes++
    const text = random.pick([
      'GET / HTTP/1.1\r\n',
      'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      `GET /?token=${'x'.repeat(9000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
      `GET /${'%'.repeat(200)} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: ${'1.1.1.1,'.repeat(400)}\r\n\r\n`,
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\nx',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000\u0001',
      '\r\n\r\n\r\n',
    ])
    return new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: this.port })
      socket.on('error', () => {})
      socket.on('close', () => resolve())
      socket.on('data', () => {})
      socket.write(random.chance(0.3) ? random.bytes(500) : text)
      setTimeout(() => socket.destroy(), random.below(30))
    })
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

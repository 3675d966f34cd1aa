import { createSocket, type Socket } from 'node:dgram'
import { parentPort } from 'node:worker_threads'
import { seededRandom } from '@shoal/core/testing'

/** What the bench tells the relay. */
export type RelayCommand =
  /** Stand in for the UDP port `port` of this machine; answered by `mirrored`. */
  | { readonly type: 'mirror'; readonly port: number }
  /** Chance of a packet's loss, 0 to 1, from now on. */
  | { readonly type: 'loss'; readonly share: number }
  /** One way, in ms, from now on. */
  | { readonly type: 'delay'; readonly ms: number }
  | { readonly type: 'read' }

export type RelayReply =
  | { readonly type: 'mirrored'; readonly port: number; readonly mirror: number }
  | ({ readonly type: 'reading' } & RelayReading)

/** Packets since the start. */
export interface RelayReading {
  readonly forwarded: number
  /** Drawn to be lost, or from a port without a mirror, which nobody could answer. */
  readonly lost: number
  /** Thrown away because too many waited. */
  readonly overflowed: number
  /** Share of the packets that left more than 5 ms after their time: the machine was the limit. */
  readonly lateShare: number
}

const RELAY_HOST = '127.0.0.1'
/** One way, unless told otherwise: a round trip of 40 ms. */
const DELAY_MS = 20
/** Packets under way at most: 20 ms of 150 MB/s, far above what is measured. */
const MAX_WAITING = 2_500
/** Mirrors at most: three for each of some hundred peers. */
const MAX_MIRRORS = 512
/** Timers are 1 ms apart: what is due within half of one leaves now. */
const TIMER_SLACK_MS = 0.5
const LATE_MS = 5
/** As much as the system grants: a packet that finds it full is lost without being drawn. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024
const SEED = 1

interface Mirror {
  readonly port: number
  readonly socket: Socket
}

interface Packet {
  readonly dueAt: number
  readonly bytes: Uint8Array
  /** The socket that stands for the sender, and the receiver's own port. */
  readonly from: Socket
  readonly to: number
}

/**
 * The path between two WebRTC ends of this machine, in a thread of its own. Each end's port has a mirror:
 * what is sent to it reaches the port after the delay, from the mirror of whoever sent it, as if by NAT on
 * both sides. No bandwidth is limited.
 */
class Relay {
  readonly #mirrors = new Map<number, Promise<Mirror>>()
  readonly #known = new Map<number, Mirror>()
  readonly #random = seededRandom(SEED)
  /** In the order of their time, since all wait equally long. */
  #waiting: Packet[] = []
  #timer: NodeJS.Timeout | null = null
  #forwarded = 0
  #lost = 0
  #overflowed = 0
  #late = 0
  loss = 0
  delayMs = DELAY_MS

  mirror(port: number): Promise<Mirror> {
    const known = this.#mirrors.get(port)
    if (known !== undefined) return known
    if (this.#mirrors.size >= MAX_MIRRORS) throw new Error(`more than ${MAX_MIRRORS} ports to mirror`)
    const made = this.#bind(port)
    this.#mirrors.set(port, made)
    return made
  }

  reading(): RelayReading {
    return {
      forwarded: this.#forwarded,
      lost: this.#lost,
      overflowed: this.#overflowed,
      lateShare: this.#forwarded === 0 ? 0 : this.#late / this.#forwarded,
    }
  }

  async #bind(real: number): Promise<Mirror> {
    const socket = createSocket({
      type: 'udp4',
      recvBufferSize: SOCKET_BUFFER_BYTES,
      sendBufferSize: SOCKET_BUFFER_BYTES,
    })
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind(0, RELAY_HOST, resolve)
    })
    socket.removeAllListeners('error')
    // A port that has closed answers with ICMP: its link has ended, the packet is of no use.
    socket.on('error', () => undefined)
    socket.on('message', (bytes, sender) => this.#take(bytes, sender.port, real))
    const mirror = { port: socket.address().port, socket }
    this.#known.set(real, mirror)
    return mirror
  }

  #take(bytes: Uint8Array, sender: number, to: number): void {
    const from = this.#known.get(sender)
    if (from === undefined || this.#random() < this.loss) {
      this.#lost++
    } else if (this.#waiting.length >= MAX_WAITING) {
      this.#overflowed++
    } else {
      this.#waiting.push({ dueAt: performance.now() + this.delayMs, bytes, from: from.socket, to })
      this.#timer ??= setTimeout(() => this.#deliver(), this.delayMs)
    }
  }

  #deliver(): void {
    const now = performance.now()
    let count = 0
    for (const { dueAt, bytes, from, to } of this.#waiting) {
      if (dueAt > now + TIMER_SLACK_MS) break
      from.send(bytes, to, RELAY_HOST)
      if (now - dueAt > LATE_MS) this.#late++
      count++
    }
    this.#forwarded += count
    this.#waiting = this.#waiting.slice(count)
    const next = this.#waiting[0]
    this.#timer = next === undefined ? null : setTimeout(() => this.#deliver(), next.dueAt - now)
  }
}

const relay = new Relay()

parentPort?.on('message', async (command: RelayCommand) => {
  const answer = (reply: RelayReply) => parentPort?.postMessage(reply)
  if (command.type === 'loss') {
    relay.loss = command.share
  } else if (command.type === 'delay') {
    relay.delayMs = command.ms
  } else if (command.type === 'read') {
    answer({ type: 'reading', ...relay.reading() })
  } else {
    const { port } = await relay.mirror(command.port)
    answer({ type: 'mirrored', port: command.port, mirror: port })
  }
})

import { connect, type Socket } from 'node:net'

/** RFC 6455 section 5.2: final text frame; masked, with a mask of zeros, which changes no byte. */
const TEXT = 0x81
const MASKED = 0x80
const MASK_BYTES = 4
const PING = 0x09
const PONG = 0x8a
const CLOSE = 0x08

const HANDSHAKE =
  'GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\n' +
  'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'

/**
 * The client's end of a WebSocket, as cheap as it can be: the load must cost less than the tracker
 * that it measures. Frames arrive whole or in parts; fragmented messages do not occur.
 */
export class LoadSocket {
  private readonly socket: Socket
  private readonly onText: (payload: Buffer) => void
  private rest: Buffer | null = null

  private constructor(socket: Socket, onText: (payload: Buffer) => void) {
    this.socket = socket
    this.onText = onText
  }

  /**
   * @param onText the payload is valid during the call only
   * @param forwardedFor whom a proxy would name as the client; empty for no proxy
   */
  static open(port: number, onText: (payload: Buffer) => void, forwardedFor = ''): Promise<LoadSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      const load = new LoadSocket(socket, onText)
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('the tracker has closed the socket')))
      socket.write(`${HANDSHAKE}${forwardedFor === '' ? '' : `x-forwarded-for: ${forwardedFor}\r\n`}\r\n`)
      let head = ''
      const upgraded = (chunk: Buffer) => {
        head += chunk.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        socket.off('data', upgraded)
        if (!head.startsWith('HTTP/1.1 101')) {
          reject(new Error(`no WebSocket: ${head.slice(0, 60)}`))
          return
        }
        socket.on('data', (data: Buffer) => load.read(data))
        load.read(Buffer.from(head.slice(end + 4), 'latin1'))
        resolve(load)
      }
      socket.on('data', upgraded)
    })
  }

  send(frame: Buffer): void {
    this.socket.write(frame)
  }

  /** Ends the connection without a word. */
  destroy(): void {
    this.socket.destroy()
  }

  /** Called when the tracker has ended the socket or it broke. */
  onEnd(ended: () => void): void {
    this.socket.removeAllListeners('close').removeAllListeners('error')
    this.socket.on('error', () => {})
    this.socket.on('close', ended)
  }

  private read(chunk: Buffer): void {
    const data = this.rest === null ? chunk : Buffer.concat([this.rest, chunk])
    // What answers the messages of one read goes out in one write.
    this.socket.cork()
    let at = 0
    for (;;) {
      if (data.length - at < 2) break
      const opcode = (data[at] ?? 0) & 0x0f
      let length = (data[at + 1] ?? 0) & 0x7f
      let payload = at + 2
      if (length === 126) {
        if (data.length - at < 4) break
        length = data.readUInt16BE(at + 2)
        payload = at + 4
      } else if (length === 127) {
        throw new Error('a message above 64 KiB')
      }
      const end = payload + length
      if (data.length < end) break
      if (opcode === 1) this.onText(data.subarray(payload, end))
      else if (opcode === PING) this.socket.write(frame(PONG, data.subarray(payload, end)))
      else if (opcode === CLOSE) this.socket.end()
      at = end
    }
    this.socket.uncork()
    this.rest = at === data.length ? null : data.subarray(at)
  }
}

/** A text frame of a client. */
export function textFrame(payload: Buffer): Buffer {
  return frame(TEXT, payload)
}

function frame(first: number, payload: Buffer): Buffer {
  const { length } = payload
  const head = length < 126 ? 2 : 4
  const bytes = Buffer.alloc(head + MASK_BYTES + length)
  bytes[0] = first
  bytes[1] = MASKED | (length < 126 ? length : 126)
  if (head === 4) bytes.writeUInt16BE(length, 2)
  payload.copy(bytes, head + MASK_BYTES)
  return bytes
}

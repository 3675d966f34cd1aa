import { once } from 'node:events'
import { WebSocket } from 'ws'

/** A message of the tracker as a test looks at it. */
export type Message = Readonly<Record<string, unknown>>

/** Longest wait for a message, in ms: a broken tracker fails a test and does not hang it. */
const PATIENCE_MS = 5000

/** A WebSocket that sends whatever a test wants and hands out what comes, one by one. */
export class RawClient {
  readonly ws: WebSocket
  private readonly arrived: { readonly data: Buffer; readonly binary: boolean }[] = []
  private wake: (() => void) | null = null

  private constructor(ws: WebSocket) {
    this.ws = ws
    ws.on('message', (data: Buffer, binary: boolean) => {
      this.arrived.push({ data, binary })
      this.wake?.()
    })
    ws.on('close', () => this.wake?.())
    ws.on('error', () => {})
  }

  /** @param url `http://host:port` of a tracker */
  static async open(
    url: string,
    path = '/',
    headers: Readonly<Record<string, string | string[]>> = {},
  ): Promise<RawClient> {
    const client = new RawClient(new WebSocket(url.replace('http', 'ws') + path, { headers }))
    await once(client.ws, 'open')
    return client
  }

  /** Strings and bytes as they are, anything else as JSON. */
  send(message: unknown): void {
    const raw = typeof message === 'string' || Buffer.isBuffer(message)
    this.ws.send(raw ? message : JSON.stringify(message))
  }

  async nextFrame(): Promise<{ readonly data: Buffer; readonly binary: boolean }> {
    const deadline = AbortSignal.timeout(PATIENCE_MS)
    for (;;) {
      const frame = this.arrived.shift()
      if (frame !== undefined) return frame
      if (this.ws.readyState === WebSocket.CLOSED) throw new Error('the tracker has closed the socket')
      if (deadline.aborted) throw new Error('nothing came from the tracker')
      await new Promise<void>((resolve) => {
        this.wake = resolve
        setTimeout(resolve, 250).unref()
      })
    }
  }

  async next(): Promise<Message> {
    const { data, binary } = await this.nextFrame()
    if (binary) throw new Error('the tracker sent a binary frame')
    return JSON.parse(data.toString()) as Message
  }

  async ask(message: unknown): Promise<Message> {
    this.send(message)
    return this.next()
  }

  /** Fails if anything but the answer to this question is on its way. */
  async expectNothingElse(): Promise<void> {
    const answer = await this.ask({ action: 'scrape', info_hash: 'fence'.repeat(4) })
    if (answer['action'] !== 'scrape') throw new Error(`unexpected ${JSON.stringify(answer)}`)
  }

  async close(): Promise<void> {
    if (this.ws.readyState === WebSocket.CLOSED) return
    const closed = once(this.ws, 'close')
    this.ws.close()
    await closed
  }
}

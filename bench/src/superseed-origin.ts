import { randomBytes } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SEGMENT_BYTES, SEGMENT_MS } from './superseed-messages.js'

/** Segments in the playlist. */
const WINDOW = 5
/** Segments that are served still, though the playlist lists them no more. */
const KEPT = 12

/** A live stream of random bytes; each segment is published a duration after the one before it. */
export class LiveOrigin {
  private readonly segments = new Map<number, Buffer>()
  private readonly publishedAt = new Map<number, number>()
  private next = 0
  private readonly server = createServer((request, response) =>
    this.answer(request.url ?? '', request.headers.range, response),
  )
  private readonly timer: NodeJS.Timeout

  private constructor() {
    for (let i = 0; i < WINDOW; i++) this.publish(Date.now() - (WINDOW - 1 - i) * SEGMENT_MS)
    this.timer = setInterval(() => this.publish(Date.now()), SEGMENT_MS)
  }

  static async start(): Promise<LiveOrigin> {
    const origin = new LiveOrigin()
    await new Promise<void>((resolve) => origin.server.listen(0, '127.0.0.1', resolve))
    return origin
  }

  get playlistUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v.m3u8`
  }

  /** Sequence number of the segment that is published next. */
  get nextSequence(): number {
    return this.next
  }

  async close(): Promise<void> {
    clearInterval(this.timer)
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private publish(at: number): void {
    const sequence = this.next++
    this.segments.set(sequence, randomBytes(SEGMENT_BYTES))
    this.publishedAt.set(sequence, at)
    this.segments.delete(sequence - KEPT)
    this.publishedAt.delete(sequence - KEPT)
  }

  private answer(url: string, range: string | undefined, response: ServerResponse): void {
    if (url.startsWith('/v.m3u8')) {
      response.writeHead(200, { 'content-type': 'application/vnd.apple.mpegurl' }).end(this.playlist())
      return
    }
    const bytes = this.segments.get(Number(/^\/s(\d+)\.ts$/.exec(url)?.[1]))
    if (bytes === undefined) {
      response.writeHead(404).end()
      return
    }
    const [, start = 0, last = bytes.byteLength - 1] =
      /^bytes=(\d+)-(\d+)$/.exec(range ?? '')?.map(Number) ?? []
    const body = bytes.subarray(start, last + 1)
    const headers = { 'content-type': 'video/mp2t', 'content-length': body.byteLength }
    if (range === undefined) response.writeHead(200, headers).end(body)
    else {
      const contentRange = `bytes ${start}-${last}/${bytes.byteLength}`
      response.writeHead(206, { ...headers, 'content-range': contentRange }).end(body)
    }
  }

  private playlist(): string {
    const first = this.next - WINDOW
    const began = new Date((this.publishedAt.get(first) ?? 0) - SEGMENT_MS).toISOString()
    const seconds = SEGMENT_MS / 1000
    const segments = Array.from({ length: WINDOW }, (_, i) => `#EXTINF:${seconds},\ns${first + i}.ts`)
    return [
      '#EXTM3U',
      `#EXT-X-TARGETDURATION:${seconds}`,
      `#EXT-X-MEDIA-SEQUENCE:${first}`,
      `#EXT-X-PROGRAM-DATE-TIME:${began}`,
      ...segments,
      '',
    ].join('\n')
  }
}

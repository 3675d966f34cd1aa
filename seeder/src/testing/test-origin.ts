import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request as the origin saw it. */
export interface SeenRequest {
  readonly path: string
  readonly range: string | null
  readonly status: number
}

/** An HTTP origin on this machine whose files, faults and clock of changes the test sets. */
export class TestOrigin {
  readonly files = new Map<string, Buffer>()
  readonly redirects = new Map<string, string>()
  readonly seen: SeenRequest[] = []
  /** Answers every request with this status, where it is not null. */
  failWith: number | null = null
  honourRanges = true
  /** Sends this many bytes of each body fewer than it announces. */
  cutBytes = 0
  /** Sends half of each body, and then nothing more. */
  stalls = false
  /** Paths that are never answered. */
  hangs: RegExp | null = null
  /** Paths whose connection is reset. */
  resets: RegExp | null = null
  /** Paths answered with a page of HTML and status 200. */
  pages: RegExp | null = null
  private readonly server = createServer((request, response) => this.answer(request, response))

  static async start(): Promise<TestOrigin> {
    const origin = new TestOrigin()
    await new Promise<void>((resolve) => origin.server.listen(0, '127.0.0.1', resolve))
    return origin
  }

  url(path = ''): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`
  }

  put(path: string, content: string | Uint8Array): void {
    this.files.set(path, Buffer.from(content as Uint8Array))
  }

  /** How often a path was answered with content. */
  served(path: string): number {
    return this.seen.filter((request) => request.path === path && request.status < 300).length
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/'
    const range = request.headers.range ?? null
    const send = (status: number, headers: Record<string, string | number>, body?: Buffer) => {
      this.seen.push({ path, range, status })
      response.writeHead(status, headers)
      if (body !== undefined && this.stalls) {
        response.write(body.subarray(0, body.byteLength / 2))
        return
      }
      if (body === undefined || this.cutBytes === 0) {
        response.end(body)
        return
      }
      response.write(body.subarray(0, body.byteLength - this.cutBytes), () => response.destroy())
    }
    if (this.hangs?.test(path)) {
      this.seen.push({ path, range, status: 0 })
      return
    }
    if (this.resets?.test(path)) {
      this.seen.push({ path, range, status: 0 })
      request.socket.resetAndDestroy()
      return
    }
    if (this.pages?.test(path)) {
      send(200, { 'content-type': 'text/html' }, Buffer.from('<!doctype html><title>Down</title>'))
      return
    }
    const target = this.redirects.get(path)
    if (this.failWith !== null) return send(this.failWith, {})
    if (target !== undefined) return send(302, { location: target })
    const body = this.files.get(path) ?? this.files.get(path.replace(/\?.*/, ''))
    if (body === undefined) return send(404, {})
    const type = path.endsWith('.m3u8') ? 'application/vnd.apple.mpegurl' : 'application/octet-stream'
    const etag = `"${body.byteLength}-${body
      .toString('latin1')
      .slice(-64)
      .replace(/[^\x21\x23-\x7e]/g, '')}"`
    const headers = { 'content-type': type, etag }
    if (request.headers['if-none-match'] === etag) return send(304, headers)
    const match = /^bytes=(\d+)-(\d+)$/.exec(range ?? '')
    if (match !== null && this.honourRanges) {
      const [start, end] = [Number(match[1]), Math.min(Number(match[2]) + 1, body.byteLength)]
      const part = body.subarray(start, end)
      const contentRange = `bytes ${start}-${end - 1}/${body.byteLength}`
      return send(206, { ...headers, 'content-range': contentRange, 'content-length': part.byteLength }, part)
    }
    send(200, { ...headers, 'content-length': body.byteLength }, body)
  }
}

/** Bytes that differ from seed to seed. */
export function mediaBytes(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = seed * 2654435761 + 1
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

export interface PlaylistText {
  readonly target?: number
  readonly sequence?: number
  readonly live?: boolean
  /** Lines of each segment but EXTINF; the last is the URI. */
  readonly segments: readonly string[]
}

/** A media playlist. */
export function mediaText({ target = 2, sequence = 0, live = false, segments }: PlaylistText): string {
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:4',
    `#EXT-X-TARGETDURATION:${target}`,
    `#EXT-X-MEDIA-SEQUENCE:${sequence}`,
    ...segments.map((segment) => `#EXTINF:${target},\n${segment}`),
    ...(live ? [] : ['#EXT-X-ENDLIST']),
    '',
  ].join('\n')
}

import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Content } from './content.js'
import type { Faults } from './faults.js'
import { mediaType } from './media-types.js'
import { parseRange, type Span } from './range.js'
import type { LoggedRequest, RequestLog } from './request-log.js'

/** Read and sent at once; small, so that a capped link is shared evenly. */
const CHUNK_BYTES = 16 * 1024

export const CORS_HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
  'Access-Control-Allow-Headers': 'Range, If-Range, If-None-Match',
  'Access-Control-Expose-Headers': 'Accept-Ranges, Content-Length, Content-Range, ETag',
  'Access-Control-Max-Age': '600',
  'Timing-Allow-Origin': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
}

/** One request being answered. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly entry: LoggedRequest
  readonly log: RequestLog
  readonly faults: Faults
  readonly cacheControl: string
}

/** An answer without content: errors, preflights, 304. */
export function respondEmpty(exchange: Exchange, status: number, headers: Record<string, string> = {}): void {
  exchange.entry.status = status
  exchange.response.writeHead(status, {
    ...CORS_HEADERS,
    ...(status === 204 || status === 304 ? {} : { 'Content-Length': '0' }),
    ...headers,
  })
  exchange.response.end()
}

/** A segment is asked for with a token that is not the one of now. */
export function refusesToken({ entry, faults }: Exchange): boolean {
  if (faults.token === null || entry.kind !== 'segment') return false
  return new URLSearchParams(entry.query).get('token') !== faults.token
}

/** Answers GET or HEAD with content: 200, 206, 304 or 416. */
export async function respondContent(exchange: Exchange, plain: Content): Promise<void> {
  const content = await withToken(exchange, plain)
  const { request, response, entry, faults } = exchange
  const size = content.type === 'file' ? content.size : content.bytes.length
  const etag = content.type === 'file' ? content.etag : null
  const headers: Record<string, string> = {
    ...CORS_HEADERS,
    'Content-Type': mediaType(entry.path),
    'Cache-Control': content.type === 'file' ? exchange.cacheControl : 'no-store',
    'Accept-Ranges': faults.ranges ? 'bytes' : 'none',
    ...(etag === null ? {} : { ETag: etag }),
  }
  if (etag !== null && request.headers['if-none-match'] === etag) return respondEmpty(exchange, 304, headers)

  const range = wantedRange(exchange, size, etag)
  if (range === 'unsatisfiable') {
    return respondEmpty(exchange, 416, { ...headers, 'Content-Range': `bytes */${size}` })
  }
  const { first, last } = range ?? { first: 0, last: size - 1 }
  entry.status = range === null ? 200 : 206
  response.writeHead(entry.status, {
    ...headers,
    'Content-Length': String(last - first + 1),
    ...(range === null ? {} : { 'Content-Range': `bytes ${first}-${last}/${size}` }),
  })
  if (request.method === 'HEAD' || size === 0) response.end()
  else await sendBody(exchange, bodyChunks(content, { first, last }))
}

/** A playlist whose URIs carry the token of now. */
async function withToken({ entry, faults }: Exchange, content: Content): Promise<Content> {
  if (faults.token === null || entry.kind !== 'playlist') return content
  const bytes = content.type === 'made' ? content.bytes : await readFile(content.file)
  const lines = bytes.toString().split('\n')
  const query = `?token=${encodeURIComponent(faults.token)}`
  const text = lines.map((line) => (line === '' || line.startsWith('#') ? line : line + query)).join('\n')
  return { type: 'made', bytes: Buffer.from(text) }
}

export function wantedRange(
  { request, faults }: Exchange,
  size: number,
  etag: string | null,
): Span | 'unsatisfiable' | null {
  const condition = request.headers['if-range']
  if (!faults.ranges || (condition !== undefined && condition !== etag)) return null
  return parseRange(request.headers.range, size)
}

function bodyChunks(content: Content, { first, last }: Span): AsyncIterable<Buffer> | Iterable<Buffer> {
  if (content.type === 'made') return [content.bytes.subarray(first, last + 1)]
  return createReadStream(content.file, { start: first, end: last, highWaterMark: CHUNK_BYTES })
}

export async function sendBody(
  { response, faults, log, entry }: Exchange,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  end = true,
): Promise<void> {
  for await (const chunk of chunks) {
    await faults.link.take(chunk.length)
    if (response.destroyed) return
    const failed = await new Promise<unknown>((resolve) => response.write(chunk, resolve))
    if (failed) return
    log.sent(entry, chunk.length)
  }
  if (end) response.end()
}

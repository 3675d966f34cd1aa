import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname } from 'node:path/posix'
import type { Library } from '../holdings/library.js'
import type { PlaylistShelf } from '../holdings/playlist-shelf.js'
import { covering, sendSpans } from './body.js'
import { parseRange } from './range.js'

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.ts': 'video/mp2t',
  '.m4s': 'video/iso.segment',
  '.mp4': 'video/mp4',
  '.m4v': 'video/mp4',
  '.m4a': 'audio/mp4',
  '.aac': 'audio/aac',
  '.mp3': 'audio/mpeg',
  '.vtt': 'text/vtt',
}

/** Any site's player may load from here: it is the same media that the origin serves. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'content-length, content-range, etag',
}

export interface MirrorParts {
  readonly library: Library
  readonly shelf: PlaylistShelf
  /** URLs whose folder is the mirror's root: the playlist's as given, and after redirects. */
  readonly bases: readonly string[]
}

/**
 * Answers with what the seeder holds: `/x` is `x` beside the source's playlist, else the path `/x` of
 * the source's host, so that relative URIs with `..` work too.
 */
export async function serveMirror(
  { library, shelf, bases }: MirrorParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === 'OPTIONS') {
    response.writeHead(204, {
      ...CORS,
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      'access-control-allow-headers': 'range, if-none-match, if-range',
      'access-control-max-age': '86400',
    })
    response.end()
    return
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { ...CORS, allow: 'GET, HEAD, OPTIONS' }).end()
    return
  }
  for (const url of candidates(request.url ?? '/', bases)) {
    const playlist = shelf.get(url)
    if (playlist !== undefined) {
      const type = playlist.contentType || mediaType(url)
      const body = Buffer.from(playlist.text)
      const headers = { 'content-type': type, 'content-length': body.byteLength, 'cache-control': 'no-cache' }
      response.writeHead(200, { ...CORS, ...headers })
      response.end(request.method === 'HEAD' ? undefined : body)
      return
    }
    if (library.spansOf(url).length > 0) {
      await serveSegment(library, url, request, response)
      return
    }
  }
  sendNothing(response, 404, 'not held here')
}

async function serveSegment(
  library: Library,
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const spans = library.spansOf(url)
  const whole = spans.find((span) => span.whole)
  const total = whole?.end ?? null
  const etag = whole === undefined ? null : `"${whole.tag}"`
  const headers: Record<string, string | number> = {
    'content-type': mediaType(url),
    'accept-ranges': 'bytes',
    // Live encoders use names again.
    'cache-control': 'public, max-age=60',
    ...(etag === null ? {} : { etag }),
  }
  if (etag !== null && matches(request.headers['if-none-match'], etag)) {
    response.writeHead(304, { ...CORS, ...headers }).end()
    return
  }
  const held = whole === undefined ? spans : [whole]
  const ifRange = request.headers['if-range']
  const rangeHeader = ifRange === undefined || ifRange === etag ? request.headers.range : undefined
  const range = parseRange(rangeHeader, total, held.at(-1)?.end ?? 0)
  if (range === 'unsatisfiable') {
    response.writeHead(416, { ...CORS, 'content-range': `bytes */${total ?? '*'}` }).end()
    return
  }
  const wanted = range ?? (total === null ? null : { start: 0, end: total })
  const parts = wanted === null ? null : covering(held, wanted)
  if (wanted === null || parts === null) {
    sendNothing(response, 404, 'only some byte ranges of this are held here')
    return
  }
  const { start, end } = wanted
  headers['content-length'] = end - start
  if (range !== null) headers['content-range'] = `bytes ${start}-${end - 1}/${total ?? '*'}`
  response.writeHead(range === null ? 200 : 206, { ...CORS, ...headers })
  if (request.method === 'HEAD') response.end()
  else await sendSpans(response, parts, wanted)
}

function sendNothing(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...CORS, 'content-type': 'text/plain', 'cache-control': 'no-store' })
  response.end(`${text}\n`)
}

/** URLs of the origin that a request may mean, likeliest first. */
function candidates(target: string, bases: readonly string[]): string[] {
  const urls: string[] = []
  const query = target.indexOf('?')
  const forms = query === -1 ? [target] : [target, target.slice(0, query)]
  for (const form of forms) {
    for (const base of bases) {
      for (const reference of [`.${form}`, form]) {
        if (URL.canParse(reference, base)) urls.push(new URL(reference, base).href)
      }
    }
  }
  return urls
}

function mediaType(url: string): string {
  return MEDIA_TYPES[extname(new URL(url).pathname).toLowerCase()] ?? 'application/octet-stream'
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*')
}

import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname } from 'node:path/posix'
import { type ByteSpan, sidecarOwner } from '@shoal/protocol'
import type { Library } from '../holdings/library.js'
import type { PlaylistShelf, ShelvedPlaylist } from '../holdings/playlist-shelf.js'
import { awaitedPlaylist } from './blocking-reload.js'
import { covering, sendSpans } from './body.js'
import { matches } from './entity-tag.js'
import { parseRange } from './range.js'
import { serveSidecar } from './sidecar.js'

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

/** How long caches may keep things, in seconds. A live playlist changes with each segment or part. */
const LIVE_PLAYLIST_AGE = 1
const ENDED_PLAYLIST_AGE = 60
const SEGMENT_AGE = 31_536_000
/** Live encoders use names again when they are started anew. */
const LIVE_SEGMENT_AGE = 60

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
  /**
   * Fetches what is listed under a URL and not here; resolves when it is here, or cannot be had.
   *
   * @param span the bytes that are wanted, or null for all
   */
  readonly demand: (url: string, span: ByteSpan | null) => Promise<void>
}

/**
 * Answers with what the seeder holds, and fetches what it does not hold yet: `/x` is `x` beside the
 * source's playlist, else the path `/x` of the source's host, so that relative URIs with `..` work too.
 * Nothing that no playlist lists is asked of the origin.
 */
export async function serveMirror(
  parts: MirrorParts,
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
  const urls = candidates(request.url ?? '/', parts.bases)
  for (const url of urls) {
    if (parts.shelf.get(url) === undefined) continue
    await servePlaylist(parts.shelf, url, request, response)
    return
  }
  const { library } = parts
  const held = async (url: string) =>
    serveSidecar(library, url, CORS, request, response) ||
    (await serveSegment(library, url, request, response))
  for (const url of urls) if (await held(url)) return
  const span = parseRange(request.headers.range, null, Number.MAX_SAFE_INTEGER)
  for (const url of urls) {
    await parts.demand(sidecarOwner(url) ?? url, span === 'unsatisfiable' ? null : span)
    if (response.destroyed || (await held(url))) return
  }
  sendNothing(response, 404, 'not held here, and not to be had from the origin')
}

async function servePlaylist(
  shelf: PlaylistShelf,
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const playlist = await awaitedPlaylist(shelf, url, request, response)
  if (playlist === null || response.destroyed) {
    sendNothing(response, 503, 'what is asked for is not published yet')
    return
  }
  const body = Buffer.from(playlist.text)
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  const headers = {
    ...CORS,
    'content-type': playlist.contentType || mediaType(url),
    'cache-control': `public, max-age=${playlistAge(playlist)}`,
    etag,
  }
  if (matches(request.headers['if-none-match'], etag)) {
    response.writeHead(304, headers).end()
    return
  }
  response.writeHead(200, { ...headers, 'content-length': body.byteLength })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** Seconds that a playlist may be taken from a cache. */
function playlistAge({ media }: ShelvedPlaylist): number {
  if (media?.live === false) return ENDED_PLAYLIST_AGE
  return LIVE_PLAYLIST_AGE
}

/** False where what is asked for is not here; nothing has been answered then. */
async function serveSegment(
  library: Library,
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const spans = library.spansOf(url)
  if (spans.length === 0) return false
  const whole = spans.find((span) => span.whole)
  const total = whole?.end ?? null
  const etag = whole === undefined ? null : `"${whole.tag}"`
  const headers: Record<string, string | number> = {
    'content-type': mediaType(url),
    'accept-ranges': 'bytes',
    'cache-control': `public, max-age=${library.live ? LIVE_SEGMENT_AGE : SEGMENT_AGE}, immutable`,
    ...(etag === null ? {} : { etag }),
  }
  if (etag !== null && matches(request.headers['if-none-match'], etag)) {
    response.writeHead(304, { ...CORS, ...headers }).end()
    return true
  }
  const held = whole === undefined ? spans : [whole]
  const ifRange = request.headers['if-range']
  const rangeHeader = ifRange === undefined || ifRange === etag ? request.headers.range : undefined
  const range = parseRange(rangeHeader, total, held.at(-1)?.end ?? 0)
  if (range === 'unsatisfiable') {
    if (total === null) return false
    response.writeHead(416, { ...CORS, 'content-range': `bytes */${total}` }).end()
    return true
  }
  const wanted = range ?? (total === null ? null : { start: 0, end: total })
  const parts = wanted === null ? null : covering(held, wanted)
  if (wanted === null || parts === null) return false
  const { start, end } = wanted
  headers['content-length'] = end - start
  if (range !== null) headers['content-range'] = `bytes ${start}-${end - 1}/${total ?? '*'}`
  response.writeHead(range === null ? 200 : 206, { ...CORS, ...headers })
  if (request.method === 'HEAD') response.end()
  else await sendSpans(response, parts, wanted)
  return true
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

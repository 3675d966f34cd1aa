import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Content } from './content.js'
import type { Misbehaviour } from './faults.js'
import { mediaType } from './media-types.js'
import { CORS_HEADERS, type Exchange, respondEmpty, sendBody, wantedRange } from './respond.js'

const zip = promisify(gzip)

/** Between the last byte and the cut, in ms: an error discards what a reader has not taken yet. */
const CUT_DELAY_MS = 150

/** Answers GET with what is not quite the content, as origins in the wild do. */
export async function misbehave(exchange: Exchange, content: Content, how: Misbehaviour): Promise<void> {
  if ('status' in how) {
    const { path, query } = exchange.entry
    const location = how.to === undefined ? {} : { Location: `${how.to}${path}${query && `?${query}`}` }
    return respondEmpty(exchange, how.status, { ...how.headers, ...location })
  }
  if ('page' in how) return send(exchange, 200, Buffer.from(how.page), { 'Content-Type': 'text/html' })

  const whole = content.type === 'made' ? content.bytes : await readFile(content.file)
  if ('body' in how) {
    if (how.body === 'chunked') return send(exchange, 200, whole, { 'Content-Length': null })
    return send(exchange, 200, await zip(whole), { 'Content-Encoding': 'gzip' })
  }
  const range = wantedRange(exchange, whole.length, null)
  if (range === 'unsatisfiable') return respondEmpty(exchange, 416)
  if ('cutAfter' in how) {
    const { first, last } = range ?? { first: 0, last: whole.length - 1 }
    const headers = range === null ? {} : { 'Content-Range': `bytes ${first}-${last}/${whole.length}` }
    const length = { 'Content-Length': String(last - first + 1) }
    head(exchange, range === null ? 200 : 206, { ...headers, ...length })
    await sendBody(exchange, [whole.subarray(first, Math.min(last + 1, first + how.cutAfter))], false)
    if (how.ending === 'silence') return
    await sleep(CUT_DELAY_MS)
    exchange.response.destroy()
    return
  }
  if (range === null) return send(exchange, 200, whole, {})
  const first = Math.max(0, range.first + (how.shift ?? 0))
  const last = Math.min(whole.length - 1, range.last + (how.shift ?? 0))
  const contentRange = `bytes ${first}-${last}/${whole.length + (how.total ?? 0)}`
  await send(exchange, 206, whole.subarray(first, last + 1), { 'Content-Range': contentRange })
}

/** @param headers null takes a header away */
async function send(
  exchange: Exchange,
  status: number,
  body: Buffer,
  headers: Readonly<Record<string, string | null>>,
): Promise<void> {
  head(exchange, status, { 'Content-Length': String(body.length), ...headers })
  await sendBody(exchange, [body])
}

function head(
  { response, entry }: Exchange,
  status: number,
  headers: Readonly<Record<string, string | null>>,
): void {
  entry.status = status
  const given = {
    ...CORS_HEADERS,
    'Content-Type': mediaType(entry.path),
    'Cache-Control': 'no-store',
    ...headers,
  }
  for (const [name, value] of Object.entries(given)) if (value !== null) response.setHeader(name, value)
  response.writeHead(status)
}

import type { Clock } from '@shoal/core'
import { MAX_SEGMENT_BYTES, type Millis, millis } from '@shoal/protocol'
import type { ResourceRef } from '../source/playlist.js'
import { readBody, readSpan } from './body.js'
import {
  type BlockingReload,
  type Origin,
  OriginFailure,
  type PlaylistLoad,
  shownUrl,
  type Validators,
} from './origin.js'
import { mediaFault, playlistFault } from './sniff.js'

/** Largest playlist, in bytes: a day of 2 s segments with long URLs is 10 MB. */
const MAX_PLAYLIST_BYTES = 32 * 1024 * 1024

/** How long silence is borne. */
export interface Patience {
  /** Without a single byte for so long, in milliseconds, a response is given up. */
  readonly limit: Millis
  /** And for so many target durations of a live stream, */
  readonly targetDurations: number
  /** but no sooner than this, in milliseconds: a lost packet is repeated after a second. */
  readonly least: Millis
}

/** For an origin that is the only one: what it sends after that comes too late for who plays live. */
const PATIENT: Patience = { limit: millis(15_000), targetDurations: 1.5, least: millis(1_000) }

/** Fetches from an HTTP origin; redirects are followed. */
export class HttpOrigin implements Origin {
  /** Without a single byte for so long, in milliseconds, a response is given up. */
  private idleTimeout: Millis

  constructor(
    private readonly clock: Clock,
    private readonly patience: Patience = PATIENT,
  ) {
    this.idleTimeout = patience.limit
  }

  pace(targetDuration: Millis): void {
    const { limit, targetDurations, least } = this.patience
    this.idleTimeout = millis(Math.min(limit, Math.max(least, targetDuration * targetDurations)))
  }

  async loadPlaylist(
    url: string,
    validators: Validators | null,
    signal: AbortSignal,
    blocking: BlockingReload | null = null,
  ): Promise<PlaylistLoad> {
    const headers: Record<string, string> = { 'cache-control': 'no-cache' }
    if (validators?.etag) headers['if-none-match'] = validators.etag
    if (validators?.lastModified) headers['if-modified-since'] = validators.lastModified
    const asked = blocking === null ? url : withDirectives(url, blocking)
    const patience = blocking === null ? this.idleTimeout : millis(this.idleTimeout + blocking.hold)
    return this.exchange(asked, headers, signal, patience, async (response, progress) => {
      if (response.status === 304) return { kind: 'unchanged' }
      if (response.status !== 200) throw statusFailure(response, url)
      const bytes = await readBody(response, MAX_PLAYLIST_BYTES, progress)
      const contentType = response.headers.get('content-type') ?? ''
      const text = new TextDecoder().decode(bytes)
      refuse(url, playlistFault(text, contentType))
      return {
        kind: 'loaded',
        text,
        url: blocking === null || response.url !== asked ? response.url : url,
        site: 0,
        validators: {
          etag: response.headers.get('etag'),
          lastModified: response.headers.get('last-modified'),
        },
        contentType,
      }
    })
  }

  async loadSegment({ url, range }: ResourceRef, signal: AbortSignal): Promise<Uint8Array> {
    // Content codings would make lengths and ranges those of the coded form (RFC 9110 section 14).
    const headers: Record<string, string> = { 'accept-encoding': 'identity' }
    if (range !== null) headers['range'] = `bytes=${range.start}-${range.end - 1}`
    const media = (bytes: Uint8Array, response: Response) => {
      refuse(url, mediaFault(bytes, response.headers.get('content-type') ?? ''))
      return bytes
    }
    return this.exchange(url, headers, signal, this.idleTimeout, async (response, progress) => {
      if (response.status === 206 && range !== null) {
        const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]
        if (start !== String(range.start)) {
          throw new OriginFailure(
            'bad-response',
            `${shownUrl(url)} answered with another range than asked for`,
          )
        }
        return media(await readSpan(response, { start: 0, end: range.end - range.start }, progress), response)
      }
      if (response.status !== 200) throw statusFailure(response, url)
      if (range !== null) return media(await readSpan(response, range, progress), response)
      return media(await readBody(response, MAX_SEGMENT_BYTES, progress), response)
    })
  }

  /** One request with its idle timeout; every failure becomes an `OriginFailure`. */
  private async exchange<T>(
    url: string,
    headers: Record<string, string>,
    signal: AbortSignal,
    patience: Millis,
    read: (response: Response, progress: () => void) => Promise<T>,
  ): Promise<T> {
    const abort = new AbortController()
    const onAbort = () => abort.abort()
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort)
    let timedOut = false
    let limited = patience
    let cancel = () => {}
    const limit = (idle: Millis) => {
      cancel()
      limited = idle
      cancel = this.clock.setTimer(idle, () => {
        timedOut = true
        abort.abort()
      })
    }
    const progress = () => limit(this.idleTimeout)
    limit(patience)
    try {
      const response = await fetch(url, { headers, signal: abort.signal })
      progress()
      return await read(response, progress)
    } catch (error) {
      if (error instanceof OriginFailure) throw error
      if (signal.aborted) throw new OriginFailure('aborted', `${shownUrl(url)} is no longer wanted`)
      if (timedOut) throw new OriginFailure('silent', `${shownUrl(url)}: no data for ${limited / 1000} s`)
      throw new OriginFailure('unreachable', `${shownUrl(url)}: ${networkReason(error)}`)
    } finally {
      cancel()
      signal.removeEventListener('abort', onAbort)
      // Ends a body that was not read to its end; nothing happens where it was.
      abort.abort()
    }
  }
}

/** Directives follow the URL's own query, in the order that section 6.2.5 of RFC 8216bis asks for. */
function withDirectives(url: string, { sequence, part }: BlockingReload): string {
  const asked = new URL(url)
  asked.searchParams.append('_HLS_msn', String(sequence))
  if (part !== null) asked.searchParams.append('_HLS_part', String(part))
  return asked.href
}

function refuse(url: string, fault: string | null): void {
  if (fault !== null) throw new OriginFailure('not-media', `${shownUrl(url)} ${fault}`)
}

function statusFailure(response: Response, url: string): OriginFailure {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : null
  return new OriginFailure(
    'status',
    `${shownUrl(url)} answered HTTP ${response.status}`,
    response.status,
    retryAfterMs,
  )
}

/** `fetch` says "fetch failed" and hides why in the cause. */
function networkReason(error: unknown): string {
  let last: unknown = error
  while (last instanceof Error && last.cause !== undefined) last = last.cause
  if (last instanceof AggregateError) last = last.errors[0]
  const code = last instanceof Error && 'code' in last ? String(last.code) : ''
  switch (code) {
    case 'ECONNREFUSED':
      return 'the connection was refused'
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return 'the connection was lost'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name is not known'
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return 'the host does not answer'
    default:
      if (last instanceof Error && last.message === 'bad port') return 'browsers and fetch refuse this port'
      return last instanceof Error ? last.message : String(last)
  }
}

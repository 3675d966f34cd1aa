import type { Millis } from '@shoal/protocol'
import type { OriginError } from '../ports/origin.js'
import type { HttpFetch, Want } from './want.js'

/** First wait after an HTTP failure while peers may still deliver, in milliseconds; doubles. */
const RETRY_MS = 1_000
/** Longest wait: an origin that is back must be found soon by who has run dry. */
const MAX_RETRY_MS = 2_000

/** Longest time that Retry-After is heeded for, in milliseconds, and never past the deadline. */
const MAX_RETRY_AFTER_MS = 30_000

/** Loads that broke after some bytes and are continued, for one want; the waits between grow by this. */
const MAX_RESUMES = 8
const RESUME_MS = 250

/** A load of which nothing came for this long may give way to peers, in milliseconds; doubles. */
const SILENT_MS = 3_000

/** HTTP status of a part, and of a Range that the resource does not have (RFC 9110 section 15). */
const PARTIAL_CONTENT = 206
const RANGE_NOT_SATISFIABLE = 416

/** Notes a failure. @param urgentAt when a load must begin to make the deadline */
export function noteFailure(want: Want, error: OriginError, urgentAt: number, now: Millis): void {
  const tries = want.httpError === null ? 0 : want.httpTries
  want.httpError = error
  want.httpTries = tries + 1
  const wait = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** tries)
  // Whoever knows no Retry-After, as players without a swarm do not, asks before the deadline.
  const asked = Math.min(error.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS, urgentAt - now)
  want.httpRetryAt = now + Math.max(wait, asked)
}

/** True where the connection broke, and not the origin's answer. */
export function isBroken({ kind }: OriginError): boolean {
  return kind === 'network' || kind === 'timeout'
}

/** True where an error is about the part that was asked for: all may still be had. */
export function isAboutPart({ kind, status }: OriginError): boolean {
  return status === RANGE_NOT_SATISFIABLE || (kind === 'bad-response' && status === PARTIAL_CONTENT)
}

/**
 * Lets a load that broke in the middle be continued. False where it brought nothing, or too many did.
 *
 * @param ranges the origin has ranges: without, each load begins from nothing
 */
export function resume(want: Want, { first, upTo }: HttpFetch, ranges: boolean, now: Millis): boolean {
  if (upTo <= first || want.segment.buffer === null) return false
  if (want.resumes >= (ranges ? MAX_RESUMES : 1)) return false
  want.httpRetryAt = now + RESUME_MS * want.resumes++
  return true
}

/**
 * True where nothing comes: the load may give way to peers. Each time it takes longer, so that an
 * origin that is only slow gets to its first byte.
 */
export function isSilent(want: Want, now: Millis): boolean {
  return want.http !== null && now - want.http.lastByteAt >= SILENT_MS * 2 ** want.silences
}

/** Notes that a load gave way. */
export function noteSilence(want: Want, now: Millis): void {
  want.silences++
  want.httpRetryAt = now + MAX_RETRY_MS
}

import type { ByteSpan } from '@shoal/protocol'

/** What of a response matters for knowing which bytes its body holds. */
export interface ResponseHead {
  readonly status: number
  /** `Content-Range`, or null where absent or hidden by CORS. */
  readonly contentRange: string | null
  /** `Content-Length` where it counts the body's own bytes, else null. */
  readonly contentLength: number | null
}

/** Where a body lies in its resource. */
export interface Placement {
  /** Offset of the body's first byte in the resource. */
  readonly start: number
  /** Bytes in the body, where known. */
  readonly length: number | null
  /** Bytes in the resource, where known. */
  readonly resourceSize: number | null
}

/** Digits that a number holds exactly. */
const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/

/**
 * Places a body (RFC 9110 section 14). A server may ignore Range and answer 200 with everything, or
 * send another part than was asked for: its word counts, not ours.
 *
 * @param asked the range of the request, or null
 * @returns null where it is not known: a part that is longer than asked for and does not say what it is
 */
export function placeResponse(head: ResponseHead, asked: ByteSpan | null): Placement | null {
  const { status, contentRange, contentLength } = head
  if (status !== 206) return { start: 0, length: contentLength, resourceSize: contentLength }
  const match = CONTENT_RANGE.exec(contentRange ?? '')
  if (match === null) {
    if (asked !== null && contentLength !== null && contentLength > asked.end - asked.start) return null
    return { start: asked?.start ?? 0, length: contentLength, resourceSize: null }
  }
  const start = Number(match[1])
  const resourceSize = match[3] === '*' ? null : Number(match[3])
  return { start, length: Number(match[2]) + 1 - start, resourceSize }
}

/** Range of a request for `span` of a segment that lies at `range` of its resource. */
export function requestRange(range: ByteSpan | null, span: ByteSpan | null): ByteSpan | null {
  if (span === null) return range
  const base = range?.start ?? 0
  return { start: base + span.start, end: base + span.end }
}

/** Value of a Range header. */
export function rangeHeader({ start, end }: ByteSpan): string {
  return `bytes=${start}-${end - 1}`
}

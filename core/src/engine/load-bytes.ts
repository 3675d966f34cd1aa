import type { ByteSpan } from '@shoal/protocol'
import { putInSegment } from './memory.js'
import type { Segment } from './segment.js'
import { type HttpFetch, hasPiece } from './want.js'

/** Notes the bytes that a load has put in the buffer, whatever ends it, for the one that follows. */
export function keepTail(segment: Segment, fetch: HttpFetch): void {
  if (segment.buffer === null || fetch.from === null) return
  segment.tail = { start: fetch.from, end: fetch.upTo }
}

/** Lets a response that begins where a broken one ended go on with its bytes. */
export function joinTail(segment: Segment, fetch: HttpFetch, offset: number): void {
  const { tail } = segment
  fetch.first = offset
  fetch.from = tail !== null && tail.end === offset ? tail.start : offset
  fetch.upTo = offset
}

/**
 * The first run of some missing pieces as one span. Null for all of a segment of which nothing is here.
 *
 * @param gapBytes what lies between two runs is here, and is loaded again only where it is less than this
 */
export function spanToLoad(segment: Segment, missing: readonly number[], gapBytes: number): ByteSpan | null {
  const { manifest, tail, buffer } = segment
  if (manifest === null) {
    return tail === null || buffer === null ? null : { start: tail.end, end: buffer.byteLength }
  }
  const [first, ...rest] = missing.map((piece) => segment.pieceSpan(piece))
  if (first === undefined) return null
  let end = first.end
  for (const bytes of rest) {
    if (bytes.start > end && bytes.start - end >= gapBytes) break
    end = bytes.end
  }
  const goesOn = tail !== null && tail.start <= first.start && tail.end > first.start && tail.end < first.end
  const start = goesOn ? tail.end : first.start
  return start === 0 && end === manifest.size ? null : { start, end }
}

/** Complete pieces among the bytes from `from` to `upTo` of the buffer that are not known to be here. */
export function piecesWithin(segment: Segment, { start: from, end: upTo }: ByteSpan): number[] {
  const { manifest } = segment
  if (manifest === null) return []
  const pieces: number[] = []
  for (let piece = Math.ceil(from / manifest.pieceSize); piece < segment.pieceCount; piece++) {
    if (segment.pieceSpan(piece).end > upTo) break
    if (!hasPiece(segment, piece) && !segment.hashing.has(piece)) pieces.push(piece)
  }
  return pieces
}

/** What became of bytes that came: bytes that were here already, or why they have no place. */
type Stored = { readonly wasted: number } | 'too-long' | 'size-was-wrong'

/**
 * Puts bytes of a response where they belong; pieces that are here already are left as they are.
 *
 * More bytes than the size that the response itself announced are kept without one: HTTP lets no more
 * come than Content-Length says, so it counted an encoded body (`size-was-wrong`).
 */
export function storeBytes(segment: Segment, fetch: HttpFetch, offset: number, bytes: Uint8Array): Stored {
  const { buffer, manifest } = segment
  if (buffer === null) {
    fetch.loose.push(bytes)
    return { wasted: 0 }
  }
  const end = offset + bytes.byteLength
  if (end > buffer.byteLength) {
    if (manifest !== null || fetch.span !== null) return 'too-long'
    fetch.loose.push(buffer.slice(0, offset), bytes)
    forgetBytes(segment)
    return 'size-was-wrong'
  }
  if (manifest === null) {
    putInSegment(buffer, bytes, offset)
    return { wasted: 0 }
  }
  let wasted = 0
  const last = Math.floor((end - 1) / manifest.pieceSize)
  for (let piece = Math.floor(offset / manifest.pieceSize); piece <= last; piece++) {
    const span = segment.pieceSpan(piece)
    const from = Math.max(offset, span.start)
    const to = Math.min(end, span.end)
    if (hasPiece(segment, piece)) wasted += to - from
    else putInSegment(buffer, bytes.subarray(from - offset, to - offset), from)
  }
  return { wasted }
}

/** Lets go of bytes that no manifest describes. */
export function forgetBytes(segment: Segment): void {
  segment.tail = null
  segment.buffer = null
}

export function concatenate(parts: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}

import type { ByteSpan, Millis, SegmentManifest } from '@shoal/protocol'
import type { OriginError } from '../ports/origin.js'
import type { SegmentSources, WantedSegment } from '../runtime/swarm-api.js'
import type { PieceSet } from './piece-set.js'
import type { Segment } from './segment.js'

/** An HTTP load on its way for a want. */
export interface HttpFetch {
  readonly id: number
  /** Null: the whole segment. */
  readonly span: ByteSpan | null
  readonly askedAt: Millis
  responseAt: Millis | null
  /** When anything came last, or it was asked for. */
  lastByteAt: Millis
  /** Offset in the segment of the response's first byte. */
  first: number
  /**
   * Offset in the segment up to which bytes have come, and where they begin: with what a broken load
   * had brought before them.
   */
  from: number | null
  upTo: number
  /** Bytes that came before the segment's size was known. */
  readonly loose: Uint8Array[]
}

/** A segment that the player waits for. */
export interface Want {
  readonly id: number
  readonly wanted: WantedSegment
  readonly segment: Segment
  deadline: Millis
  readonly startedAt: Millis
  /** When a peer last completed a piece, or when it was wanted. */
  progressAt: Millis
  firstByteAt: Millis | null
  http: HttpFetch | null
  /** The last HTTP failure, while peers may still deliver; and when to ask the origin again. */
  httpError: OriginError | null
  httpRetryAt: number
  httpTries: number
  /** Loads that broke in the middle and were continued. */
  resumes: number
  /** Loads of which nothing came any more and that gave way to peers. */
  silences: number
  /** What the segment's sources were when it was wanted: a cached byte is not counted again. */
  readonly sourcesBefore: SegmentSources
  /** Nobody waits for it yet: peers alone are asked, and nothing is said of it to the host. */
  readonly ahead: boolean
  /** When we said that we lead the fetch, or null where we did not or gave way. */
  claimedAt: Millis | null
  /** Bytes that the origin was asked for early, since peers have too little uplink. */
  advanced: number
  /** Pieces that nobody has any more, and since when; see `orphansOf`. */
  orphans: { readonly pieces: PieceSet; readonly since: Millis } | null
  /** When the first piece was asked of a peer. */
  peersSince: Millis | null
  /** What its size probably is, for a part; null where nothing is known. */
  readonly expectedBytes: number | null
}

/** True where a manifest describes the bytes that the playlist names for the want. */
export function describes(manifest: SegmentManifest, range: ByteSpan | null): boolean {
  if (range === null) return manifest.offset === 0
  return manifest.offset === range.start && manifest.size === range.end - range.start
}

/** True where the bytes of piece `piece` are here: verified, or from the origin itself. */
export function hasPiece(segment: Segment, piece: number): boolean {
  return segment.verified.has(piece) || segment.fromHttp.has(piece)
}

/** True where an HTTP load brings bytes of the piece now. */
export function isLoading(segment: Segment, piece: number): boolean {
  const { loading } = segment
  const bytes = segment.pieceSpan(piece)
  return loading !== null && bytes.end > loading.start && bytes.start < loading.end
}

/** Pieces whose bytes are neither here nor being hashed. */
export function missingPieces(segment: Segment): number[] {
  const missing: number[] = []
  for (let piece = 0; piece < segment.pieceCount; piece++) {
    if (!hasPiece(segment, piece) && !segment.hashing.has(piece)) missing.push(piece)
  }
  return missing
}

/**
 * True where every byte is here. What HTTP brought counts once it was compared with the manifest: a
 * part of a response may not lie where it was asked for.
 */
export function isWhole(segment: Segment): boolean {
  if (segment.manifest === null) return false
  for (let piece = 0; piece < segment.pieceCount; piece++) {
    if (!segment.verified.has(piece) && (segment.fromPart.has(piece) || !segment.fromHttp.has(piece)))
      return false
  }
  return true
}

/** Bytes of the segment that are here. */
export function loadedBytes(want: Want): number {
  const { segment, http } = want
  if (segment.manifest === null) {
    const bytes = http === null || http.from === null ? segment.tail : { start: http.from, end: http.upTo }
    return bytes === null ? 0 : bytes.end - bytes.start
  }
  let bytes = 0
  for (let piece = 0; piece < segment.pieceCount; piece++) {
    if (!hasPiece(segment, piece) && !segment.hashing.has(piece)) continue
    const span = segment.pieceSpan(piece)
    bytes += span.end - span.start
  }
  return bytes
}

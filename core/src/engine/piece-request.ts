import { type ByteSpan, CHUNK_BYTES, chunkCountOf, MAX_REQUEST_RANGES, type Millis } from '@shoal/protocol'
import type { Segment } from './segment.js'

/**
 * One piece asked of one peer: which chunks have come, and when to ask again.
 *
 * Chunks are written straight into the segment's buffer; the piece's hash decides later whether
 * they were right.
 */
export class PieceRequest {
  readonly id: number
  readonly segment: Segment
  readonly piece: number
  readonly deadline: Millis
  readonly askedAt: Millis
  readonly bytes: number
  private readonly base: number
  private readonly arrived: Uint8Array
  private missing: number
  /** When chunks of it last came, or when it was last asked for. */
  lastActivity: Millis
  firstDataAt: Millis | null = null
  lastDataAt: Millis | null = null
  /** Times it was asked for again. */
  repairs = 0
  /** Bytes received for it so far. */
  received = 0
  private highestChunk = -1

  constructor(id: number, segment: Segment, piece: number, deadline: Millis, now: Millis) {
    const span = segment.pieceSpan(piece)
    this.id = id
    this.segment = segment
    this.piece = piece
    this.deadline = deadline
    this.askedAt = now
    this.lastActivity = now
    this.base = span.start
    this.bytes = span.end - span.start
    this.missing = chunkCountOf(this.bytes)
    this.arrived = new Uint8Array(this.missing)
  }

  get complete(): boolean {
    return this.missing === 0
  }

  /** The last chunk has come: what is missing now was lost or is out of order. */
  get tailSeen(): boolean {
    return this.highestChunk === this.arrived.length - 1
  }

  /**
   * Takes one chunk.
   *
   * @returns `false` where it does not fit the piece (a violation); `'duplicate'` where it is here
   */
  accept(chunk: number, payload: Uint8Array, now: Millis): boolean | 'duplicate' {
    const offset = chunk * CHUNK_BYTES
    if (chunk >= this.arrived.length) return false
    if (payload.byteLength !== Math.min(CHUNK_BYTES, this.bytes - offset)) return false
    this.lastActivity = now
    this.lastDataAt = now
    this.firstDataAt ??= now
    if (this.arrived[chunk] === 1) return 'duplicate'
    this.arrived[chunk] = 1
    this.missing--
    this.received += payload.byteLength
    this.highestChunk = Math.max(this.highestChunk, chunk)
    this.segment.buffer?.set(payload, this.base + offset)
    return true
  }

  /** Missing chunks as ranges for a Request; what does not fit one is asked for by the next repair. */
  missingRanges(): ByteSpan[] {
    const ranges: ByteSpan[] = []
    let start = -1
    for (let chunk = 0; chunk <= this.arrived.length; chunk++) {
      const absent = chunk < this.arrived.length && this.arrived[chunk] === 0
      if (absent && start < 0) start = chunk
      if (!absent && start >= 0) {
        ranges.push({ start, end: chunk })
        start = -1
        if (ranges.length === MAX_REQUEST_RANGES) break
      }
    }
    return ranges
  }
}

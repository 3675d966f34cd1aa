import { type ByteSpan, CHUNK_BYTES, chunkCountOf, MAX_REQUEST_RANGES, type Millis } from '@shoal/protocol'
import { putInPiece } from './memory.js'
import type { PieceRoom } from './piece-room.js'
import type { Segment } from './segment.js'

/** Later chunks that prove a hole. */
const GAP_CHUNKS = 3

/**
 * One piece asked of one peer: which chunks have come, and when to ask again.
 *
 * Chunks stay here until the piece's hash has said that they are right: bytes of a peer are never
 * beside those of the origin in a segment's buffer unless they are verified.
 */
export class PieceRequest {
  readonly id: number
  readonly segment: Segment
  readonly piece: number
  readonly deadline: Millis
  readonly askedAt: Millis
  readonly bytes: number
  /** The piece's bytes, as far as they have come. */
  readonly data: Uint8Array
  private readonly arrived: Uint8Array
  private missing: number
  /** When chunks of it last came, or when it was last asked for. */
  lastActivity: Millis
  firstDataAt: Millis | null = null
  lastDataAt: Millis | null = null
  /** Milliseconds in which it was likely to be here when it was asked for. */
  expectedMs = 0
  /** Times it was asked for again, and how many of those since anything came. */
  repairs = 0
  vainRepairs = 0
  lastRepairAt: Millis | null = null
  /** When a gap was first noticed that has not been asked for since. */
  gapSince: Millis | null = null
  /** Bytes of its first chunk, whose transfer nobody saw begin. */
  firstBytes = 0
  /** Bytes received for it so far. */
  received = 0
  private highestChunk = -1
  /** Every chunk below this is here. */
  private settledBelow = 0

  constructor(id: number, segment: Segment, piece: number, deadline: Millis, now: Millis, room: PieceRoom) {
    const span = segment.pieceSpan(piece)
    this.id = id
    this.segment = segment
    this.piece = piece
    this.deadline = deadline
    this.askedAt = now
    this.lastActivity = now
    this.bytes = span.end - span.start
    this.data = room.take(this.bytes)
    this.missing = chunkCountOf(this.bytes)
    this.arrived = new Uint8Array(this.missing)
  }

  get complete(): boolean {
    return this.missing === 0
  }

  /**
   * Something is missing that must have been sent: chunks are sent in order, so a hole with
   * `GAP_CHUNKS` later chunks here is a loss or a reordering (RFC 8985's threshold of 3), and so is
   * any hole once the last chunk is here. Holds without retransmission by the channel.
   */
  get gapSeen(): boolean {
    return this.lowestMissing() < this.sentBelow()
  }

  /** Chunks below this have left the sender. */
  private sentBelow(): number {
    const tail = this.highestChunk === this.arrived.length - 1
    return tail ? this.arrived.length : this.highestChunk + 1 - GAP_CHUNKS
  }

  private lowestMissing(): number {
    while (this.arrived[this.settledBelow] === 1) this.settledBelow++
    return this.settledBelow
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
    // What repeats itself is no answer: a peer could go on with it for ever.
    if (this.arrived[chunk] === 1) return 'duplicate'
    this.lastActivity = now
    this.lastDataAt = now
    if (this.firstDataAt === null) this.firstBytes = payload.byteLength
    this.firstDataAt ??= now
    this.vainRepairs = 0
    this.arrived[chunk] = 1
    this.missing--
    this.received += payload.byteLength
    this.highestChunk = Math.max(this.highestChunk, chunk)
    putInPiece(this.data, payload, offset)
    return true
  }

  get lastAskedAt(): Millis {
    return this.lastRepairAt ?? this.askedAt
  }

  /** Asked again, at `now`. */
  repaired(now: Millis): void {
    this.repairs++
    this.vainRepairs++
    this.lastRepairAt = now
    this.gapSince = null
    this.lastActivity = now
  }

  /** Chunks that are known to be lost, where that is known; else all that are missing. */
  repairRanges(): ByteSpan[] {
    return this.missingRanges(this.gapSeen ? this.sentBelow() : this.arrived.length)
  }

  /**
   * Missing chunks below `end` as ranges for a Request; what does not fit one is asked for by the
   * next repair.
   */
  missingRanges(end = this.arrived.length): ByteSpan[] {
    const ranges: ByteSpan[] = []
    let start = -1
    for (let chunk = 0; chunk <= end; chunk++) {
      const absent = chunk < end && this.arrived[chunk] === 0
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

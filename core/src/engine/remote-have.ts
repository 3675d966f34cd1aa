import { type Have, type HaveEntry, type SegmentId, segmentKey, type TrackId } from '@shoal/protocol'
import { IntervalSet } from './interval-set.js'
import { PieceSet } from './piece-set.js'

/** Bounds on what one peer can make us remember about it. */
const MAX_TRACKS = 64
const MAX_RUNS_PER_TRACK = 1024
const MAX_PARTIAL_SEGMENTS = 512

interface Partial {
  readonly pieces: PieceSet
  readonly fetching: boolean
}

/** What a peer has said that it holds. */
export class RemoteHave {
  private readonly complete = new Map<TrackId, IntervalSet>()
  private readonly partial = new Map<string, Partial>()
  private newestSummary = -1
  private newest = -1
  /** Length of the peer's upload queue, in milliseconds, as last told. */
  backlogMs = 0

  /** True once the peer has said anything: before that, not holding means not known. */
  get heard(): boolean {
    return this.newest >= 0
  }

  /** Takes a Have; an out-of-date one changes nothing. Returns the segments whose state changed. */
  apply(have: Have): boolean {
    if (have.serial < this.newestSummary) return false
    if (have.summary) {
      if (have.serial < this.newest) return false
      this.newestSummary = have.serial
      this.complete.clear()
      this.partial.clear()
    }
    if (have.serial >= this.newest) {
      this.newest = have.serial
      this.backlogMs = have.backlogMs
    }
    for (const entry of have.entries) this.applyEntry(entry)
    return true
  }

  /** True where the peer holds the whole segment. */
  hasAll(id: SegmentId): boolean {
    return id.part === null && this.complete.get(id.track)?.has(id.sequence) === true
  }

  /** True where the peer holds `piece`, verified. */
  hasPiece(id: SegmentId, piece: number): boolean {
    return this.hasAll(id) || this.partial.get(segmentKey(id))?.pieces.has(piece) === true
  }

  /** True where the peer holds some of the segment, or is fetching it. */
  offers(id: SegmentId): boolean {
    if (this.hasAll(id)) return true
    const partial = this.partial.get(segmentKey(id))
    return partial !== undefined && (partial.fetching || partial.pieces.size > 0)
  }

  /** Forgets a segment: what the peer said of it was not true, or not ours. */
  forget(id: SegmentId): void {
    this.partial.delete(segmentKey(id))
    if (id.part === null) this.complete.get(id.track)?.remove(id.sequence, id.sequence + 1)
  }

  private applyEntry(entry: HaveEntry): void {
    if (entry.kind === 'segment') {
      this.applySegment(entry.segment, new PieceSet(entry.pieces), entry.fetching)
      return
    }
    if (entry.kind === 'dropped') {
      this.complete.get(entry.track)?.remove(entry.first, entry.first + entry.count)
      this.partial.delete(segmentKey({ track: entry.track, sequence: entry.first, part: null }))
      return
    }
    let runs = this.complete.get(entry.track)
    if (runs === undefined) {
      if (this.complete.size >= MAX_TRACKS) return
      runs = new IntervalSet(MAX_RUNS_PER_TRACK)
      this.complete.set(entry.track, runs)
    }
    runs.add(entry.first, entry.first + entry.count)
    if (entry.count === 1) {
      this.partial.delete(segmentKey({ track: entry.track, sequence: entry.first, part: null }))
    }
  }

  private applySegment(id: SegmentId, pieces: PieceSet, fetching: boolean): void {
    const key = segmentKey(id)
    this.partial.delete(key)
    if (this.partial.size >= MAX_PARTIAL_SEGMENTS) {
      // Maps iterate in insertion order: the entry told longest ago goes.
      const oldest = this.partial.keys().next().value
      if (oldest !== undefined) this.partial.delete(oldest)
    }
    this.partial.set(key, { pieces, fetching })
  }
}

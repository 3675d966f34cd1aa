import {
  type Have,
  type HaveEntry,
  type HaveRun,
  MAX_PIECES_PER_SEGMENT,
  type SegmentId,
  segmentKey,
  type TrackId,
} from '@shoal/protocol'
import { IntervalSet } from './interval-set.js'
import { PieceSet } from './piece-set.js'

/** Bounds on what one peer can make us remember about it. */
const MAX_TRACKS = 64
const MAX_RUNS_PER_TRACK = 1024
const MAX_PARTIAL_SEGMENTS = 512

/** Entries of deltas that are kept, to be applied again after an older Have that comes late. */
const MAX_RECENT_ENTRIES = 128

const ALL_PIECES = PieceSet.first(MAX_PIECES_PER_SEGMENT)

interface Partial {
  readonly id: SegmentId
  readonly pieces: PieceSet
  readonly fetching: boolean
  readonly expected: boolean
}

/** A delta without entries takes room too. */
function costOf(delta: Have): number {
  return 1 + delta.entries.length
}

/** What a peer has said that it holds. */
export class RemoteHave {
  private readonly complete = new Map<TrackId, IntervalSet>()
  private readonly partial = new Map<string, Partial>()
  /** Deltas since the newest summary, the last ones, by serial. */
  private recent: Have[] = []
  private recentEntries = 0
  private newestSummary = -1
  private newest = -1
  /** Length of the peer's upload queue, in milliseconds, as last told. */
  backlogMs = 0

  /** True once the peer has said anything: before that, not holding means not known. */
  get heard(): boolean {
    return this.newest >= 0
  }

  /** Runs, partial segments and entries that are remembered. */
  get size(): number {
    let size = this.partial.size + this.recentEntries
    for (const runs of this.complete.values()) size += 1 + runs.size
    return size
  }

  /**
   * Takes a Have; false where a newer summary has replaced it.
   *
   * The two channels overtake each other, and the lossy one itself: what newer deltas said is applied
   * again after an older Have, so that the order of arrival does not matter.
   */
  apply(have: Have): boolean {
    if (have.serial < this.newestSummary) return false
    if (have.summary) {
      this.newestSummary = have.serial
      this.complete.clear()
      this.partial.clear()
      this.forgetRecent((delta) => delta.serial <= have.serial)
    }
    if (have.serial >= this.newest) {
      this.newest = have.serial
      this.backlogMs = have.backlogMs
    }
    for (const entry of have.entries) this.applyEntry(entry)
    for (const delta of this.recent) {
      if (delta.serial > have.serial) for (const entry of delta.entries) this.applyEntry(entry)
    }
    if (!have.summary) this.remember(have)
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

  /** Pieces that the peer holds, verified; null for none. */
  piecesOf(id: SegmentId): PieceSet | null {
    if (this.hasAll(id)) return ALL_PIECES
    const pieces = this.partial.get(segmentKey(id))?.pieces
    return pieces === undefined || pieces.size === 0 ? null : pieces
  }

  /** True where the peer holds some of the segment, or is fetching it. */
  offers(id: SegmentId): boolean {
    if (this.hasAll(id)) return true
    const partial = this.partial.get(segmentKey(id))
    if (partial === undefined) return false
    return partial.fetching || partial.expected || partial.pieces.size > 0
  }

  /** True where the peer is fetching the segment itself. */
  isFetching(id: SegmentId): boolean {
    return this.partial.get(segmentKey(id))?.fetching === true
  }

  /** Forgets a segment: what the peer said of it was not true, or not ours. */
  forget(id: SegmentId): void {
    this.partial.delete(segmentKey(id))
    if (id.part === null) this.complete.get(id.track)?.remove(id.sequence, id.sequence + 1)
  }

  private remember(delta: Have): void {
    const after = this.recent.findLastIndex(({ serial }) => serial <= delta.serial)
    if (this.recent[after]?.serial === delta.serial) return
    this.recent.splice(after + 1, 0, delta)
    this.recentEntries += costOf(delta)
    if (this.recentEntries <= MAX_RECENT_ENTRIES) return
    let excess = this.recentEntries - MAX_RECENT_ENTRIES
    this.forgetRecent((old) => {
      const surplus = excess > 0
      excess -= costOf(old)
      return surplus
    })
  }

  private forgetRecent(which: (delta: Have) => boolean): void {
    this.recent = this.recent.filter((delta) => {
      const forgotten = which(delta)
      if (forgotten) this.recentEntries -= costOf(delta)
      return !forgotten
    })
  }

  private applyEntry(entry: HaveEntry): void {
    if (entry.kind === 'segment') {
      this.applySegment(entry.segment, new PieceSet(entry.pieces), entry.fetching, entry.expected === true)
      return
    }
    if (entry.kind === 'dropped') {
      this.complete.get(entry.track)?.remove(entry.first, entry.first + entry.count)
      this.dropPartial(entry)
      return
    }
    let runs = this.complete.get(entry.track)
    if (runs === undefined) {
      if (this.complete.size >= MAX_TRACKS) return
      runs = new IntervalSet(MAX_RUNS_PER_TRACK)
      this.complete.set(entry.track, runs)
    }
    // A map of pieces that a longer run leaves behind says nothing beside it.
    runs.add(entry.first, entry.first + entry.count)
    if (entry.count === 1) this.dropPartial(entry)
  }

  private dropPartial({ track, first, count }: HaveRun): void {
    if (count === 1) {
      this.partial.delete(segmentKey({ track, sequence: first, part: null }))
      return
    }
    this.partial.forEach(({ id }, key) => {
      const inRun = id.sequence >= first && id.sequence < first + count
      if (inRun && id.track === track && id.part === null) this.partial.delete(key)
    })
  }

  private applySegment(id: SegmentId, pieces: PieceSet, fetching: boolean, expected: boolean): void {
    const key = segmentKey(id)
    this.partial.delete(key)
    if (id.part === null) this.complete.get(id.track)?.remove(id.sequence, id.sequence + 1)
    if (!fetching && !expected && pieces.size === 0) return
    if (this.partial.size >= MAX_PARTIAL_SEGMENTS) {
      // Maps iterate in insertion order: the entry told longest ago goes.
      const oldest = this.partial.keys().next().value
      if (oldest !== undefined) this.partial.delete(oldest)
    }
    this.partial.set(key, { id, pieces, fetching, expected })
  }
}

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
}

/** True where an entry of a Have is about this segment. */
export function names(entry: HaveEntry, id: SegmentId): boolean {
  if (entry.kind === 'segment' || entry.kind === 'claim') {
    const { track, sequence, part } = entry.segment
    return sequence === id.sequence && track === id.track && part === id.part
  }
  const { track, first, count } = entry
  return id.part === null && track === id.track && id.sequence >= first && id.sequence < first + count
}

/** The id whose key was made last, with the key: one segment is looked up in all peers in a row. */
let known: { readonly id: SegmentId; readonly key: string } | null = null

function keyOf(id: SegmentId): string {
  if (known?.id !== id) known = { id, key: segmentKey(id) }
  return known.key
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
    if (have.serial < this.newest) {
      for (const delta of this.recent) {
        if (delta.serial > have.serial) for (const entry of delta.entries) this.applyEntry(entry)
      }
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
    return this.hasAll(id) || this.partial.get(keyOf(id))?.pieces.has(piece) === true
  }

  /** Pieces that the peer holds, verified; null for none. */
  piecesOf(id: SegmentId): PieceSet | null {
    if (this.hasAll(id)) return ALL_PIECES
    const pieces = this.partial.get(keyOf(id))?.pieces
    return pieces === undefined || pieces.isEmpty ? null : pieces
  }

  /** True where the peer holds some of the segment, or is fetching it. */
  offers(id: SegmentId): boolean {
    if (this.hasAll(id)) return true
    const partial = this.partial.get(keyOf(id))
    if (partial === undefined) return false
    return partial.fetching || !partial.pieces.isEmpty
  }

  /** True where the peer is fetching the segment itself. */
  isFetching(id: SegmentId): boolean {
    return this.partial.get(keyOf(id))?.fetching === true
  }

  /** Forgets a segment: what the peer said of it was not true, or not ours. */
  forget(id: SegmentId): void {
    this.partial.delete(segmentKey(id))
    if (id.part === null) this.complete.get(id.track)?.remove(id.sequence, id.sequence + 1)
  }

  /** Forgets what the peer said that it would hold; what it holds stays. */
  forgetPromises(): void {
    for (const [key, { id, pieces, fetching }] of this.partial) {
      if (!fetching) continue
      if (pieces.size === 0) this.partial.delete(key)
      else this.partial.set(key, { id, pieces, fetching: false })
    }
  }

  private remember(delta: Have): void {
    const { recent } = this
    let after = recent.length - 1
    while (after >= 0 && (recent[after]?.serial ?? 0) > delta.serial) after--
    if (recent[after]?.serial === delta.serial) return
    recent.splice(after + 1, 0, delta)
    this.recentEntries += costOf(delta)
    while (this.recentEntries > MAX_RECENT_ENTRIES) {
      const oldest = recent.shift()
      if (oldest === undefined) return
      this.recentEntries -= costOf(oldest)
    }
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
      this.applySegment(entry.segment, new PieceSet(entry.pieces), entry.fetching)
      return
    }
    // A claim is news of the moment, not something held.
    if (entry.kind === 'claim') return
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

  private applySegment(id: SegmentId, pieces: PieceSet, fetching: boolean): void {
    const key = segmentKey(id)
    this.partial.delete(key)
    if (id.part === null) this.complete.get(id.track)?.remove(id.sequence, id.sequence + 1)
    if (!fetching && pieces.size === 0) return
    if (this.partial.size >= MAX_PARTIAL_SEGMENTS) {
      // Maps iterate in insertion order: the entry told longest ago goes.
      const oldest = this.partial.keys().next().value
      if (oldest !== undefined) this.partial.delete(oldest)
    }
    this.partial.set(key, { id, pieces, fetching })
  }
}

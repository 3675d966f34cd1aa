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

/** What a delta said of a segment, or of a run of them. */
interface Recent {
  readonly serial: number
  readonly entry: HaveEntry
  /** The segment's; null for a run of several. */
  readonly key: string | null
}

/** The key of the one segment that an entry is about, null where it is about several. */
function keyOf(entry: HaveEntry): string | null {
  if (entry.kind === 'segment' || entry.kind === 'claim') return segmentKey(entry.segment)
  const { track, first, count } = entry
  return count === 1 ? segmentKey({ track, sequence: first, part: null }) : null
}

const ALL_PIECES = PieceSet.first(MAX_PIECES_PER_SEGMENT)

/** Segments whose pieces are remembered as they were last looked up, each at the place of its number. */
const LOOKED_UP = 8

/** What was found for a segment: looked up at every look at what is wanted, and seldom changed. */
interface Found {
  id: SegmentId | null
  pieces: PieceSet | null
  /** Holds while this is the `version` of all that is known. */
  version: number
}

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

function isSame(a: SegmentId, b: SegmentId): boolean {
  return a === b || (a.sequence === b.sequence && a.track === b.track && a.part === b.part)
}

/** What a peer has said that it holds. */
export class RemoteHave {
  private readonly complete = new Map<TrackId, IntervalSet>()
  private readonly partial = new Map<string, Partial>()
  /** What deltas since the newest summary said, the last of each segment, by serial. */
  private recent: Recent[] = []
  private readonly found: readonly Found[] = Array.from({ length: LOOKED_UP }, () => ({
    id: null,
    pieces: null,
    version: -1,
  }))
  private version = 0
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
    let size = this.partial.size + this.recent.length
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
    if (have.summary || have.entries.length > 0) this.changed()
    if (have.summary) {
      this.newestSummary = have.serial
      this.complete.clear()
      this.partial.clear()
      this.recent = this.recent.filter(({ serial }) => serial > have.serial)
    }
    if (have.serial >= this.newest) {
      this.newest = have.serial
      this.backlogMs = have.backlogMs
    }
    for (const entry of have.entries) this.applyEntry(entry)
    if (have.serial < this.newest) {
      for (const { serial, entry } of this.recent) if (serial > have.serial) this.applyEntry(entry)
    }
    if (!have.summary) for (const entry of have.entries) this.remember(have.serial, entry)
    return true
  }

  /** True where the peer holds the whole segment. */
  hasAll(id: SegmentId): boolean {
    return this.piecesOf(id) === ALL_PIECES
  }

  private isComplete(id: SegmentId): boolean {
    return id.part === null && this.complete.get(id.track)?.has(id.sequence) === true
  }

  /** True where the peer holds `piece`, verified. */
  hasPiece(id: SegmentId, piece: number): boolean {
    return this.hasAll(id) || this.partial.get(segmentKey(id))?.pieces.has(piece) === true
  }

  /** Pieces that the peer holds, verified; null for none. */
  piecesOf(id: SegmentId): PieceSet | null {
    const found = this.found[id.sequence % LOOKED_UP]
    if (found === undefined) return this.lookUp(id)
    if (found.version === this.version && found.id !== null && isSame(found.id, id)) return found.pieces
    found.id = id
    found.pieces = this.lookUp(id)
    found.version = this.version
    return found.pieces
  }

  private lookUp(id: SegmentId): PieceSet | null {
    if (this.isComplete(id)) return ALL_PIECES
    const pieces = this.partial.get(segmentKey(id))?.pieces
    return pieces === undefined || pieces.isEmpty ? null : pieces
  }

  private changed(): void {
    this.version++
  }

  /** True where the peer holds some of the segment, or is fetching it. */
  offers(id: SegmentId): boolean {
    if (this.hasAll(id)) return true
    const partial = this.partial.get(segmentKey(id))
    if (partial === undefined) return false
    return partial.fetching || !partial.pieces.isEmpty
  }

  /** True where the peer is fetching the segment itself. */
  isFetching(id: SegmentId): boolean {
    return this.partial.get(segmentKey(id))?.fetching === true
  }

  /** Forgets a segment: what the peer said of it was not true, or not ours. */
  forget(id: SegmentId): void {
    this.changed()
    this.partial.delete(segmentKey(id))
    if (id.part === null) this.complete.get(id.track)?.remove(id.sequence, id.sequence + 1)
  }

  /** Forgets what the peer said that it would hold; what it holds stays. */
  forgetPromises(): void {
    this.changed()
    for (const [key, { id, pieces, fetching }] of this.partial) {
      if (!fetching) continue
      if (pieces.size === 0) this.partial.delete(key)
      else this.partial.set(key, { id, pieces, fetching: false })
    }
  }

  /** What a later entry says of the same segment takes the place of what was said before. */
  private remember(serial: number, entry: HaveEntry): void {
    if (entry.kind === 'claim') return
    const { recent } = this
    const key = keyOf(entry)
    let after = recent.length
    for (let index = recent.length - 1; index >= 0; index--) {
      const other = recent[index]
      if (other === undefined) break
      if (other.serial > serial) after = index
      if (key === null || other.key !== key) continue
      if (other.serial > serial) return
      recent.splice(index, 1)
      after--
      break
    }
    recent.splice(after, 0, { serial, entry, key })
    if (recent.length > MAX_RECENT_ENTRIES) recent.shift()
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

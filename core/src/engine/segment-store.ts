import { type SegmentId, segmentKey } from '@shoal/protocol'
import { Segment } from './segment.js'

/** Segments outside memory that are remembered at most: a day of live renditions, bounded. */
const MAX_SEGMENTS = 65_536

/**
 * Parts are kept of this many segments: a player this far behind loads whole segments (playlists name
 * parts of the last three target durations only, RFC 8216bis section 6.2.2).
 */
const PART_SEGMENTS = 4

/** The segments that this peer holds or wants, with a bound on the bytes in memory. */
export class SegmentStore {
  private readonly segments = new Map<string, Segment>()
  private readonly memoryBytes: number
  private uses = 0
  private held = 0

  constructor(memoryBytes: number) {
    this.memoryBytes = memoryBytes
  }

  get(key: string): Segment | undefined {
    return this.segments.get(key)
  }

  /** The segment, made where it is not known; it becomes the most recently used. */
  open(id: SegmentId): Segment {
    const key = segmentKey(id)
    let segment = this.segments.get(key)
    if (segment === undefined) {
      segment = new Segment(id)
      segment.onResize = this.resized
      this.segments.set(key, segment)
    }
    this.touch(segment)
    return segment
  }

  touch(segment: Segment): void {
    segment.lastUsed = ++this.uses
  }

  delete(key: string): void {
    const segment = this.segments.get(key)
    if (segment === undefined) return
    this.segments.delete(key)
    segment.onResize = null
    this.held -= segment.buffer?.byteLength ?? 0
  }

  /**
   * Drops parts of segments that nobody asks for by parts any more.
   *
   * @param newest a part that is wanted now; only its track is looked at
   * @returns what was dropped
   */
  dropOldParts(newest: SegmentId, pinned: (segment: Segment) => boolean): Segment[] {
    const dropped: Segment[] = []
    for (const segment of this.segments.values()) {
      const { track, sequence, part } = segment.id
      if (part === null || track !== newest.track || sequence > newest.sequence - PART_SEGMENTS) continue
      if (!pinned(segment)) dropped.push(segment)
    }
    for (const segment of dropped) this.delete(segment.key)
    return dropped
  }

  values(): IterableIterator<Segment> {
    return this.segments.values()
  }

  /** Bytes in memory; kept as a sum, since every input asks. */
  get bytes(): number {
    return this.held
  }

  private readonly resized = (change: number): void => {
    this.held += change
  }

  get count(): number {
    let count = 0
    for (const segment of this.segments.values()) if (segment.complete) count++
    return count
  }

  /**
   * Drops the least recently used segments until the bytes in memory keep to their bound.
   *
   * @param pinned true for a segment that is wanted or being fetched
   * @returns what was dropped
   */
  evict(pinned: (segment: Segment) => boolean): Segment[] {
    if (!this.overfull) return []
    const dropped: Segment[] = []
    const oldestFirst = [...this.segments.values()].sort((a, b) => a.lastUsed - b.lastUsed)
    for (const segment of oldestFirst) {
      if (!this.overfull) break
      if (pinned(segment)) continue
      if (segment.buffer === null && this.segments.size <= MAX_SEGMENTS) continue
      this.delete(segment.key)
      dropped.push(segment)
    }
    return dropped
  }

  private get overfull(): boolean {
    return this.held > this.memoryBytes || this.segments.size > MAX_SEGMENTS
  }
}

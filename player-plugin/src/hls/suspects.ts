import { type SegmentId, segmentKey } from '@shoal/protocol'

/** Segments remembered at most; the oldest goes first. */
const MAX_SUSPECTS = 64

/**
 * Segments that hls.js could not make sense of. It tries them again by itself; the next try goes past
 * the swarm, so that what was wrong there lasts no longer than over plain HTTP.
 */
export class Suspects {
  readonly #keys = new Set<string>()

  add(segment: SegmentId): void {
    this.#keys.add(segmentKey(segment))
    for (const oldest of this.#keys) {
      if (this.#keys.size <= MAX_SUSPECTS) return
      this.#keys.delete(oldest)
    }
  }

  /** True where the segment is to be loaded past the swarm, this time. */
  take(segment: SegmentId): boolean {
    return this.#keys.delete(segmentKey(segment))
  }
}

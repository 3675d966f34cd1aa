import type { Millis } from '@shoal/protocol'
import type { WantedSegment } from '../runtime/swarm-api.js'
import type { Segment } from './segment.js'
import type { Want } from './want.js'

/**
 * A want that begins now.
 *
 * @param id negative for what nobody waits for yet
 * @param expectedBytes what the segment probably has; null where nothing is known
 */
export function makeWant(
  id: number,
  wanted: WantedSegment,
  segment: Segment,
  expectedBytes: number | null,
  now: Millis,
): Want {
  const ahead = id < 0
  const { sourcesAhead } = segment
  segment.sourcesAhead = ahead ? { ...segment.sources } : null
  return {
    id,
    ahead,
    wanted,
    segment,
    deadline: wanted.deadline,
    startedAt: now,
    progressAt: now,
    firstByteAt: null,
    http: null,
    httpError: null,
    httpRetryAt: 0,
    httpTries: 0,
    resumes: 0,
    silences: 0,
    sourcesBefore: sourcesAhead ?? { ...segment.sources },
    claimedAt: null,
    advanced: 0,
    orphans: null,
    peersSince: null,
    expectedBytes,
  }
}

/** What is wanted, by id. */
export class WantList {
  private readonly wants = new Map<number, Want>()

  add(want: Want): void {
    this.wants.set(want.id, want)
  }

  delete(id: number): void {
    this.wants.delete(id)
  }

  get size(): number {
    return this.wants.size
  }

  get(id: number): Want | undefined {
    return this.wants.get(id)
  }

  has(id: number): boolean {
    return this.wants.has(id)
  }

  all(): Iterable<Want> {
    return this.wants.values()
  }

  /** The wants of one segment, in a list of their own. */
  of(segment: Segment): Want[] {
    const wants: Want[] = []
    for (const want of this.wants.values()) if (want.segment === segment) wants.push(want)
    return wants
  }

  isWanted(segment: Segment): boolean {
    for (const want of this.wants.values()) if (want.segment === segment) return true
    return false
  }

  /** Earliest deadline first. */
  byDeadline(): Want[] {
    return [...this.wants.values()].sort((a, b) => a.deadline - b.deadline)
  }
}

import type { Millis } from '@shoal/protocol'
import type { Segment } from './segment.js'

/**
 * How long an origin that did not answer Range with the part asked for is asked for whole segments,
 * in milliseconds: a player may change to another CDN, whose ranges work.
 */
const REFUSED_MS = 600_000

/** What is known of an origin's answers to Range (RFC 9110 section 14: a server may ignore it). */
export class RangeSupport {
  private refusedUntil = 0
  private blamedFor: Segment | null = null

  /** True where a Range request may bring just what it asks for. */
  works(now: Millis): boolean {
    return now >= this.refusedUntil
  }

  /** The origin answered a Range request with everything. */
  ignored(now: Millis): void {
    this.refusedUntil = now + REFUSED_MS
    this.blamedFor = null
  }

  /** A part does not fit what is known of the segment: the origin's answer is wrong, or what is known. */
  blame(segment: Segment, now: Millis): void {
    this.refusedUntil = now + REFUSED_MS
    this.blamedFor = segment
  }

  /** What was known of the segment was wrong. */
  absolve(segment: Segment): void {
    if (this.blamedFor !== segment) return
    this.refusedUntil = 0
    this.blamedFor = null
  }
}

import type { Millis } from '@shoal/protocol'

/** Span of one minimum, and how many are kept: ten minutes (RFC 6817 section 4.2, BASE_HISTORY). */
const SPAN_MS = 60_000
const SPANS = 10

/**
 * Least delay of the last minutes: what a path takes with its queues empty. Older minima are dropped, so
 * that a new route counts.
 */
export class DelayHistory {
  /** Newest last. */
  private readonly minima: number[] = []
  private spanEnd = Number.NEGATIVE_INFINITY

  /** @param delay in milliseconds */
  add(delay: number, now: Millis): void {
    const newest = this.minima.length - 1
    if (now < this.spanEnd && newest >= 0) {
      this.minima[newest] = Math.min(this.minima[newest] ?? delay, delay)
      return
    }
    this.spanEnd = now + SPAN_MS
    this.minima.push(delay)
    if (this.minima.length > SPANS) this.minima.shift()
  }

  /** Milliseconds; Infinity before the first delay. */
  get base(): number {
    return Math.min(...this.minima)
  }
}

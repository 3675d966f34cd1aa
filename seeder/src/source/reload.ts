import { type Millis, millis } from '@shoal/protocol'

/**
 * Shortest wait between two loads of one playlist, in milliseconds: a playlist with a target duration
 * near zero must not turn the seeder into a load test of its origin.
 */
const MIN_RELOAD_MS = 100

/** Publication is known closely enough once it is known to this share of a target duration. */
const LOCKED_SHARE = 1 / 8

/** Added to where publication is expected at the latest, as a share of a target duration: encoders waver. */
const MARGIN_SHARE = 1 / 32

/** What is known of the moment of publication fades by this share of a segment with each one. */
const DRIFT_SHARE = 1 / 100

/** First wait after a load without the segment that was expected, as a share of a target duration; it doubles. */
const FIRST_RETRY_SHARE = 1 / 8

/** What one load of a live playlist has shown. */
export interface LoadSeen {
  /** When it began. */
  readonly began: Millis
  readonly targetDuration: Millis
  /** Media that it added, in milliseconds: 0 where it was unchanged. */
  readonly added: Millis
  /** Of the newest segment: the next one is expected to be as long. */
  readonly newest: Millis
}

/**
 * Chooses when a live playlist is loaded again, so that a segment is seen soon after it is published.
 *
 * RFC 8216 section 6.3.4 has a client wait a target duration after a load that brought something new: one
 * that began late in the cycle stays that late. So the moment of publication is narrowed down: it lies
 * between the last load without a segment and the first one with it, and the next ones follow at the
 * segments' durations. Until it is known to an eighth of a target duration the next load goes to the middle
 * of what is possible, half a target duration after the last at the earliest; from then on right behind it.
 *
 * The section has an unchanged playlist loaded again after half a target duration. Here that is an eighth
 * once, then a quarter, then the half: a segment is due any moment, a conditional request costs the origin
 * next to nothing, and one seeder asks on behalf of all viewers.
 */
export class ReloadTimer {
  /** The newest segment was published after `earliest`, and by `latest`. */
  private earliest: number | null = null
  private latest = 0
  /** When the last load began. */
  private last: number | null = null
  /** Loads in a row that brought nothing. */
  private misses = 0

  /** When the next load is due, on the clock of `LoadSeen.began`. */
  next({ began, targetDuration, added, newest }: LoadSeen): Millis {
    if (added > 0) this.published(began, targetDuration, added)
    this.last = began
    this.misses = added > 0 ? 0 : this.misses + 1
    const half = began + targetDuration / 2
    const doubt = this.latest - (this.earliest ?? Number.NEGATIVE_INFINITY)
    const due = this.latest + newest + targetDuration * MARGIN_SHARE
    if (this.earliest === null || this.misses > 0) {
      const retry = began + targetDuration * Math.min(1 / 2, FIRST_RETRY_SHARE * 2 ** (this.misses - 1))
      return millis(this.earliest === null ? half : Math.max(retry, due))
    }
    const aim = doubt > targetDuration * LOCKED_SHARE ? (this.earliest + this.latest) / 2 + newest : due
    return millis(Math.max(half, aim, began + MIN_RELOAD_MS))
  }

  /** Nothing is known any more: the stream began anew, or comes from elsewhere. */
  reset(): void {
    this.earliest = null
    this.last = null
    this.misses = 0
  }

  private published(began: number, targetDuration: number, added: number): void {
    const before = this.last ?? began - targetDuration
    const fade = added * DRIFT_SHARE
    const expectedFrom = this.earliest === null ? before : this.earliest + added - fade
    const expectedBy = this.earliest === null ? began : this.latest + added + fade
    this.earliest = Math.max(before, expectedFrom)
    this.latest = Math.min(began, expectedBy)
    if (this.earliest <= this.latest) return
    // It did not keep the time that was expected of it.
    this.earliest = before
    this.latest = began
  }
}

/** How long to wait from now, at least as long as is decent. */
export function waitUntil(due: Millis, now: Millis): Millis {
  return millis(Math.max(MIN_RELOAD_MS, due - now))
}

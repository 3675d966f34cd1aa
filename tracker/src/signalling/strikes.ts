import type { Millis } from '@shoal/protocol'

/**
 * Messages out of form that a socket may send in a burst before it is ended. A client with a bug
 * in one message of each announce stays far below; a fuzzer does not.
 */
const MAX_STRIKES = 100

/** One strike is forgiven each, in ms. */
const FORGIVE_MS = 1000

/** Leaky bucket of what a socket sent wrong. */
export class Strikes {
  private count = 0
  private since: number = 0

  /** Counts one more; true when that was one too many. */
  add(now: Millis): boolean {
    this.count = Math.max(0, this.count - (now - this.since) / FORGIVE_MS) + 1
    this.since = now
    return this.count > MAX_STRIKES
  }
}

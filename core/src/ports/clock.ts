import type { Millis } from '@shoal/protocol'

/** Time. The virtual clock of `@shoal/core/testing` is one, the host's timers another. */
export interface Clock {
  /** Milliseconds from any fixed origin; never goes back. */
  now(): Millis
  /** Calls back once after `delay`; the result cancels it. */
  setTimer(delay: Millis, callback: () => void): () => void
}

/** Chance: uniform in [0, 1). `Math.random` is one, a seeded generator another. */
export type Random = () => number

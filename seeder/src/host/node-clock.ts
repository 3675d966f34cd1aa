import { randomFillSync } from 'node:crypto'
import type { Clock, Random } from '@shoal/core'
import { millis } from '@shoal/protocol'

/** Longest delay of a Node timer, in milliseconds; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Time of this process, from a clock that never goes back. */
export const nodeClock: Clock = {
  now: () => millis(performance.now()),
  setTimer: (delay, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(0, delay), MAX_TIMER_MS))
    return () => clearTimeout(timer)
  },
}

/** Chance from the system's generator: peer ids must not be guessable. Drawn in batches. */
export function cryptoRandom(): Random {
  const pool = new Uint32Array(256)
  let next = pool.length
  return () => {
    if (next === pool.length) {
      randomFillSync(pool)
      next = 0
    }
    return (pool[next++] ?? 0) / 2 ** 32
  }
}

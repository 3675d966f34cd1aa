import { type Millis, millis } from '@shoal/protocol'

/** First wait after a failure, in milliseconds; each further failure doubles it. */
const BASE_MS = 500
/** Longest wait, in milliseconds: an origin that comes back is noticed within this. */
export const MAX_BACKOFF_MS = 15_000

/**
 * Wait before the next attempt, doubled with each failure, half of it random, so that seeders that
 * lost one origin together do not come back together.
 *
 * @param failures failures in a row, from 1
 * @param chance uniform in [0, 1)
 * @param limit longest wait
 */
export function backoffDelay(failures: number, chance: number, limit = MAX_BACKOFF_MS): Millis {
  const ceiling = Math.min(limit, BASE_MS * 2 ** Math.min(failures - 1, 16))
  return millis(ceiling / 2 + (ceiling / 2) * chance)
}

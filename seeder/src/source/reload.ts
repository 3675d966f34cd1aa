import { type Millis, millis } from '@shoal/protocol'

/**
 * Shortest wait between two loads of one playlist, in milliseconds: a playlist with a target duration
 * near zero must not turn the seeder into a load test of its origin.
 */
const MIN_RELOAD_MS = 100

/**
 * How long to wait before the next load of a live playlist.
 *
 * RFC 8216 section 6.3.4: a target duration after a load that brought something new, half of one
 * after a load that did not, both measured from when that load began.
 *
 * @param sinceLoadBegan how long ago the last load began
 */
export function reloadDelay(targetDuration: Millis, changed: boolean, sinceLoadBegan: Millis): Millis {
  const interval = changed ? targetDuration : targetDuration / 2
  return millis(Math.max(MIN_RELOAD_MS, interval - sinceLoadBegan))
}

import type { Clock, Swarm } from '@shoal/core'
import { millis } from '@shoal/protocol'
import type { Logger } from '../log.js'

/** How often the tracker's state is looked at, in milliseconds: it is for the log alone. */
const INTERVAL_MS = millis(1_000)

/**
 * Says once that no tracker can be reached or that it refuses the seeder, and once that all is well again.
 * Returns what ends it.
 */
export function watchTracker(
  clock: Clock,
  swarm: Swarm,
  log: Logger,
  trackers: readonly string[],
): () => void {
  let said: 'connected' | 'unreachable' | null = null
  let refused: string | null = null
  let cancel = () => {}
  const look = () => {
    const { tracker, refusal } = swarm.snapshot()
    if (refusal !== refused) {
      if (refusal === null) log.info({ trackers }, 'the tracker lets the seeder in')
      else log.warn({ trackers, code: refusal }, 'the tracker refuses the seeder')
      refused = refusal
    }
    if (tracker === 'unreachable' && said !== 'unreachable') {
      said = 'unreachable'
      log.warn({ trackers }, 'no tracker can be reached: trying again')
    } else if (tracker === 'connected' && said !== 'connected') {
      log.info({ trackers }, said === null ? 'connected to the tracker' : 'the tracker is back')
      said = 'connected'
    }
    cancel = clock.setTimer(INTERVAL_MS, look)
  }
  cancel = clock.setTimer(INTERVAL_MS, look)
  return () => cancel()
}

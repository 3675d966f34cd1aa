import type { Clock } from '@shoal/core'
import type { Millis } from '@shoal/protocol'

/** Waits on a clock; an abort ends the wait early, without an error. */
export function sleep(clock: Clock, delay: Millis, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.setTimer(delay, done)
    signal.addEventListener('abort', done)
  })
}

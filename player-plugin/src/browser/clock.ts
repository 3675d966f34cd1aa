import type { Clock } from '@shoal/core'
import { millis } from '@shoal/protocol'

/** Time of the page, on the same origin as the timings in hls.js's loader stats. */
export const browserClock: Clock = {
  now: () => millis(performance.now()),
  setTimer(delay, callback) {
    const timer = setTimeout(callback, delay)
    return () => clearTimeout(timer)
  },
}

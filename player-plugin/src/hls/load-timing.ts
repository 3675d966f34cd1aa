/** Timings that hls.js's bandwidth estimator reads, in milliseconds of `performance.now()`. */
export interface LoadTiming {
  readonly start: number
  readonly first: number
  readonly end: number
}

export interface FinishedLoad {
  readonly bytes: number
  /** Real timings of the load. */
  readonly real: LoadTiming
  /** True where every byte came by HTTP for this load. */
  readonly httpOnly: boolean
  /** When the first HTTP request went out and its first byte came, or null without one. */
  readonly http: { readonly start: number; readonly first: number } | null
  /** Sustainable transfer rate in bytes per second, or null where nothing is known. */
  readonly rate: number | null
  /** The estimator's own time to first byte, in milliseconds. */
  readonly ttfb: number
}

/**
 * Timings from which the estimator learns a rate that can be kept up.
 *
 * It samples bytes / (end - start - time to first byte). A segment from memory would read as
 * hundreds of Mbit/s and send playback to a quality that nobody holds; one that deliberately waited
 * for peers would read as a slow network. So bytes of peers are told at the measured rate of real
 * transfers, and HTTP from when the request was made.
 */
export function timingForEstimator(load: FinishedLoad): LoadTiming {
  const { real, http, rate, ttfb } = load
  if (load.httpOnly) return { ...real, start: http?.start ?? real.start, first: http?.first ?? real.first }
  if (rate === null || !(rate > 0)) return real
  const first = real.end - (load.bytes / rate) * 1000
  return { start: first - ttfb, first, end: real.end }
}

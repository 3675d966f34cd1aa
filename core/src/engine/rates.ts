import type { Millis } from '@shoal/protocol'

/** Half-lives of the two averages, in milliseconds (as in swarm-algorithms: 3 s and 9 s of transfer). */
const FAST_HALF_LIFE_MS = 3_000
const SLOW_HALF_LIFE_MS = 9_000

/**
 * Rate of a source in bytes per second, from transfers: two averages weighted by the time that a
 * transfer took, of which the smaller counts, so that a rate falls quickly and rises slowly.
 * The method of hls.js's and Shaka's bandwidth estimators.
 */
export class TransferRate {
  private fast = 0
  private slow = 0
  private weight = 0
  /** Average of the squared rates, as slow as the slow one. */
  private squares = 0
  /** The value until the next sample: it is asked for far more often than it changes. */
  private known: number | null = null

  /** One transfer: `bytes` in `elapsed` of busy time. */
  sample(bytes: number, elapsed: Millis): void {
    // Timers are coarse (1 ms and worse): a shorter time measures the clock, not the source.
    const duration = Math.max(elapsed, 1)
    const rate = (bytes * 1000) / duration
    const alphaFast = 0.5 ** (duration / FAST_HALF_LIFE_MS)
    const alphaSlow = 0.5 ** (duration / SLOW_HALF_LIFE_MS)
    this.fast = this.fast * alphaFast + rate * (1 - alphaFast)
    this.slow = this.slow * alphaSlow + rate * (1 - alphaSlow)
    this.squares = this.squares * alphaSlow + rate * rate * (1 - alphaSlow)
    this.weight += duration
    this.known = this.current()
  }

  /** Bytes per second, or null before the first transfer. */
  get value(): number | null {
    return this.known
  }

  /** Standard deviation of the transfers' rates in bytes per second, or null before the first. */
  get deviation(): number | null {
    if (this.weight === 0) return null
    const seen = 1 - 0.5 ** (this.weight / SLOW_HALF_LIFE_MS)
    return Math.sqrt(Math.max(0, this.squares / seen - (this.slow / seen) ** 2))
  }

  private current(): number {
    // Both averages began at 0: divide by the share of the weight that they have seen.
    const fast = this.fast / (1 - 0.5 ** (this.weight / FAST_HALF_LIFE_MS))
    const slow = this.slow / (1 - 0.5 ** (this.weight / SLOW_HALF_LIFE_MS))
    return Math.min(fast, slow)
  }
}

/** Smoothed round-trip time and its variation (RFC 6298 section 2). */
export class RoundTrip {
  private smoothed: number | null = null
  private variation = 0

  sample(elapsed: Millis): void {
    if (this.smoothed === null) {
      this.smoothed = elapsed
      this.variation = elapsed / 2
      return
    }
    this.variation = 0.75 * this.variation + 0.25 * Math.abs(this.smoothed - elapsed)
    this.smoothed = 0.875 * this.smoothed + 0.125 * elapsed
  }

  /** Milliseconds, or null before the first sample. */
  get value(): number | null {
    return this.smoothed
  }

  /** Time after which an answer is late, in milliseconds, not below `floor`. */
  timeout(floor: number, unknown: number): number {
    return this.smoothed === null ? unknown : Math.max(floor, this.smoothed + 4 * this.variation)
  }
}

/** Bytes per second allowed, with a burst; time is handed in. */
export class TokenBucket {
  private tokens: number
  private at: number | null = null
  private readonly rate: number
  private readonly burst: number

  /** @param rate bytes per second, Infinity for no limit; @param burst bytes at once */
  constructor(rate: number, burst: number) {
    this.rate = rate
    this.burst = burst
    this.tokens = burst
  }

  /** True where `bytes` may pass now; then they are taken. */
  take(bytes: number, now: Millis): boolean {
    if (this.rate === Number.POSITIVE_INFINITY) return true
    if (this.at !== null)
      this.tokens = Math.min(this.burst, this.tokens + ((now - this.at) * this.rate) / 1000)
    this.at = now
    if (this.tokens < bytes) return false
    this.tokens -= bytes
    return true
  }

  /** Milliseconds until `bytes` may pass. */
  wait(bytes: number): number {
    if (this.rate === Number.POSITIVE_INFINITY || this.tokens >= bytes) return 0
    return ((bytes - this.tokens) * 1000) / this.rate
  }
}

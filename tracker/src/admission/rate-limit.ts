/**
 * Bound on a rate, with a burst: the generic cell rate algorithm (ITU-T I.371), which is a token
 * bucket that needs one number a subject: the time at which its bucket is full again.
 */
export class RateLimit {
  private readonly msPerUnit: number
  private readonly burstMs: number

  /**
   * @param perSecond units that may pass in a second over a long time
   * @param burstSeconds a silent subject may spend the units of so many seconds at once
   */
  constructor(perSecond: number, burstSeconds: number) {
    this.msPerUnit = 1000 / perSecond
    this.burstMs = burstSeconds * 1000
  }

  /**
   * Lets `units` pass or not. What is larger than the whole burst passes when the bucket is full:
   * it would never pass else.
   *
   * @param fullAt what the last call for this subject returned; 0 before the first
   * @param now ms on the clock of `fullAt`
   * @returns the new time, or null when it must not pass (nothing is taken then)
   */
  take(fullAt: number, units: number, now: number): number | null {
    const cost = Math.min(units * this.msPerUnit, this.burstMs)
    const next = Math.max(fullAt, now) + cost
    return next - now > this.burstMs ? null : next
  }
}

/** Who is counted at most; the one counted first makes room. */
const MAX_COUNTED = 50_000

interface Count {
  used: number
  until: number
}

/** So many times in so much time, for each key. Time is handed in, in ms. */
export class Allowance<K> {
  private readonly times: number
  private readonly periodMs: number
  private readonly counts = new Map<K, Count>()

  constructor(times: number, periodMs: number) {
    this.times = times
    this.periodMs = periodMs
  }

  get size(): number {
    return this.counts.size
  }

  has(key: K, now: number): boolean {
    const count = this.counts.get(key)
    return count === undefined || count.until <= now || count.used < this.times
  }

  spend(key: K, now: number): void {
    const count = this.counts.get(key)
    if (count !== undefined && count.until > now) {
      count.used++
      return
    }
    this.counts.delete(key)
    this.counts.set(key, { used: 1, until: now + this.periodMs })
    if (this.counts.size <= MAX_COUNTED) return
    for (const first of this.counts.keys()) {
      this.counts.delete(first)
      return
    }
  }

  expire(now: number): void {
    for (const [key, { until }] of this.counts) if (until <= now) this.counts.delete(key)
  }
}

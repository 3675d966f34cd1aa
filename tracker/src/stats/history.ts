import type { StatsSample, SwarmTotals } from '@shoal/protocol'

/** Samples kept, one a second: ten minutes, what the dashboard draws. */
export const HISTORY_SAMPLES = 600

/** What the tracker knows at the moment of a sample. */
export interface HistoryInput {
  readonly viewers: number
  readonly seeders: number
  readonly totals: SwarmTotals
}

/** The last ten minutes of the whole tracker, in a ring. */
export class History {
  private readonly ring: StatsSample[] = []
  private next = 0
  private last: { readonly at: number; readonly totals: SwarmTotals } | null = null

  /**
   * Takes a sample. Rates are over the time since the sample before; the first one has none.
   *
   * @param at milliseconds since 1970
   */
  take(at: number, input: HistoryInput): StatsSample {
    const last = this.last
    // A clock that was set back gives no rate, rather than a negative or an endless one.
    const seconds = last === null ? 0 : (at - last.at) / 1000
    const rate = (key: keyof SwarmTotals): number =>
      last === null || seconds <= 0 ? 0 : Math.round((input.totals[key] - last.totals[key]) / seconds)
    const sample: StatsSample = {
      at,
      viewers: input.viewers,
      seeders: input.seeders,
      httpRate: rate('httpBytes'),
      peerRate: rate('peerBytes'),
      seederRate: rate('seederBytes'),
    }
    this.last = { at, totals: { ...input.totals } }
    this.ring[this.next] = sample
    this.next = (this.next + 1) % HISTORY_SAMPLES
    return sample
  }

  /** Oldest first. */
  samples(): StatsSample[] {
    if (this.ring.length < HISTORY_SAMPLES) return [...this.ring]
    return [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)]
  }
}

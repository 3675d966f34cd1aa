/** Bins for each doubling of the uplink: a median that is 5 % off at most. */
const BINS_PER_OCTAVE = 8

/** Slowest uplink that is told apart, in bytes per second; 2^20.3 times that is the fastest of all. */
const LOWEST = 1000

const BINS = 21 * BINS_PER_OCTAVE

/** Uplinks that must be known before their median is told: with fewer it tells one viewer's. */
export const MIN_UPLINKS = 5

/** Bin of an uplink in bytes per second. */
export function uplinkBin(bytesPerSecond: number): number {
  if (!(bytesPerSecond > LOWEST)) return 0
  return Math.min(BINS - 1, Math.floor(Math.log2(bytesPerSecond / LOWEST) * BINS_PER_OCTAVE))
}

/**
 * The uplinks of a swarm's viewers as a histogram with a logarithmic scale: a change costs O(1), the
 * median a walk over the bins.
 */
export class Uplinks {
  /** Viewers that serve others, whether or not they have told their uplink. */
  eligible = 0
  private known = 0
  /** Made when the first uplink is told. */
  private bins: Uint32Array | null = null
  private median: number | null = 0

  /** @param bin -1 where no uplink is known */
  add(bin: number): void {
    this.count(bin, 1)
  }

  remove(bin: number): void {
    this.count(bin, -1)
  }

  /** Median in bytes per second, a whole number; 0 while too few are known. */
  get medianBytesPerSecond(): number {
    this.median ??= this.findMedian()
    return this.median
  }

  private count(bin: number, step: 1 | -1): void {
    this.eligible += step
    if (bin < 0) return
    this.bins ??= new Uint32Array(BINS)
    this.bins[bin] = (this.bins[bin] ?? 0) + step
    this.known += step
    this.median = null
  }

  private findMedian(): number {
    if (this.known < MIN_UPLINKS || this.bins === null) return 0
    const half = this.known / 2
    let below = 0
    for (let bin = 0; bin < BINS; bin++) {
      below += this.bins[bin] ?? 0
      // The middle of the bin, on its own scale.
      if (below >= half) return Math.round(LOWEST * 2 ** ((bin + 0.5) / BINS_PER_OCTAVE))
    }
    return 0
  }
}

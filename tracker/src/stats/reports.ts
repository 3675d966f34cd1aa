import type { PeerReport } from '@shoal/protocol'
import type { ReportDelta } from './totals.js'

/**
 * Fastest that a peer is believed to move bytes, in bytes per second, per counter: 10 Gbit/s. What
 * a report claims beyond it is not counted, so that one liar cannot drown the sums at once.
 */
const MAX_BYTES_PER_SECOND = 1.25e9

/** Stalls per second that are believed: a player needs some time to stall again. */
const MAX_STALLS_PER_SECOND = 2

/** Time that the first report is taken to cover at least, in ms: the byte counters began before it. */
const MIN_COVERED_MS = 10_000

export interface ReportStep {
  /** What is new since the last report. */
  readonly delta: ReportDelta
  /** What the next report is compared with. */
  readonly baseline: PeerReport
}

/**
 * Turns a peer's cumulative report into what is new.
 *
 * Counters only grow: a lower value (reports out of order, a page that began anew with the same peer
 * id) counts nothing and leaves the baseline where it is.
 *
 * @param last the baseline; null before the first report
 * @param elapsedMs since the last report, or since the peer joined
 */
export function stepReport(last: PeerReport | null, next: PeerReport, elapsedMs: number): ReportStep {
  const seconds = Math.max(elapsedMs, MIN_COVERED_MS) / 1000
  const grown = (key: keyof ReportDelta, perSecond: number): number =>
    Math.min(Math.max(0, next[key] - (last?.[key] ?? 0)), perSecond * seconds)
  const highest = (key: keyof ReportDelta): number => Math.max(last?.[key] ?? 0, next[key])
  return {
    delta: {
      http: grown('http', MAX_BYTES_PER_SECOND),
      peers: grown('peers', MAX_BYTES_PER_SECOND),
      seeders: grown('seeders', MAX_BYTES_PER_SECOND),
      uploaded: grown('uploaded', MAX_BYTES_PER_SECOND),
      stalls: grown('stalls', MAX_STALLS_PER_SECOND),
    },
    baseline: {
      http: highest('http'),
      peers: highest('peers'),
      seeders: highest('seeders'),
      uploaded: highest('uploaded'),
      stalls: highest('stalls'),
      links: next.links,
    },
  }
}

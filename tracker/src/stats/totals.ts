import type { PeerReport, SwarmTotals } from '@shoal/protocol'

/** Sums that are added to in place. */
export type RunningTotals = { -readonly [K in keyof SwarmTotals]: SwarmTotals[K] }

export function emptyTotals(): RunningTotals {
  return { httpBytes: 0, peerBytes: 0, seederBytes: 0, uploadedBytes: 0, stalls: 0 }
}

/** What a peer did between two reports. */
export type ReportDelta = Omit<PeerReport, 'links'>

export function addDelta(totals: RunningTotals, delta: ReportDelta): void {
  totals.httpBytes += delta.http
  totals.peerBytes += delta.peers
  totals.seederBytes += delta.seeders
  totals.uploadedBytes += delta.uploaded
  totals.stalls += delta.stalls
}

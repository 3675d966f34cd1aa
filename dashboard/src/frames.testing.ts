import type { FeedFrame, StatsSample, SwarmStats, TrackerStats } from '@shoal/protocol'

/** Frames for tests: everything zero but what the test is about. */
export function statsFrame(
  stats: Partial<TrackerStats>,
  sample: Partial<StatsSample> = {},
): Extract<FeedFrame, { type: 'stats' }> {
  return {
    type: 'stats',
    stats: {
      version: '0.1.0',
      engine: 'uws',
      uptimeSeconds: 12.5,
      sockets: 4,
      totals: { httpBytes: 0, peerBytes: 0, seederBytes: 0, uploadedBytes: 0, stalls: 0 },
      viewers: 0,
      seeders: 0,
      others: 0,
      swarms: stats.top?.length ?? 0,
      top: [],
      ...stats,
    },
    sample: sampleAt(1000, sample),
  }
}

export function sampleAt(at: number, sample: Partial<StatsSample> = {}): StatsSample {
  return { at, viewers: 0, seeders: 0, httpRate: 0, peerRate: 0, seederRate: 0, ...sample }
}

export function swarm(values: Partial<SwarmStats>): SwarmStats {
  return {
    infoHash: '0'.repeat(40),
    name: null,
    viewers: 0,
    seeders: 0,
    others: 0,
    httpBytes: 0,
    peerBytes: 0,
    seederBytes: 0,
    uploadedBytes: 0,
    stalls: 0,
    ...values,
  }
}

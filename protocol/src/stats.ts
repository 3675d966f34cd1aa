/** What players and seeders report, and what the tracker's `/stats.json` and dashboard feed say. */

/**
 * Cumulative counters of one peer since it joined, in bytes unless said otherwise. Cumulative, so
 * that a lost or repeated report changes nothing.
 */
export interface PeerReport {
  /** Media bytes that came from the origin by HTTP. */
  readonly http: number
  /** Media bytes that came from other viewers, verified. */
  readonly peers: number
  /** Media bytes that came from seeders, verified. */
  readonly seeders: number
  /** Media bytes served to others. */
  readonly uploaded: number
  /** Open connections now (a count, not cumulative). */
  readonly links: number
  /** Playback stalls after the start (a count). */
  readonly stalls: number
}

/** Sums over peers, those that have left included. */
export interface SwarmTotals {
  readonly httpBytes: number
  readonly peerBytes: number
  readonly seederBytes: number
  readonly uploadedBytes: number
  readonly stalls: number
}

/** One swarm now. */
export interface SwarmStats extends SwarmTotals {
  /** 40 hexadecimal digits. */
  readonly infoHash: string
  /** What its seeder calls it; null without a seeder. */
  readonly name: string | null
  readonly viewers: number
  readonly seeders: number
  /** Peers that do not speak Shoal: stock WebTorrent clients. */
  readonly others: number
}

/** One second of the whole tracker. */
export interface StatsSample {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly viewers: number
  readonly seeders: number
  /** Rates over the second before `at`, in bytes per second, as reported. */
  readonly httpRate: number
  readonly peerRate: number
  readonly seederRate: number
}

/** The answer of `/stats.json`; the dashboard's feed sends the same, MessagePack-encoded. */
export interface TrackerStats {
  readonly version: string
  readonly engine: 'uws' | 'ws'
  readonly uptimeSeconds: number
  readonly sockets: number
  readonly totals: SwarmTotals
  readonly viewers: number
  readonly seeders: number
  readonly others: number
  /** Number of swarms; `top` holds at most 50 of them, most viewers first. */
  readonly swarms: number
  readonly top: readonly SwarmStats[]
}

/** Frames of the dashboard's feed, one MessagePack value per WebSocket message. */
export type FeedFrame =
  | { readonly type: 'history'; readonly samples: readonly StatsSample[] }
  | { readonly type: 'stats'; readonly stats: TrackerStats; readonly sample: StatsSample }

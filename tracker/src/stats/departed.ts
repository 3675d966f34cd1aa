import type { InfoHash, Millis, PeerId, PeerReport } from '@shoal/protocol'

/** Departed peers whose last report is remembered, about 300 bytes each. */
const MAX_DEPARTED = 10_000

/** How long it is remembered, in ms: a laptop that slept over lunch. */
const DEPARTED_LIFE_MS = 3_600_000

interface Departure {
  readonly report: PeerReport
  readonly until: number
}

/**
 * Last reports of peers that left. Reports are cumulative since the peer joined: without this, one
 * that lost its socket and came back would have its bytes counted twice.
 */
export class DepartedReports {
  private readonly departures = new Map<string, Departure>()

  get size(): number {
    return this.departures.size
  }

  remember(infoHash: InfoHash, peerId: PeerId, report: PeerReport, now: Millis): void {
    const key = infoHash + peerId
    this.departures.delete(key)
    this.departures.set(key, { report, until: now + DEPARTED_LIFE_MS })
    for (const oldest of this.departures.keys()) {
      if (this.departures.size <= MAX_DEPARTED) return
      this.departures.delete(oldest)
    }
  }

  /** The peer is back: what it last reported, or null. */
  take(infoHash: InfoHash, peerId: PeerId): PeerReport | null {
    const key = infoHash + peerId
    const departure = this.departures.get(key)
    this.departures.delete(key)
    return departure?.report ?? null
  }

  /** Forgets the old ones: they are the first. */
  expire(now: Millis): void {
    for (const [key, { until }] of this.departures) {
      if (until > now) return
      this.departures.delete(key)
    }
  }
}

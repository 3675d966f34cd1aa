import type { Millis, SegmentId, TrackId } from '@shoal/protocol'
import type { WantedSegment } from '../runtime/swarm-api.js'
import type { Peer } from './peer.js'

/** Segments ahead of the newest that the host wanted: at a live edge there are hardly more. */
const LIVE_DEPTH = 2
/** On demand: media time ahead, in milliseconds, and segments at most. */
const VOD_AHEAD_MS = 30_000
const VOD_DEPTH = 6

/** Tracks that are looked ahead on at most; the one played longest ago goes first. */
const MAX_TRACKS = 8

/** Where the host is on a track. */
interface Position {
  readonly wanted: WantedSegment
  /** Nothing is fetched ahead after this: the host has turned to another track, or away. */
  readonly until: number
}

/**
 * What the host will want next: from peers alone, so that it costs the origin nothing.
 *
 * A player loads one segment after the other. Whoever is behind with one would otherwise neither fetch
 * nor relay the next, and a whole swarm that waits for the same last pieces leaves its uplinks idle.
 */
export class Prefetch {
  private readonly positions = new Map<TrackId, Position>()

  /** The host wants a segment. */
  wanted(wanted: WantedSegment, now: Millis): void {
    const { track, sequence, part } = wanted.segment
    if (part !== null) return
    const before = this.positions.get(track)
    // A playlist of ranges alone says where the next one lies.
    if (wanted.range !== null) this.positions.delete(track)
    else if (before === undefined || sequence !== before.wanted.segment.sequence) {
      this.positions.delete(track)
      const until = Math.max(now, wanted.deadline) + 2 * wanted.duration
      this.positions.set(track, { wanted, until })
    }
    const oldest = this.positions.keys().next().value
    if (this.positions.size > MAX_TRACKS && oldest !== undefined) this.positions.delete(oldest)
  }

  /** Segments that some peer offers and that come next, the soonest first on each track. */
  next(peers: readonly Peer[], now: Millis): WantedSegment[] {
    const ahead: WantedSegment[] = []
    for (const { wanted, until } of this.positions.values()) {
      if (now > until) continue
      const { segment, deadline, duration, live } = wanted
      const depth = live ? LIVE_DEPTH : Math.min(VOD_DEPTH, Math.floor(VOD_AHEAD_MS / Math.max(1, duration)))
      for (let step = 1; step <= depth; step++) {
        const id: SegmentId = { ...segment, sequence: segment.sequence + step }
        if (!peers.some((peer) => peer.usable(now) && peer.have.piecesOf(id) !== null)) continue
        const later = (Math.max(now, deadline) + step * duration) as Millis
        ahead.push({ segment: id, range: null, deadline: later, duration, live })
      }
    }
    return ahead
  }
}

import type { Millis, SegmentId, TrackId } from '@shoal/protocol'
import type { WantedSegment } from '../runtime/swarm-api.js'
import type { Peer } from './peer.js'

/** Segments ahead of the newest that the host wanted: at a live edge there are hardly more. */
const LIVE_DEPTH = 2
/** On demand: media time ahead, in milliseconds, and segments at most. */
const VOD_AHEAD_MS = 30_000
const VOD_DEPTH = 6

/**
 * On demand, one segment in five that is fetched ahead is the one that fewest neighbours hold of the next
 * five minutes: it may be gone with the next of them (swarm-algorithms, "When to use HTTP").
 */
const RARE_EVERY = 5
const RARE_AHEAD_MS = 300_000
const RARE_DEPTH = 75

/** Tracks that are looked ahead on at most; the one played longest ago goes first. */
const MAX_TRACKS = 8

/** Where the host is on a track. */
interface Position {
  readonly wanted: WantedSegment
  /** Nothing is fetched ahead after this: the host has turned to another track, or away. */
  readonly until: number
  /** Segments played since the last rare one was chosen. */
  readonly played: number
  /** How many segments ahead of this one the rare one lies; null before it is looked for, 0: there is none. */
  rare: number | null
  /** What lies ahead of it, by place; filled as it is looked at, which is often. */
  readonly ahead: SegmentId[]
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
      const played = before === undefined ? 1 : (before.played % RARE_EVERY) + 1
      this.positions.set(track, {
        wanted,
        until,
        played,
        rare: played === RARE_EVERY ? null : rest(before, sequence),
        ahead: [],
      })
    }
    const oldest = this.positions.keys().next().value
    if (this.positions.size > MAX_TRACKS && oldest !== undefined) this.positions.delete(oldest)
  }

  /** Segments that some peer offers and that come next, the soonest first on each track. */
  next(peers: readonly Peer[], now: Millis): WantedSegment[] {
    const ahead: WantedSegment[] = []
    for (const position of this.positions.values()) {
      const { wanted, until } = position
      if (now > until) continue
      const { segment, deadline, duration, live } = wanted
      const depth = live ? LIVE_DEPTH : Math.min(VOD_DEPTH, Math.floor(VOD_AHEAD_MS / Math.max(1, duration)))
      if (!live) position.rare ??= rarestStep(wanted, depth, peers, now)
      const rare = live || (position.rare ?? 0) <= depth ? null : position.rare
      for (let step = 1; step <= depth + 1; step++) {
        const distance = step <= depth ? step : rare
        if (distance === null) break
        const id = position.ahead[step] ?? after(segment, distance)
        position.ahead[step] = id
        if (!isHeld(id, peers, now)) continue
        const later = (Math.max(now, deadline) + distance * duration) as Millis
        ahead.push({ segment: id, range: null, deadline: later, duration, live })
      }
    }
    return ahead
  }
}

function after(segment: SegmentId, step: number): SegmentId {
  return { ...segment, sequence: segment.sequence + step }
}

function isHeld(id: SegmentId, peers: readonly Peer[], now: Millis): boolean {
  for (const peer of peers) if (peer.usable(now) && peer.have.piecesOf(id) !== null) return true
  return false
}

function holdersOf(id: SegmentId, peers: readonly Peer[], now: Millis): number {
  let holders = 0
  for (const peer of peers) if (peer.usable(now) && peer.have.piecesOf(id) !== null) holders++
  return holders
}

/** How far ahead, beyond `depth`, the segment lies that fewest peers hold; 0 where they hold none. */
function rarestStep(wanted: WantedSegment, depth: number, peers: readonly Peer[], now: Millis): number {
  const steps = Math.min(RARE_DEPTH, Math.floor(RARE_AHEAD_MS / Math.max(1, wanted.duration)))
  let rarest = 0
  let fewest = Number.POSITIVE_INFINITY
  for (let step = depth + 1; step <= steps; step++) {
    const holders = holdersOf(after(wanted.segment, step), peers, now)
    if (holders > 0 && holders < fewest) {
      rarest = step
      fewest = holders
    }
  }
  return rarest
}

/** The rare segment of the position before, as seen from the one that is played now. */
function rest(before: Position | undefined, sequence: number): number {
  const rare = before?.rare ?? 0
  if (before === undefined || rare === 0) return 0
  const step = before.wanted.segment.sequence + rare - sequence
  // The host has jumped.
  return step > RARE_DEPTH ? 0 : step
}

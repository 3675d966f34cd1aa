import { type Millis, type PeerId, type SegmentId, segmentKey, trackIdOf } from '@shoal/protocol'

/** In place of the time when a claim was heard: whoever claimed is gone, or taken for it. */
const GONE = Number.NEGATIVE_INFINITY as Millis

/** Segments whose claims are remembered at most; the one heard of first goes. */
const MAX_SEGMENTS = 64

/** Claims that are remembered for one segment; more only come from somebody who makes them up. */
const MAX_CLAIMS = 8

/** Claims for segments that we do not want yet are said on as far ahead as this, in segments. */
const LOOK_AHEAD = 3

/** Swarms larger than these get one leader more each: one uplink takes too long to feed them in time. */
const SEAT_SIZES = [50, 500]

/** Leaders more where one died: what is left of the time asks for more uplinks at once. */
const LATE_SEATS = 2

/** Segments for which whoever led lets others go first. */
const RECENT_SEGMENTS = 3

/**
 * How long a claim holds while nothing of the segment is seen: this share of the time left, within
 * these bounds in milliseconds. After it the claimant is taken for dead and somebody else may lead.
 */
const BELIEF_SHARE = 0.3
const MIN_BELIEF_MS = 1_500
const MAX_BELIEF_MS = 8_000

/**
 * Who fetches a live segment from the origin: a claim floods the swarm before the fetch begins, and of
 * several claims the lowest place wins, in a large swarm the lowest two or three.
 *
 * Every viewer has another place in the order of every segment, a hash of (segment, peer id), uniform in
 * 32 bits. Whoever wants to fetch says its claim to all neighbours, waits until it would have heard a
 * lower one (see `http-rules`), and gives way to that. A claim is said on once by each viewer, and only
 * where it may be one of those that win, so that it reaches everybody in as many hops as the mesh is wide,
 * however little of the swarm each one sees.
 */
export class Election {
  private readonly self: PeerId
  /** By segment key: places of others, with the time when each was first heard. */
  private readonly claims = new Map<string, Map<number, Millis>>()
  /** The last segment that we led, by sequence number. */
  private led: number | null = null
  /** How many may lead: one copy of the origin more each, and the first one is out that much sooner. */
  private seats = 1
  /** At least so many, where one alone is not believed. */
  leastSeats = 1
  /** By track: the newest sequence number that was wanted live here. */
  private readonly edges = new Map<number, number>()

  constructor(self: PeerId) {
    this.self = self
  }

  /** Our own place for a segment. */
  place(key: string): number {
    return placeOf(key, this.self)
  }

  /** The segment is wanted here at the live edge: claims for it and for those that follow matter. */
  wanted(id: SegmentId): void {
    const edge = this.edges.get(id.track)
    if (edge !== undefined && edge >= id.sequence) return
    // Map order is age: a track that was last played long ago goes first.
    this.edges.delete(id.track)
    this.edges.set(id.track, id.sequence)
    const oldest = this.edges.keys().next().value
    if (this.edges.size > MAX_SEGMENTS && oldest !== undefined) this.edges.delete(oldest)
  }

  /** Members of the whole swarm, ourselves included. */
  set swarmSize(members: number) {
    this.seats = 1 + SEAT_SIZES.filter((size) => members > size).length
  }

  /** We fetch this segment from the origin for everybody. */
  leads(id: SegmentId): void {
    this.led = id.sequence
  }

  /** True where we led one of the last segments before this one: somebody else's turn. */
  ledLately(id: SegmentId): boolean {
    return this.led !== null && id.sequence > this.led && id.sequence <= this.led + RECENT_SEGMENTS
  }

  /** Takes a claim. True where it is news that neighbours must hear too. */
  heard(id: SegmentId, place: number, now: Millis): boolean {
    const edge = this.edges.get(id.track)
    if (edge === undefined || id.sequence < edge || id.sequence > edge + LOOK_AHEAD) return false
    const key = segmentKey(id)
    if (place === this.place(key)) return false
    let claims = this.claims.get(key)
    if (claims === undefined) {
      claims = new Map()
      this.claims.set(key, claims)
      const oldest = this.claims.keys().next().value
      if (this.claims.size > MAX_SEGMENTS && oldest !== undefined) this.claims.delete(oldest)
    }
    if (claims.has(place) || claims.size >= MAX_CLAIMS) return false
    let lower = 0
    for (const [other, heardAt] of claims) if (other < place && heardAt !== GONE) lower++
    claims.set(place, now)
    return lower < this.seatsOf(claims)
  }

  /** A peer is gone: what it said that it would fetch is free. */
  gone(peerId: PeerId): void {
    for (const [key, claims] of this.claims) {
      const place = placeOf(key, peerId)
      if (claims.has(place)) claims.set(place, GONE)
    }
  }

  /**
   * Place of the last of those that lead by the claims of others that still hold; null while a seat is
   * free. `deadline`: of our want.
   */
  leader(key: string, deadline: Millis, now: Millis): number | null {
    const claims = this.claims.get(key)
    if (claims === undefined) return null
    const places: number[] = []
    for (const [place, heardAt] of claims) {
      if (heardAt === GONE) continue
      const belief = clamp((deadline - heardAt) * BELIEF_SHARE, MIN_BELIEF_MS, MAX_BELIEF_MS)
      if (now - heardAt < belief) places.push(place)
      else claims.set(place, GONE)
    }
    return places.sort((a, b) => a - b)[this.seatsOf(claims) - 1] ?? null
  }

  private seatsOf(claims: ReadonlyMap<number, Millis>): number {
    const seats = Math.max(this.seats, this.leastSeats)
    for (const heardAt of claims.values()) if (heardAt === GONE) return seats + LATE_SEATS
    return seats
  }
}

/** A viewer's place in the order of a segment, uniform in 32 bits. */
export function placeOf(key: string, peerId: PeerId): number {
  // FNV-1a mixes the last characters poorly into the high bits: MurmurHash3's finaliser does.
  let hash: number = trackIdOf(`${key}|${peerId}`)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}

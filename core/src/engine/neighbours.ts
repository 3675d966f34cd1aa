import type { Millis } from '@shoal/protocol'
import type { Random } from '../ports/clock.js'
import type { SwarmOptions } from '../runtime/swarm-api.js'
import { Liveness } from './liveness.js'
import type { Peer } from './peer.js'
import { cheapness, muchCheaper } from './provider-choice.js'

/**
 * Share of `maxLinks` up to which connections are sought; from there to all of them they are only
 * accepted. 12 to 16 neighbours on a desktop, 6 to 8 on a phone: a mesh of 12 is within 0.1 points of
 * the best offload, and the rest is room for who comes later.
 */
const LOW_WATER_SHARE = 0.75

/** Time between two replacements, and before a neighbour can be judged, in milliseconds. */
const REPLACE_EVERY_MS = 30_000
const MIN_AGE_MS = 30_000

/**
 * The same where somebody is costly who can be known by what the tracker said: sooner, for as long as
 * that makes the costly ones fewer.
 */
const REPLACE_COSTLY_EVERY_MS = 10_000
const COSTLY_MIN_AGE_MS = 15_000

/** A replaced neighbour goes within this long of the newcomer's Hello, in milliseconds, or stays. */
const REPLACE_WITHIN_MS = 10_000

/**
 * Neighbours chosen at random that are never replaced. Where everybody keeps who is best for it, good
 * peers end up among themselves: a few random links keep the graph in one piece.
 */
const KEPT = 2

/** Time constant of the average that a neighbour is judged by, in milliseconds. */
const USEFULNESS_MS = 60_000

/** Added to rates, in bytes per second, so that round trip and lateness order the useless as well. */
const USELESS_BYTES_PER_SECOND = 1_000

/** Round trip that halves a neighbour's worth, in milliseconds, and the one assumed until measured. */
const HALVING_RTT_MS = 200
const UNKNOWN_RTT_MS = 100

/** Time between two looks at the neighbours, in milliseconds. */
const LOOK_MS = 250

/** Connections up to which more are sought, of `maxLinks` at most. */
export function lowWaterOf(maxLinks: number): number {
  return Math.ceil(maxLinks * LOW_WATER_SHARE)
}

/** What the rest of the engine hears of its neighbours. */
export interface NeighbourEvents {
  /** It has said nothing for too long. */
  silent(peer: Peer): void
  /** Another has taken its place. */
  replaced(peer: Peer): void
  /** A newcomer is wanted in another's place, or no longer. */
  replacing(wanted: boolean): void
  /** It waits for something that it asked of us. */
  isServed(peer: Peer): boolean
}

/** What a neighbour has brought, as of the last look. */
interface NeighbourRecord {
  /** Bytes received from it and served to it, verified, fading with `USEFULNESS_MS`. */
  bytes: number
  counted: number
  at: Millis
}

/**
 * Chooses who stays: every 30 s the least useful neighbour makes room for a newcomer, and who has
 * fallen silent goes.
 *
 * The newcomer comes first. Without a tracker there is none, so nobody goes.
 */
export class Neighbours {
  private readonly records = new Map<Peer, NeighbourRecord>()
  private readonly kept = new Set<Peer>()
  private readonly liveness = new Liveness()
  private readonly options: Pick<SwarmOptions, 'role' | 'maxLinks'>
  private readonly random: Random
  private readonly events: NeighbourEvents
  private replacing = false
  /** When one was replaced last, and how many costly ones there were. */
  private replacedAt = Number.NEGATIVE_INFINITY
  private costlyBefore = Number.POSITIVE_INFINITY
  /** A newcomer is here for whom one may go, until this time. */
  private owedUntil = 0
  private lookedAt: Millis | null = null
  /** Members of the whole swarm, ourselves included; null while no tracker counts them. */
  swarmSize: number | null = null

  constructor(options: Pick<SwarmOptions, 'role' | 'maxLinks'>, random: Random, events: NeighbourEvents) {
    this.options = options
    this.random = random
    this.events = events
  }

  /** Whether a peer that is no neighbour yet may become one; another may go for it. */
  admit(neighbours: readonly Peer[], now: Millis): boolean {
    const full = neighbours.length >= this.options.maxLinks
    if (!this.replacing) return !full
    const worst = full ? this.worst(neighbours, now) : null
    if (full && worst === null) return false
    this.setReplacing(false)
    this.replacedAt = now
    this.costlyBefore = countCostly(neighbours)
    if (worst === null) this.owedUntil = now + REPLACE_WITHIN_MS
    else this.events.replaced(worst)
    return true
  }

  forget(peer: Peer): void {
    this.records.delete(peer)
    this.kept.delete(peer)
  }

  /** To be called often; looks are `LOOK_MS` apart. */
  look(neighbours: readonly Peer[], now: Millis): void {
    if (this.lookedAt !== null && now - this.lookedAt < LOOK_MS) return
    this.lookedAt = now
    const dead = this.liveness.look(neighbours, now)
    for (const peer of dead) this.events.silent(peer)
    const alive = neighbours.filter((peer) => !dead.includes(peer))
    for (const peer of alive) this.count(peer, now)
    this.considerReplacement(alive, now)
  }

  private count(peer: Peer, now: Millis): void {
    const counted = peer.verifiedBytes + peer.sentBytes
    const record = this.records.get(peer) ?? { bytes: 0, counted: 0, at: now }
    record.bytes = record.bytes * fading(now - record.at) + counted - record.counted
    record.counted = counted
    record.at = now
    this.records.set(peer, record)
  }

  private considerReplacement(neighbours: readonly Peer[], now: Millis): void {
    const { role, maxLinks } = this.options
    const low = lowWaterOf(maxLinks)
    const strangers = this.swarmSize === null ? 0 : this.swarmSize - 1 - neighbours.length
    const possible = role === 'viewer' && neighbours.length >= low && strangers > 0
    if (possible) this.keepSome(neighbours)
    if (possible && now < this.owedUntil && neighbours.length > low) {
      const worst = this.worst(neighbours, now)
      if (worst !== null) {
        this.owedUntil = 0
        this.events.replaced(worst)
      }
    }
    const due = possible && now >= this.replacedAt + this.waitMs(neighbours)
    this.setReplacing(due && neighbours.some((peer) => this.isReplaceable(peer, neighbours, now)))
  }

  /** Costly ones are fewer than at the last replacement: the tracker knows cheaper ones. */
  private waitMs(neighbours: readonly Peer[]): number {
    const costly = countCostly(neighbours)
    return costly > 0 && costly < this.costlyBefore ? REPLACE_COSTLY_EVERY_MS : REPLACE_EVERY_MS
  }

  private setReplacing(wanted: boolean): void {
    if (wanted === this.replacing) return
    this.replacing = wanted
    this.events.replacing(wanted)
  }

  private keepSome(neighbours: readonly Peer[]): void {
    const others = neighbours.filter((peer) => !this.kept.has(peer) && peer.identity?.role !== 'seeder')
    while (this.kept.size < KEPT && others.length > 0) {
      const [peer] = others.splice(Math.floor(this.random() * others.length), 1)
      if (peer !== undefined) this.kept.add(peer)
    }
  }

  private isReplaceable(peer: Peer, neighbours: readonly Peer[], now: Millis): boolean {
    if (peer.identity?.role !== 'viewer' || this.kept.has(peer)) return false
    return now - peer.openedAt >= (isCostly(peer, neighbours) ? COSTLY_MIN_AGE_MS : MIN_AGE_MS)
  }

  /** The least useful neighbour that may go and with which nothing is under way, or null. */
  private worst(neighbours: readonly Peer[], now: Millis): Peer | null {
    let worst: Peer | null = null
    let least = Number.POSITIVE_INFINITY
    for (const peer of neighbours) {
      if (
        !this.isReplaceable(peer, neighbours, now) ||
        peer.requests.size > 0 ||
        peer.manifestAwaited.size > 0
      )
        continue
      const worth = this.worthOf(peer, now)
      if (worth >= least || this.events.isServed(peer)) continue
      worst = peer
      least = worth
    }
    return worst
  }

  /**
   * Bytes per second that go either way, less for costly traffic, a long way and late answers. A peer
   * that does not upload is worth what it takes from us, a suspect is worth nothing.
   */
  private worthOf(peer: Peer, now: Millis): number {
    const record = this.records.get(peer)
    if (record === undefined || now < peer.suspectUntil) return 0
    // The average began at 0: divide by the share of the time constant that it has seen.
    const seconds = (USEFULNESS_MS / 1000) * (1 - fading(now - peer.openedAt))
    const rate = record.bytes / seconds + USELESS_BYTES_PER_SECOND
    const rtt = peer.roundTrip.value ?? UNKNOWN_RTT_MS
    return (rate * cheapness(peer)) / ((1 + rtt / HALVING_RTT_MS) * (1 + peer.timeouts))
  }
}

/** Some neighbour is much cheaper. */
function isCostly(peer: Peer, neighbours: readonly Peer[]): boolean {
  return neighbours.some((other) => muchCheaper(other, peer))
}

function countCostly(neighbours: readonly Peer[]): number {
  return neighbours.filter((peer) => isCostly(peer, neighbours)).length
}

function fading(ms: number): number {
  return Math.exp(-ms / USEFULNESS_MS)
}

import type { Millis } from '@shoal/protocol'
import type { Locality } from '../locality/place.js'
import type { Random } from './candidates.js'
import { Candidates } from './candidates.js'
import type { OffersInFlight } from './offers-in-flight.js'
import type { Peer } from './peer.js'
import { FIELD, PlaceView, RECORD } from './peer-table.js'
import type { Pool } from './pool.js'
import { incompatible, lifeOf, reluctant, scoreOf } from './score.js'

/**
 * Unanswered offers of the last minute after which a peer gets no more. With every peer offering as
 * much as `MAX_OFFERS_PER_PEER` allows, the average is a quarter of this.
 */
export const MAX_UNANSWERED_OFFERS = 512

/** Candidates looked at for each offer, and the least and most of one choice. */
const CANDIDATES_PER_OFFER = 4
const MIN_CANDIDATES = 12
const MAX_CANDIDATES = 40

/**
 * How the neighbours of one peer are made up. Pure locality would fall apart into groups, and pure
 * score would send everybody to the same few: an eighth is chance (the rest after these three).
 */
const BY_SCORE = 0.78
const BY_CAPACITY = 0.1
const OUTSIDERS = 0.04

/** Temperature of the softmax over scores: a score that is .1 higher is e times as likely. */
const TEMPERATURE = 0.1

/** Cost above which a peer is an outsider: another network (`ladderCost`). */
const OUTSIDE_COST = 40

/** Chooses neighbours. Only the pools that a peer fits are looked at, and of those a bounded sample. */
export class Matcher {
  private readonly locality: Locality
  private readonly random: Random
  private readonly candidates: Candidates
  /** By place among the candidates; a weight of 0 is taken. */
  private readonly weights = new Float64Array(MAX_CANDIDATES)
  private readonly capacities = new Float64Array(MAX_CANDIDATES)
  private readonly costs = new Float64Array(MAX_CANDIDATES)
  private readonly eager = new Uint8Array(MAX_CANDIDATES)
  private readonly view = new PlaceView()
  /** Of the candidates that are not taken. */
  private totalWeight = 0

  /** @param offers those whom it was introduced to lately are left out where there are others */
  constructor(locality: Locality, random: Random, offers: OffersInFlight) {
    this.locality = locality
    this.random = random
    this.candidates = new Candidates(MAX_CANDIDATES, random, offers)
  }

  /**
   * Chooses whom to relay `count` offers of `offerer` to: different peers, fewer when the swarm has
   * fewer. O(count), whatever the swarm's size.
   *
   * Shoal's peers and others are never mixed. Seeders want no seeders: they get leechers only, and
   * other seeders only where nobody else is there. One offer of a Shoal viewer goes to a seeder,
   * which chance would almost never hit in a large swarm and which every viewer can reach.
   */
  choose(offerer: Peer, count: number, now: Millis): Peer[] {
    const chosen: Peer[] = []
    if (count <= 0) return chosen
    const { leechers, seeders } = offerer.swarm.poolsFor(offerer)
    // There is nothing to choose where everybody gets one.
    if (leechers.peers.length + seeders.peers.length <= count) return everybody(offerer, leechers, seeders)
    this.candidates.begin(offerer, now)
    if (offerer.seeder) {
      const pool = leechers.peers.length > 0 ? leechers : seeders
      this.pick(pool, offerer, count, now, chosen)
      return this.completed([pool], offerer, count, now, chosen)
    }
    const toSeeders = offerer.shoal
      ? 1
      : sharedDraws(leechers.peers.length - 1, seeders.peers.length, count, this.random)
    this.pick(seeders, offerer, Math.min(toSeeders, count), now, chosen)
    this.pick(leechers, offerer, count, now, chosen)
    return this.completed([leechers, seeders], offerer, count, now, chosen)
  }

  /** Where there are too few others, those whom the peer was introduced to lately are good enough. */
  private completed(pools: readonly Pool[], asker: Peer, count: number, now: Millis, chosen: Peer[]): Peer[] {
    for (const pool of pools) {
      if (chosen.length >= count) break
      this.candidates.beginAgain(asker, chosen)
      this.pick(pool, asker, count, now, chosen)
    }
    return chosen
  }

  /** Adds peers of `pool` that this choice has not seen, until `upTo` are chosen. */
  private pick(pool: Pool, asker: Peer, upTo: number, now: Millis, chosen: Peer[]): void {
    const count = upTo - chosen.length
    if (count <= 0 || pool.slots.length === 0) return
    const { candidates, random } = this
    const size = Math.min(MAX_CANDIDATES, Math.max(MIN_CANDIDATES, CANDIDATES_PER_OFFER * count))
    candidates.sample(pool, asker, size)
    this.weigh(asker, Math.floor(now / 1000))
    // One draw for all places, so that the shares hold as closely as they can, for one offer too.
    const offset = random()
    const places = Math.min(count, candidates.size)
    for (let place = 0; place < places; place++) {
      const peer = this.pickOne((place + offset) / places, asker)
      if (peer === null) return
      chosen.push(peer)
    }
  }

  private weigh(asker: Peer, seconds: number): void {
    const { candidates, locality, view } = this
    const { ints } = asker.swarm.table
    const playhead = ints[asker.slot * RECORD + FIELD.playhead] ?? -1
    this.totalWeight = 0
    for (let i = 0; i < candidates.size; i++) {
      const at = (candidates.slots[i] ?? 0) * RECORD
      const cost = locality.cost(asker.place, view.read(ints, at))
      const life = lifeOf(ints, at, seconds)
      this.costs[i] = cost
      this.eager[i] = reluctant(ints[at + FIELD.flags] ?? 0) ? 0 : 1
      this.capacities[i] = (ints[at + FIELD.spare] ?? 0) * life
      const weight = weightOf(scoreOf(ints, at, cost, playhead, life, seconds))
      this.weights[i] = weight
      this.totalWeight += weight
    }
  }

  /** A candidate that was not picked before; null when none is left. @param share in [0, 1) */
  private pickOne(share: number, asker: Peer): Peer | null {
    const { table } = asker.swarm
    for (;;) {
      const way = this.pickBy(share)
      const at = way >= 0 ? way : this.byScore()
      if (at < 0) return null
      this.totalWeight -= this.weights[at] ?? 0
      this.weights[at] = 0
      const peer = table.peer(this.candidates.slots[at] ?? 0)
      if (peer !== null && peer.unanswered < MAX_UNANSWERED_OFFERS) return peer
    }
  }

  private pickBy(share: number): number {
    if (share < BY_SCORE) return -1
    if (share < BY_SCORE + BY_CAPACITY) return this.byCapacity()
    return this.byChance(share < BY_SCORE + BY_CAPACITY + OUTSIDERS ? OUTSIDE_COST : -1)
  }

  /** Each with a chance by its weight. */
  private byScore(): number {
    const { size } = this.candidates
    let left = this.random() * this.totalWeight
    let last = -1
    for (let i = 0; i < size; i++) {
      const weight = this.weights[i] ?? 0
      if (weight === 0) continue
      last = i
      left -= weight
      if (left < 0) break
    }
    return last
  }

  /** The one with the most to give for the longest, ties by chance. */
  private byCapacity(): number {
    let best = -1
    let most = 0
    let ties = 0
    for (let i = 0; i < this.candidates.size; i++) {
      const capacity = this.capacities[i] ?? 0
      if (capacity < most || this.weights[i] === 0 || this.eager[i] === 0) continue
      ties = capacity > most ? 1 : ties + 1
      most = capacity
      if (ties === 1 || this.random() * ties < 1) best = i
    }
    return best
  }

  /** Any of the uniform sample that costs more than `above`, each as likely. */
  private byChance(above: number): number {
    let at = -1
    let fitting = 0
    for (let i = 0; i < this.candidates.uniform; i++) {
      if (this.weights[i] === 0 || this.eager[i] === 0 || (this.costs[i] ?? 0) <= above) continue
      fitting++
      if (this.random() * fitting < 1) at = i
    }
    return at
  }
}

/** All that the offerer can be introduced to, of a swarm that has no more than it has offers. */
function everybody(offerer: Peer, leechers: Pool, seeders: Pool): Peer[] {
  const chosen: Peer[] = []
  addFitting(leechers, offerer, chosen)
  if (!offerer.seeder || leechers.peers.length === 0) addFitting(seeders, offerer, chosen)
  return chosen
}

function addFitting({ peers }: Pool, offerer: Peer, chosen: Peer[]): void {
  const { table } = offerer.swarm
  const flags = table.get(offerer.slot, FIELD.flags)
  for (const peer of peers) {
    if (peer === offerer || peer.unanswered >= MAX_UNANSWERED_OFFERS) continue
    if (!incompatible(flags, table.get(peer.slot, FIELD.flags))) chosen.push(peer)
  }
}

/** `scoreOf` is from -0.5 to 1.25. */
const LOWEST_SCORE = -0.5
const HIGHEST_SCORE = 1.25

/** Steps of a score that its weight tells apart: 1 % of the weight each. */
const STEPS_PER_SCORE = 1000

/** exp(score / temperature): a call of `Math.exp` costs more than all of the score. */
const WEIGHTS = Float64Array.from(
  { length: (HIGHEST_SCORE - LOWEST_SCORE) * STEPS_PER_SCORE + 1 },
  (_, step) => Math.exp((LOWEST_SCORE + step / STEPS_PER_SCORE) / TEMPERATURE),
)

function weightOf(score: number): number {
  const bounded = Math.min(HIGHEST_SCORE, Math.max(LOWEST_SCORE, score))
  // Rounds: the bounded score is never below the first step.
  return WEIGHTS[((bounded - LOWEST_SCORE) * STEPS_PER_SCORE + 0.5) | 0] ?? 1
}

/** How many of `count` draws from both pools together fall on the seeders. */
function sharedDraws(leechers: number, seeders: number, count: number, random: Random): number {
  let left = leechers + seeders
  let hits = 0
  for (let i = 0; i < count && left > 0; i++, left--) {
    if (random() * left < seeders - hits) hits++
  }
  return hits
}

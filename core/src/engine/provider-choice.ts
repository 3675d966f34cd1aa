import type { Millis } from '@shoal/protocol'
import type { Random } from '../ports/clock.js'
import type { Peer } from './peer.js'
import type { Offer } from './piece-choice.js'
import type { Segment } from './segment.js'

/** Share of the time left in which a peer must promise a piece: promises are estimates. */
const PROMISE_SHARE = 0.9

/** Share of the requests that go to whoever was asked least, of those that would deliver in time. */
const EXPLORING_SHARE = 0.05

/**
 * Cost that halves the preference: of another provider of the country (65) is asked who delivers three
 * times as fast as one of the own (40, docs/matching.md). Measured with `npm run sim -- --isps 8`.
 */
const HALVING_COST = 15

/** Difference that matters: between the own provider and another of the country (docs/matching.md). */
const MUCH_CHEAPER = 25

/**
 * Costly peers are left alone until this many milliseconds before the piece is of no use, but for what
 * nobody near would bring: a share of the pieces, by how many near ones there are to bring the others.
 */
const WAIT_UNTIL_MS = 2_000
const BROUGHT_IN_SHARES = 1.5

/**
 * Half of the peers of this age are still there after as long again; and the age that one is given on
 * arrival (swarm-algorithms, "Matching": `Life`).
 */
const LIFE_MS = 300_000
const GIVEN_AGE_MS = 120_000

/** Weight of the expected lifetime: a peer that leaves costs one piece at most. */
const LIFE_WEIGHT = 0.2

/** What a provider is chosen from. */
export interface Choice {
  readonly offers: readonly Offer[]
  /** Those of them that take a request now. */
  readonly takers: readonly Offer[]
  /** Peers that alone hold some wanted piece, of whatever segment. */
  readonly sole: ReadonlySet<Peer>
  readonly now: Millis
  /** Milliseconds in which the piece is of use. */
  readonly timeLeft: number
  /** Pieces that came from all peers so far. */
  readonly samples: number
  readonly random: Random
}

/**
 * The taker to ask for a piece: the one that would deliver it soonest, as far as is hoped, over how much
 * it is preferred, +-10 % so that equals share the load; now and then one that is little known. Null
 * where nobody would in time (swarm-algorithms, "Choosing a provider for a piece").
 *
 * A peer that alone holds other wanted pieces (`sole`) is left to those where anybody else holds this
 * one: null then, until one of the others has room. In the same way much cheaper peers are waited for.
 */
export function bestProvider(segment: Segment, piece: number, choice: Choice): Peer | null {
  const { offers, takers, sole, now, samples, random } = choice
  const { start, end } = segment.pieceSpan(piece)
  const bytes = end - start
  const timeLeft = choice.timeLeft * PROMISE_SHARE
  const fits = ({ peer, held }: Offer): boolean => held.has(piece) && !segment.isAccused(piece, peer.link)
  const busy = sole.size > 0 && offers.some((offer) => fits(offer) && !sole.has(offer.peer))
  const exploring = random() < EXPLORING_SHARE
  let best: Peer | null = null
  let least = Number.POSITIVE_INFINITY
  for (const offer of takers) {
    const { peer } = offer
    if (!fits(offer) || !peer.hasRoom(bytes) || (busy && sole.has(peer))) continue
    if (peer.eta(bytes, now) > timeLeft || waitsForCheaper(segment, piece, peer, choice)) continue
    const hoped = peer.eta(bytes, now, peer.hopedRate(samples))
    const badness = exploring ? peer.pieces : (hoped / preference(peer, now)) * (0.9 + 0.2 * random())
    if (badness < least) {
      best = peer
      least = badness
    }
  }
  return best
}

/**
 * Whether a piece can wait for peers that are much cheaper than this one: one of them holds it, or they
 * hold others of the segment and will have this one too. Each viewer brings in a share of the pieces from
 * afar, from its own place on (`Segment.firstChoice`), so that near ones do not wait for each other.
 */
function waitsForCheaper(segment: Segment, piece: number, peer: Peer, choice: Choice): boolean {
  if (choice.timeLeft <= WAIT_UNTIL_MS) return false
  let cheaper = 0
  for (const offer of choice.offers) {
    if (!muchCheaper(offer.peer, peer)) continue
    if (offer.held.has(piece) && !segment.isAccused(piece, offer.peer.link)) return true
    cheaper++
  }
  if (cheaper === 0) return false
  const count = segment.pieceCount
  const place = (piece - segment.firstChoice(choice.random) + count) % count
  return place >= (count * BROUGHT_IN_SHARES) / (cheaper + 1)
}

/** How much a peer is preferred for what its traffic costs; 1 is the most. */
export function cheapness({ cost }: Peer): number {
  return 2 ** (-cost / HALVING_COST)
}

/** Whether traffic with `peer` costs so much less than with `other` that it is worth waiting for. */
export function muchCheaper(peer: Peer, other: Peer): boolean {
  return peer.cost <= other.cost - MUCH_CHEAPER
}

/** How much a peer is preferred for what its traffic costs and how long it will stay; 1 is the most. */
export function preference(peer: Peer, now: Millis): number {
  const age = GIVEN_AGE_MS + peer.ageAtOpening + (now - peer.openedAt)
  const life = age / (age + LIFE_MS)
  return cheapness(peer) * (1 - LIFE_WEIGHT * (1 - life))
}

import type { Millis } from '@shoal/protocol'
import type { Random } from '../ports/clock.js'
import type { Peer } from './peer.js'
import type { Offer } from './piece-choice.js'
import type { Segment } from './segment.js'

/** Share of the time left in which a peer must promise a piece: promises are estimates. */
const PROMISE_SHARE = 0.9

/** Share of the requests that go to whoever was asked least, of those that would deliver in time. */
const EXPLORING_SHARE = 0.05

/** A peer at the highest cost is preferred to one at none where it delivers in this share of the time. */
const COSTLIEST = 0.5

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
 * one: null then, until one of the others has room.
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
    if (peer.eta(bytes, now) > timeLeft) continue
    const hoped = peer.eta(bytes, now, peer.hopedRate(samples))
    const badness = exploring ? peer.pieces : (hoped / preference(peer, now)) * (0.9 + 0.2 * random())
    if (badness < least) {
      best = peer
      least = badness
    }
  }
  return best
}

/** How much a peer is preferred for what its traffic costs and how long it will stay; 1 is the most. */
export function preference(peer: Peer, now: Millis): number {
  const age = GIVEN_AGE_MS + peer.ageAtOpening + (now - peer.openedAt)
  const life = age / (age + LIFE_MS)
  return (1 - (1 - COSTLIEST) * (peer.cost / 100)) * (1 - LIFE_WEIGHT * (1 - life))
}

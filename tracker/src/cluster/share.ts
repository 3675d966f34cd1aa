import { LEVEL } from '../swarm/locality-buckets.js'
import type { Peer } from '../swarm/peer.js'
import type { NodeCounts } from './counts.js'
import { countsOf, wantedBy } from './counts.js'

/**
 * Offers to other nodes that the peers of a node make together while each of them announces once. A graph in
 * which everybody draws two others is in one piece with a probability that grows to 1 with its size (Fenner and
 * Frieze, 1982); the third is for pairs that fail to connect, and for nodes that are few.
 */
const OFFERS_OF_NODE = 3

/**
 * Least share of a peer's offers that goes to other nodes: with ten neighbours each, one peer in five has one
 * there, so that what is rare at one node reaches the other by many ways.
 */
const LEAST_SHARE = 0.02

/** Share of a peer that has nobody of its provider at its own node. */
const STRANGER_SHARE = 0.2

/**
 * Of `count` offers of a peer, how many go to other nodes although there are peers enough at its own: the mean,
 * not a whole number.
 *
 * @param elsewhere all other nodes together
 */
export function awayOffers(offerer: Peer, count: number, elsewhere: NodeCounts): number {
  const there = wantedBy(offerer, elsewhere)
  if (there === 0) return 0
  const here = Math.max(1, wantedBy(offerer, countsOf(offerer.swarm)))
  const wanted = isStranger(offerer)
    ? count * STRANGER_SHARE
    : Math.max(OFFERS_OF_NODE / here, count * LEAST_SHARE)
  // Not more than if all were at one node: few peers there would get offers of everybody here.
  return Math.min(wanted, (count * there) / (here + there))
}

/** True where a swarm is large enough to be kept by place, and has nobody else of the peer's provider. */
function isStranger(peer: Peer): boolean {
  const { swarm, place } = peer
  const { buckets } = swarm.poolsFor(peer).leechers
  return buckets !== null && place.network !== 0 && buckets.at(LEVEL.network, place) === null
}

import type { Millis, PeerId } from '@shoal/protocol'
import { MAX_CANDIDATES } from '@shoal/protocol'
import { OFFER_LIFE_MS } from '../swarm/offers-in-flight.js'
import type { Peer } from '../swarm/peer.js'
import type { NodeId } from './bus.js'

/** Offers of one peer that are remembered while they are elsewhere; the oldest makes room. */
const MAX_OF_PEER = 64

/** Offers that are remembered over all peers. */
const MAX_TOTAL = 500_000

interface AwayOffer {
  readonly node: NodeId
  readonly expiresAt: number
  answered: boolean
  /** Who has it; null until that peer has said something. */
  receiver: PeerId | null
  fromOfferer: number
  fromReceiver: number
}

/** Offers of peers here that went to other nodes: where answers may come from, and candidates go to. */
export class AwayOffers {
  private readonly byPeer = new Map<Peer, Map<string, AwayOffer>>()
  private total = 0

  get size(): number {
    return this.total
  }

  /** Remembers an offer that goes to `node`; false where it must not go: it has gone before. */
  add(offerer: Peer, offerId: string, node: NodeId, now: Millis): boolean {
    const offers = this.byPeer.get(offerer) ?? new Map<string, AwayOffer>()
    this.trim(offerer, offers, now)
    if (offers.has(offerId) || this.total >= MAX_TOTAL) return false
    this.byPeer.set(offerer, offers)
    offers.set(offerId, {
      node,
      expiresAt: now + OFFER_LIFE_MS,
      answered: false,
      receiver: null,
      fromOfferer: 0,
      fromReceiver: 0,
    })
    this.total++
    return true
  }

  /** True when an answer of `receiver` at `node` is to be relayed: the first one, in time. */
  answer(offerer: Peer, node: NodeId, receiver: PeerId, offerId: string, now: Millis): boolean {
    const offer = this.at(offerer, node, receiver, offerId, now)
    if (offer === undefined || offer.answered) return false
    offer.answered = true
    return true
  }

  /** True when candidates of `receiver` at `node` are to be relayed. */
  candidatesFrom(
    offerer: Peer,
    node: NodeId,
    receiver: PeerId,
    offerId: string,
    count: number,
    now: Millis,
  ): boolean {
    const offer = this.at(offerer, node, receiver, offerId, now)
    if (offer === undefined || offer.fromReceiver + count > MAX_CANDIDATES) return false
    offer.fromReceiver += count
    return true
  }

  /** The node that the offerer's candidates for `receiver` go to; null where they must not go. */
  candidatesTo(offerer: Peer, receiver: PeerId, offerId: string, count: number, now: Millis): NodeId | null {
    const offer = this.byPeer.get(offerer)?.get(offerId)
    if (offer === undefined || offer.receiver !== receiver || offer.expiresAt <= now) return null
    if (offer.fromOfferer + count > MAX_CANDIDATES) return null
    offer.fromOfferer += count
    return offer.node
  }

  forget(offerer: Peer): void {
    const offers = this.byPeer.get(offerer)
    if (offers === undefined) return
    this.total -= offers.size
    this.byPeer.delete(offerer)
  }

  /** O(peers with offers elsewhere): for a timer. */
  sweep(now: Millis): void {
    for (const [offerer, offers] of this.byPeer) {
      for (const [id, { expiresAt }] of offers) {
        if (expiresAt > now) break
        this.drop(offers, id)
      }
      if (offers.size === 0) this.byPeer.delete(offerer)
    }
  }

  /** The first who says something about an offer is the one who has it. */
  private at(
    offerer: Peer,
    node: NodeId,
    receiver: PeerId,
    offerId: string,
    now: Millis,
  ): AwayOffer | undefined {
    const offer = this.byPeer.get(offerer)?.get(offerId)
    if (offer === undefined || offer.node !== node || offer.expiresAt <= now) return undefined
    offer.receiver ??= receiver
    return offer.receiver === receiver ? offer : undefined
  }

  private trim(offerer: Peer, offers: Map<string, AwayOffer>, now: Millis): void {
    for (const [id, { expiresAt }] of offers) {
      if (expiresAt > now && offers.size < MAX_OF_PEER) break
      this.drop(offers, id)
    }
    if (offers.size === 0) this.byPeer.delete(offerer)
  }

  private drop(offers: Map<string, AwayOffer>, id: string): void {
    if (offers.delete(id)) this.total--
  }
}

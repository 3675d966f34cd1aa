import type { Millis } from '@shoal/protocol'
import { MAX_CANDIDATES } from '@shoal/protocol'
import type { Peer } from './peer.js'

/** How long a relayed offer can be answered, in ms (docs/protocol.md); stock clients wait 50 s. */
export const OFFER_LIFE_MS = 60_000

/**
 * Relayed offers of one peer that are remembered; the oldest makes room. A client that announces 10
 * offers every 10 s (Trystero) has 60 in 60 s.
 */
export const MAX_OFFERS_PER_PEER = 128

/**
 * Relayed offers that are remembered over all peers, about 200 bytes each. 100,000 peers with 10
 * offers every 120 s have 500,000; beyond the bound an offerer may replace its own only.
 */
const MAX_OFFERS_TOTAL = 1_000_000

/** An offer that was relayed: who may answer whom. */
export interface OfferInFlight {
  readonly receiver: Peer
  readonly expiresAt: number
  answered: boolean
  /** Candidates relayed so far, by the side that sent them. */
  fromOfferer: number
  fromReceiver: number
}

/**
 * The relayed offers, kept with their offerers. Answers and candidates pass only between the two
 * ends of one of them, so that nobody can send to a peer that was not introduced to them.
 */
export class OffersInFlight {
  private readonly maxTotal: number
  private total = 0

  constructor(maxTotal = MAX_OFFERS_TOTAL) {
    this.maxTotal = maxTotal
  }

  get size(): number {
    return this.total
  }

  /** Remembers that `offerer`'s offer goes to `receiver`; false where it must not, for lack of room. */
  add(offerer: Peer, receiver: Peer, offerId: string, now: Millis): boolean {
    const offers = offerer.offers ?? new Map<string, OfferInFlight>()
    const same = offers.get(offerId)
    if (same !== undefined) this.drop(offerer, offers, offerId, same)
    this.trim(offerer, offers, now)
    if (this.total >= this.maxTotal) return false
    offerer.offers = offers
    const expiresAt = now + OFFER_LIFE_MS
    offers.set(offerId, { receiver, expiresAt, answered: false, fromOfferer: 0, fromReceiver: 0 })
    receiver.unanswered++
    this.total++
    return true
  }

  /** True when `receiver` may answer this offer of `offerer`: once, and in time. */
  answer(offerer: Peer, receiver: Peer, offerId: string, now: Millis): boolean {
    const offers = offerer.offers
    const offer = offers?.get(offerId)
    if (!offers || offer === undefined || offer.receiver !== receiver) return false
    if (offer.answered || offer.expiresAt <= now) return false
    receiver.unanswered--
    offer.answered = true
    // Only Shoal's peers trickle: a stock pair has nothing more to say through the tracker.
    if (!offerer.shoal) this.drop(offerer, offers, offerId, offer)
    return true
  }

  /** True when `sender` may send `count` more candidates to `to` for the connection of `offerId`. */
  candidates(sender: Peer, to: Peer, offerId: string, count: number, now: Millis): boolean {
    const own = sender.offers?.get(offerId)
    if (own?.receiver === to && own.expiresAt > now && own.fromOfferer + count <= MAX_CANDIDATES) {
      own.fromOfferer += count
      return true
    }
    const theirs = to.offers?.get(offerId)
    if (theirs?.receiver !== sender || theirs.expiresAt <= now) return false
    if (theirs.fromReceiver + count > MAX_CANDIDATES) return false
    theirs.fromReceiver += count
    return true
  }

  /** Forgets what a peer that left had offered. */
  forget(offerer: Peer): void {
    const offers = offerer.offers
    if (offers === null) return
    for (const [id, offer] of offers) this.drop(offerer, offers, id, offer)
  }

  /** Forgets a peer's offers that are too old to be answered: they are the first ones. */
  expire(offerer: Peer, now: Millis): void {
    const offers = offerer.offers
    if (offers === null) return
    for (const [id, offer] of offers) {
      if (offer.expiresAt > now) return
      this.drop(offerer, offers, id, offer)
    }
  }

  /** Makes room for one more offer of this peer. */
  private trim(offerer: Peer, offers: Map<string, OfferInFlight>, now: Millis): void {
    for (const [id, offer] of offers) {
      const full = offers.size >= MAX_OFFERS_PER_PEER || this.total >= this.maxTotal
      if (offer.expiresAt > now && !full) return
      this.drop(offerer, offers, id, offer)
    }
  }

  private drop(offerer: Peer, offers: Map<string, OfferInFlight>, id: string, offer: OfferInFlight): void {
    offers.delete(id)
    this.total--
    if (!offer.answered) offer.receiver.unanswered--
    if (offers.size === 0) offerer.offers = null
  }
}

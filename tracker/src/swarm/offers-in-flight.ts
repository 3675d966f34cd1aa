import type { Millis } from '@shoal/protocol'
import { MAX_CANDIDATES } from '@shoal/protocol'
import { OFFER, OfferTable } from './offer-table.js'
import type { Peer } from './peer.js'

/** How long a relayed offer can be answered, in ms (docs/protocol.md); stock clients wait 50 s. */
export const OFFER_LIFE_MS = 60_000

/**
 * Relayed offers of one peer that are remembered; the oldest makes room. A client that announces 10
 * offers every 10 s (Trystero) has 60 in 60 s.
 */
export const MAX_OFFERS_PER_PEER = 128

/**
 * Relayed offers that are remembered over all peers, 40 bytes each. 100,000 peers with 10 offers
 * every 120 s have 500,000; beyond the bound an offerer may replace its own only.
 */
const MAX_OFFERS_TOTAL = 1_000_000

/** What has become of an offer (`OFFER.answered`). */
const FATE = {
  relayed: 0,
  answered: 1,
  /** There is none yet: the receiver was named to the offerer, who may make it one. */
  named: 2,
} as const

/**
 * The relayed offers, in a list for each offerer, oldest first. Answers and candidates pass only
 * between the two ends of one of them, so that nobody can send to a peer that was not introduced to
 * them. Of offers with one id the newest counts.
 */
export class OffersInFlight {
  private readonly maxTotal: number
  private readonly table = new OfferTable()

  constructor(maxTotal = MAX_OFFERS_TOTAL) {
    this.maxTotal = maxTotal
  }

  get size(): number {
    return this.table.size
  }

  /** Remembers that `offerer`'s offer goes to `receiver`; false where it must not, for lack of room. */
  add(offerer: Peer, receiver: Peer, offerId: string, now: Millis): boolean {
    this.trim(offerer, now)
    const { table } = this
    if (table.size >= this.maxTotal) return false
    const at = table.add(offerId, receiver, (now + OFFER_LIFE_MS) | 0)
    if (offerer.offerCount++ === 0) offerer.firstOffer = at
    else table.ints[offerer.lastOffer + OFFER.next] = at
    offerer.lastOffer = at
    receiver.unanswered++
    return true
  }

  /**
   * Remembers that `named` was named to `asker`, who may make it one offer; false where there is no room.
   * It counts as an offer that `named` has not answered.
   */
  introduce(asker: Peer, named: Peer, now: Millis): boolean {
    this.redeem(asker, named, now)
    if (!this.add(asker, named, '', now)) return false
    this.table.ints[asker.lastOffer + OFFER.answered] = FATE.named
    return true
  }

  /** True when `asker` may make `named` an offer now, and not again. */
  redeem(asker: Peer, named: Peer, now: Millis): boolean {
    const { table } = this
    for (let at = asker.firstOffer; at >= 0; at = table.ints[at + OFFER.next] ?? -1) {
      if (table.ints[at + OFFER.answered] !== FATE.named || !table.isFor(at, named)) continue
      const lives = this.lives(at, now)
      this.drop(asker, at)
      return lives
    }
    return false
  }

  has(offerer: Peer, offerId: string): boolean {
    return this.find(offerer, offerId) >= 0
  }

  /** True when `receiver` may answer this offer of `offerer`: once, and in time. */
  answer(offerer: Peer, receiver: Peer, offerId: string, now: Millis): boolean {
    const at = this.findFor(offerer, receiver, offerId, now)
    const { ints } = this.table
    if (at < 0 || ints[at + OFFER.answered] === FATE.answered) return false
    receiver.unanswered--
    ints[at + OFFER.answered] = FATE.answered
    // Only Shoal's peers trickle: a stock pair has nothing more to say through the tracker.
    if (!offerer.shoal) this.drop(offerer, at)
    return true
  }

  /** True when `sender` may send `count` more candidates to `to` for the connection of `offerId`. */
  candidates(sender: Peer, to: Peer, offerId: string, count: number, now: Millis): boolean {
    const own = this.findFor(sender, to, offerId, now)
    if (own >= 0 && this.count(own + OFFER.fromOfferer, count)) return true
    const theirs = this.findFor(to, sender, offerId, now)
    return theirs >= 0 && this.count(theirs + OFFER.fromReceiver, count)
  }

  /** Forgets what a peer that left had offered. */
  forget(offerer: Peer): void {
    while (offerer.offerCount > 0) this.drop(offerer, offerer.firstOffer)
  }

  /** Forgets a peer's offers that are too old to be answered: they are the first ones. */
  expire(offerer: Peer, now: Millis): void {
    while (offerer.offerCount > 0 && !this.lives(offerer.firstOffer, now)) {
      this.drop(offerer, offerer.firstOffer)
    }
  }

  /** Calls `visit` with the slots of those who have offers of this peer that can be answered still. */
  eachReceiver(offerer: Peer, now: Millis, visit: (slot: number) => void): void {
    const { table } = this
    for (let at = offerer.firstOffer; at >= 0; at = table.ints[at + OFFER.next] ?? -1) {
      const receiver = this.lives(at, now) ? table.receiver(at, offerer.swarm.table) : null
      if (receiver !== null) visit(receiver.slot)
    }
  }

  private lives(at: number, now: Millis): boolean {
    // The difference of two times on a clock that wraps: right for 24 days.
    return (((this.table.ints[at + OFFER.expires] ?? 0) - (now | 0)) | 0) > 0
  }

  /** The newest offer of this id, -1 for none. */
  private find(offerer: Peer, offerId: string): number {
    const { table } = this
    let found = -1
    table.decode(offerId)
    for (let at = offerer.firstOffer; at >= 0; at = table.ints[at + OFFER.next] ?? -1) {
      if (table.hasId(at) && table.ints[at + OFFER.answered] !== FATE.named) found = at
    }
    return found
  }

  private findFor(offerer: Peer, receiver: Peer, offerId: string, now: Millis): number {
    const at = this.find(offerer, offerId)
    return at >= 0 && this.table.isFor(at, receiver) && this.lives(at, now) ? at : -1
  }

  private count(at: number, more: number): boolean {
    const { ints } = this.table
    const sum = (ints[at] ?? 0) + more
    if (sum > MAX_CANDIDATES) return false
    ints[at] = sum
    return true
  }

  /** Makes room for one more offer of this peer. */
  private trim(offerer: Peer, now: Millis): void {
    while (offerer.offerCount > 0) {
      const full = offerer.offerCount >= MAX_OFFERS_PER_PEER || this.table.size >= this.maxTotal
      if (!full && this.lives(offerer.firstOffer, now)) return
      this.drop(offerer, offerer.firstOffer)
    }
  }

  private drop(offerer: Peer, at: number): void {
    const { table } = this
    const { ints } = table
    const next = ints[at + OFFER.next] ?? -1
    if (offerer.firstOffer === at) offerer.firstOffer = next
    else {
      let before = offerer.firstOffer
      while (ints[before + OFFER.next] !== at) before = ints[before + OFFER.next] ?? -1
      ints[before + OFFER.next] = next
      if (offerer.lastOffer === at) offerer.lastOffer = before
    }
    offerer.offerCount--
    if (offerer.offerCount === 0) offerer.lastOffer = -1
    if (ints[at + OFFER.answered] !== FATE.answered) {
      const receiver = table.receiver(at, offerer.swarm.table)
      if (receiver !== null) receiver.unanswered--
    }
    table.remove(at)
  }
}

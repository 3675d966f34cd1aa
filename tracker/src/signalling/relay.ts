import type { IceCandidate, InfoHash, Introduced, Millis, PeerId } from '@shoal/protocol'
import { MAX_AGE_SECONDS } from '@shoal/protocol'
import type { Locality } from '../locality/place.js'
import type { Counters } from '../stats/counters.js'
import type { Random } from '../swarm/candidates.js'
import { Matcher } from '../swarm/matching.js'
import { OffersInFlight } from '../swarm/offers-in-flight.js'
import type { Peer } from '../swarm/peer.js'
import type { Registry } from '../swarm/registry.js'
import type { Session } from '../swarm/session.js'
import type { Swarm } from '../swarm/swarm.js'
import type { AnswerMessage, CandidatesMessage } from '../wire/client-message.js'
import type { Offer } from '../wire/offer.js'
import type { RelayExtension } from '../wire/server-message.js'
import { ANSWER_TAIL, answerHead, candidatesText, offerHead, relayJson } from '../wire/server-message.js'
import type { WireText } from '../wire/wire-text.js'
import { idJson } from '../wire/wire-text.js'
import type { Acquaintance, Elsewhere, Here } from './elsewhere.js'

/** Passes offers, answers and candidates between peers of one swarm, here and at other nodes. */
export class Relay implements Here {
  readonly offers = new OffersInFlight()
  /** The other nodes; null for a tracker on its own. */
  elsewhere: Elsewhere | null = null
  private readonly registry: Registry
  private readonly locality: Locality
  private readonly matcher: Matcher
  private readonly counters: Counters

  constructor(registry: Registry, locality: Locality, random: Random, counters: Counters) {
    this.registry = registry
    this.locality = locality
    this.matcher = new Matcher(locality, random, this.offers)
    this.counters = counters
  }

  /** Relays the offers of an announce, one each to peers that fit the offerer or were named to it. */
  announced(offerer: Peer, offers: readonly Offer[], now: Millis): void {
    if (offers.length === 0) return
    if (offers.some(({ target }) => target !== null)) return this.announcedTo(offerer, offers, now)
    const away = this.elsewhere?.share(offerer, offers.length) ?? 0
    const receivers = this.matcher.choose(offerer, offers.length - away, now)
    this.deliver(offerer, offers, receivers, now)
    this.elsewhere?.offer(offerer, offers.slice(receivers.length), now)
  }

  /**
   * Names up to `want` peers that fit the asker, for one offer each. They are chosen as receivers of offers
   * are; null stands for a peer at another node.
   */
  introduce(asker: Peer, want: number, now: Millis): readonly Introduced[] {
    const away = this.elsewhere?.share(asker, want) ?? 0
    const named: Introduced[] = []
    for (const peer of this.matcher.choose(asker, want - away, now)) {
      if (peer.session !== null && this.offers.introduce(asker, peer, now)) named.push(peer.id)
    }
    this.counters.introductions += named.length
    const elsewhere = Math.min(want - named.length, this.elsewhere?.room(asker) ?? 0)
    for (let i = 0; i < elsewhere; i++) named.push(null)
    return named
  }

  /** Offers of which some have a target. One to a peer that was not named to the offerer is dropped. */
  private announcedTo(offerer: Peer, offers: readonly Offer[], now: Millis): void {
    const targeted: Offer[] = []
    const receivers: Peer[] = []
    for (const offer of offers) {
      if (offer.target === null || offer.target === 'elsewhere') continue
      const named = offerer.swarm.peers.get(offer.target)
      if (named === undefined || !this.offers.redeem(offerer, named, now)) this.counters.uninvited++
      else {
        targeted.push(offer)
        receivers.push(named)
      }
    }
    this.deliver(offerer, targeted, receivers, now)
    const away = offers.filter(({ target }) => target === 'elsewhere')
    this.elsewhere?.offer(offerer, away, now)
    const others = offers.filter(({ target }) => target === null)
    this.announced(offerer, others, now)
  }

  /** Answers are not replied to; one that belongs to no relayed offer is dropped without a word. */
  answer(session: Session, message: AnswerMessage, now: Millis): void {
    this.counters.answers++
    const { toPeerId, offerId, sdpJson } = message
    const sender = this.registry.peerOf(session, message.infoHash, message.peerId)
    const to = sender?.swarm.peers.get(toPeerId)
    if (sender !== undefined && to !== undefined && this.offers.answer(to, sender, offerId, now)) {
      this.sendAnswer(sender, to, offerId, sdpJson, now)
    } else if (sender === undefined || !this.elsewhere?.answer(sender, toPeerId, offerId, sdpJson, now)) {
      this.counters.strays++
      return
    }
    sender.seen(now)
  }

  candidates(session: Session, message: CandidatesMessage, now: Millis): void {
    this.counters.candidates++
    const { toPeerId, offerId, candidates } = message
    const sender = this.registry.peerOf(session, message.infoHash, message.peerId)
    const to = sender?.swarm.peers.get(toPeerId)
    if (sender !== undefined && this.between(sender, to, offerId, candidates.length, now)) {
      if (to !== undefined) this.deliverCandidates(sender.id, to, offerId, candidates)
    } else if (
      sender === undefined ||
      !sender.shoal ||
      !this.elsewhere?.candidates(sender, toPeerId, offerId, candidates, now)
    ) {
      this.counters.strays++
      return
    }
    sender.seen(now)
  }

  /** The peer has left. */
  left(peer: Peer): void {
    this.offers.forget(peer)
    this.elsewhere?.left(peer)
    this.elsewhere?.touched(peer.swarm.infoHash)
  }

  /** Forgets offers that nobody can answer any more. O(peers). */
  sweep(now: Millis): void {
    for (const { peers } of this.registry.swarms()) {
      for (const peer of peers.values()) this.offers.expire(peer, now)
    }
    this.elsewhere?.sweep(now)
  }

  swarm(infoHash: InfoHash): Swarm | undefined {
    return this.registry.swarm(infoHash)
  }

  deliverOffers(guest: Peer, offers: readonly Offer[], now: Millis): number {
    const fresh = offers.filter(({ offerId }) => !this.offers.has(guest, offerId))
    const receivers = this.matcher.choose(guest, fresh.length, now).filter(({ id }) => id !== guest.id)
    this.deliver(guest, fresh, receivers, now)
    return receivers.length
  }

  moved(peer: Peer): void {
    this.registry.leave(peer)
  }

  deliverAnswer(from: Acquaintance, to: Peer, offerId: string, sdpJson: WireText, now: Millis): void {
    this.sendAnswer(from, to, offerId, sdpJson, now)
  }

  deliverCandidates(from: PeerId, to: Peer, offerId: string, candidates: readonly IceCandidate[]): void {
    to.session?.outlet.send(candidatesText(to.swarm.hashJson, idJson(from), offerId, candidates))
    this.counters.candidatesRelayed++
  }

  private between(sender: Peer, to: Peer | undefined, offerId: string, count: number, now: Millis): boolean {
    return to?.shoal === true && this.offers.candidates(sender, to, offerId, count, now)
  }

  private sendAnswer(from: Acquaintance, to: Peer, offerId: string, sdpJson: WireText, now: Millis): void {
    const extension = this.introduction(from, to, now)
    const head = answerHead(to.swarm.hashJson, idJson(from.id), offerId, extension)
    to.session?.outlet.send(head, sdpJson, ANSWER_TAIL)
    this.counters.answersRelayed++
  }

  private deliver(offerer: Peer, offers: readonly Offer[], receivers: readonly Peer[], now: Millis): void {
    const head = offerHead(offerer.swarm.hashJson, idJson(offerer.id))
    for (let i = 0; i < receivers.length; i++) {
      const [offer, receiver] = [offers[i], receivers[i]]
      if (offer === undefined || receiver === undefined || receiver.session === null) continue
      if (!this.offers.add(offerer, receiver, offer.offerId, now)) return
      const extension = relayJson(this.introduction(offerer, receiver, now))
      receiver.session.outlet.send(head, extension, offer.rest)
      this.counters.offersRelayed++
    }
  }

  /** What `to` is told of `from`; null where it would not understand it. */
  private introduction(from: Acquaintance, to: Peer, now: Millis): RelayExtension | null {
    if (!from.shoal) return null
    const age = Math.floor(now / 1000) - from.joinedSeconds
    return {
      cost: this.locality.cost(from.place, to.place),
      ageSeconds: Math.min(MAX_AGE_SECONDS, Math.max(0, age)),
    }
  }
}

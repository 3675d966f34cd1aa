import type { IceCandidate, InfoHash, Millis, PeerId } from '@shoal/protocol'
import type { Reporter, Reports } from '../integrity/integrity.js'
import type { Accused, Elsewhere, Here } from '../signalling/elsewhere.js'
import type { Random } from '../swarm/candidates.js'
import type { OffersInFlight } from '../swarm/offers-in-flight.js'
import type { Peer } from '../swarm/peer.js'
import type { Swarm } from '../swarm/swarm.js'
import type { Offer } from '../wire/offer.js'
import type { WireText } from '../wire/wire-text.js'
import { AwayOffers } from './away-offers.js'
import type { NodeId } from './bus.js'
import type { NodeCounts } from './counts.js'
import { wantedBy } from './counts.js'
import type { Directory } from './directory.js'
import { EvenDraws } from './even-draws.js'
import type { ItemFrame } from './frames.js'
import { Guests } from './guests.js'
import type { Item, PeerSketch } from './items.js'
import { awayOffers } from './share.js'

/** Events since the start, for `/metrics`. */
export interface ClusterCounters {
  offersSent: number
  offersReceived: number
  /** Of those received, delivered to a peer. */
  offersDelivered: number
  answersSent: number
  candidatesSent: number
  /** Items that belong to nothing here: late, repeated, or for peers that have left. */
  strays: number
}

/** Introduces peers of this node to those of others. Without clock, chance or Redis. */
export class Cluster implements Elsewhere {
  readonly counters: ClusterCounters = {
    offersSent: 0,
    offersReceived: 0,
    offersDelivered: 0,
    answersSent: 0,
    candidatesSent: 0,
    strays: 0,
  }
  private readonly here: Here
  private readonly accusations: Accused
  private readonly directory: Directory
  private readonly offers: OffersInFlight
  private readonly guests: Guests
  private readonly away = new AwayOffers()
  /** Which announces have offers for other nodes. */
  private readonly draws = new WeakMap<Swarm, EvenDraws>()
  private readonly ports: ClusterPorts

  constructor(
    here: Here,
    accusations: Accused,
    directory: Directory,
    offers: OffersInFlight,
    ports: ClusterPorts,
  ) {
    this.here = here
    this.accusations = accusations
    this.directory = directory
    this.offers = offers
    this.guests = new Guests(offers)
    this.ports = ports
  }

  counts(infoHash: InfoHash) {
    const { viewers, seeders, otherLeechers, otherSeeders, downloaded } = this.directory.total(infoHash)
    return { complete: seeders + otherSeeders, incomplete: viewers + otherLeechers, downloaded }
  }

  touched(infoHash: InfoHash): void {
    this.ports.touched(infoHash)
  }

  share(offerer: Peer, count: number): number {
    if (count === 0 || !this.ports.joined()) return 0
    const elsewhere = this.directory.total(offerer.swarm.infoHash)
    const mean = awayOffers(offerer, count, elsewhere)
    if (mean === 0) return 0
    let draws = this.draws.get(offerer.swarm)
    if (draws === undefined) {
      draws = new EvenDraws(this.ports.random)
      this.draws.set(offerer.swarm, draws)
    }
    return Math.min(count, draws.draw(mean), wantedBy(offerer, elsewhere))
  }

  room(offerer: Peer): number {
    return this.ports.joined() ? wantedBy(offerer, this.directory.total(offerer.swarm.infoHash)) : 0
  }

  offer(offerer: Peer, offers: readonly Offer[], now: Millis): void {
    const nodes = this.directory.nodesOf(offerer.swarm.infoHash)
    if (nodes === undefined || offers.length === 0 || !this.ports.joined()) return
    const from = sketchOf(offerer, now)
    for (const [node, some] of this.spread(offerer, offers, nodes)) {
      const fresh = some.filter(({ offerId }) => this.away.add(offerer, offerId, node, now))
      if (fresh.length === 0) continue
      this.ports.send(node, { type: 'offers', infoHash: offerer.swarm.infoHash, from, offers: fresh })
      this.counters.offersSent += fresh.length
    }
  }

  answer(sender: Peer, to: PeerId, offerId: string, sdpJson: WireText, now: Millis): boolean {
    const guest = this.guests.get(sender.swarm, to)
    if (guest === undefined || !this.offers.answer(guest.peer, sender, offerId, now)) return false
    const { infoHash } = sender.swarm
    this.ports.send(guest.node, {
      type: 'answer',
      infoHash,
      from: sketchOf(sender, now),
      to,
      offerId,
      sdpJson,
    })
    this.counters.answersSent++
    return true
  }

  candidates(
    sender: Peer,
    to: PeerId,
    offerId: string,
    candidates: readonly IceCandidate[],
    now: Millis,
  ): boolean {
    const guest = this.guests.get(sender.swarm, to)
    const count = candidates.length
    const toGuest = guest !== undefined && this.offers.candidates(sender, guest.peer, offerId, count, now)
    const node = toGuest ? guest.node : this.away.candidatesTo(sender, to, offerId, count, now)
    if (node === null) return false
    const { infoHash } = sender.swarm
    this.ports.send(node, { type: 'candidates', infoHash, from: sender.id, to, offerId, candidates })
    this.counters.candidatesSent++
    return true
  }

  accuse(infoHash: InfoHash, accused: PeerId, network: string): void {
    const nodes = this.directory.nodesOf(infoHash)
    if (nodes === undefined || !this.ports.joined()) return
    for (const node of nodes.keys()) {
      this.ports.send(node, { type: 'accusation', infoHash, network, to: accused })
    }
  }

  /** Sends what a peer here reports of segments to all nodes that have its swarm. */
  reported(infoHash: InfoHash, from: Reporter, { lists = [], wrong = [] }: Reports): void {
    const nodes = this.directory.nodesOf(infoHash)
    if (nodes === undefined || !this.ports.joined()) return
    for (const node of nodes.keys()) this.ports.send(node, { type: 'reports', infoHash, from, lists, wrong })
  }

  banned(infoHash: InfoHash, address: string): void {
    this.ports.banned(infoHash, address)
  }

  left(peer: Peer): void {
    this.away.forget(peer)
  }

  sweep(now: Millis): void {
    this.guests.sweep(now)
    this.away.sweep(now)
  }

  /** Takes what another node sent. */
  take({ from, items }: ItemFrame, now: Millis): void {
    for (const item of items) if (!this.takeItem(from, item, now)) this.counters.strays++
  }

  private takeItem(node: NodeId, item: Item, now: Millis): boolean {
    const swarm = this.here.swarm(item.infoHash)
    if (item.type === 'offers') {
      this.counters.offersReceived += item.offers.length
      if (swarm === undefined) return false
      const same = swarm.peers.get(item.from.id)
      // Whoever joined there since it was last heard of here is there: the socket here is half open.
      if (same !== undefined && item.from.ageSeconds < Math.floor(now / 1000) - same.seenSeconds) {
        this.here.moved(same)
        if (swarm.peers.size === 0) return false
      }
      const guest = this.guests.welcome(node, swarm, item.from, now)
      this.counters.offersDelivered += this.here.deliverOffers(guest, item.offers, now)
      return true
    }
    if (item.type === 'reports') {
      this.ports.reported(item.infoHash, item.from, item, now)
      return true
    }
    const to = swarm?.peers.get(item.to)
    if (item.type === 'accusation') {
      // Every node that has the swarm gets it, and one of them has the peer.
      if (to !== undefined) this.accusations.accused(to, item.network, now)
      return true
    }
    if (swarm === undefined || to === undefined) return false
    const { offerId } = item
    if (item.type === 'answer') {
      const { id, shoal, place, ageSeconds } = item.from
      if (!this.away.answer(to, node, id, offerId, now)) return false
      const joinedSeconds = Math.floor(now / 1000) - ageSeconds
      this.here.deliverAnswer({ id, shoal, place, joinedSeconds }, to, offerId, item.sdpJson, now)
      return true
    }
    const count = item.candidates.length
    const guest = this.guests.get(swarm, item.from)
    const fromGuest = guest?.node === node && this.offers.candidates(guest.peer, to, offerId, count, now)
    if (!fromGuest && !this.away.candidatesFrom(to, node, item.from, offerId, count, now)) return false
    this.here.deliverCandidates(item.from, to, offerId, item.candidates)
    return true
  }

  /** Each offer goes to one node, with a chance by how many peers are there for it. */
  private spread(
    offerer: Peer,
    offers: readonly Offer[],
    nodes: ReadonlyMap<NodeId, NodeCounts>,
  ): Map<NodeId, Offer[]> {
    const room = [...nodes].map(([node, counts]) => ({ node, peers: wantedBy(offerer, counts) }))
    let left = room.reduce((sum, { peers }) => sum + peers, 0)
    const spread = new Map<NodeId, Offer[]>()
    for (const offer of offers) {
      if (left <= 0) break
      let at = this.ports.random() * left
      const place = room.find((each) => {
        at -= each.peers
        return at < 0
      })
      if (place === undefined) break
      place.peers--
      left--
      const some = spread.get(place.node)
      if (some === undefined) spread.set(place.node, [offer])
      else some.push(offer)
    }
    return spread
  }
}

export interface ClusterPorts {
  /** True while other nodes can be reached. */
  joined(): boolean
  /** Sends an item to a node, with others of the same turn of the event loop. */
  send(node: NodeId, item: Item): void
  touched(infoHash: InfoHash): void
  /** A peer of another node reports segments of a swarm. */
  reported(infoHash: InfoHash, from: Reporter, reports: Reports, now: Millis): void
  /** Tells all nodes of a ban. */
  banned(infoHash: InfoHash, address: string): void
  /** Uniform in [0, 1). */
  readonly random: Random
}

function sketchOf({ id, shoal, seeder, joinedSeconds, place }: Peer, now: Millis): PeerSketch {
  const ageSeconds = Math.max(0, Math.floor(now / 1000) - joinedSeconds)
  return { id, shoal, seeder, ageSeconds, place }
}

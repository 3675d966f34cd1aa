import type { IceCandidate, InfoHash, Millis, PeerId } from '@shoal/protocol'
import type { Peer } from '../swarm/peer.js'
import type { Swarm } from '../swarm/swarm.js'
import type { Offer } from '../wire/offer.js'
import type { SwarmCounts } from '../wire/server-message.js'
import type { WireText } from '../wire/wire-text.js'

/** The other nodes of a cluster, as the tracker sees them. */
export interface Elsewhere {
  /** Peers of the swarm at other nodes. */
  counts(infoHash: InfoHash): SwarmCounts & { readonly downloaded: number }
  /** Somebody joined, left or changed. */
  touched(infoHash: InfoHash): void
  /** Of `count` offers of this peer, how many go to other nodes even if there are peers enough here. */
  share(offerer: Peer, count: number): number
  /** For how many offers of this peer there are peers at other nodes. */
  room(offerer: Peer): number
  /** Sends offers to peers of other nodes, as many as there are peers for. */
  offer(offerer: Peer, offers: readonly Offer[], now: Millis): void
  /** Sends an answer to the node that the offer came from; false where none came. */
  answer(sender: Peer, to: PeerId, offerId: string, sdpJson: WireText, now: Millis): boolean
  /** As `answer`, for either end of an offer. */
  candidates(
    sender: Peer,
    to: PeerId,
    offerId: string,
    candidates: readonly IceCandidate[],
    now: Millis,
  ): boolean
  /** A peer of this network accuses one that is not here. */
  accuse(infoHash: InfoHash, accused: PeerId, network: string): void
  /** An address has been banned from a swarm here. */
  banned(infoHash: InfoHash, address: string): void
  left(peer: Peer): void
  sweep(now: Millis): void
}

/** What the other nodes ask of the tracker. */
export interface Here {
  swarm(infoHash: InfoHash): Swarm | undefined
  /**
   * Delivers a guest's offers to peers of its swarm, one each.
   *
   * @returns how many were delivered
   */
  deliverOffers(guest: Peer, offers: readonly Offer[], now: Millis): number
  /** This peer of ours has come back at another node, and its socket here is dead. */
  moved(peer: Peer): void
  deliverAnswer(from: Acquaintance, to: Peer, offerId: string, sdpJson: WireText, now: Millis): void
  deliverCandidates(from: PeerId, to: Peer, offerId: string, candidates: readonly IceCandidate[]): void
}

/** What of accusations reaches the tracker from other nodes. */
export interface Accused {
  /** A peer of this network says that one of ours passes on wrong data. */
  accused(suspect: Peer, network: string, now: Millis): void
}

/** What of a peer is needed to introduce it to another. */
export type Acquaintance = Pick<Peer, 'id' | 'shoal' | 'place' | 'joinedSeconds'>

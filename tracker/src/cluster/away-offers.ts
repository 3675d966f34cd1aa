import type { Millis, PeerId } from '@shoal/protocol'
import { MAX_CANDIDATES } from '@shoal/protocol'
import { OFFER_LIFE_MS } from '../swarm/offers-in-flight.js'
import type { Peer } from '../swarm/peer.js'
import { AWAY, AwayTable, candidatesIn, STATE } from './away-table.js'
import type { NodeId } from './bus.js'

/** Offers of one peer that are remembered while they are elsewhere; the oldest makes room. */
const MAX_OF_PEER = 64

/** Offers that are remembered over all peers, 68 bytes each. */
const MAX_TOTAL = 500_000

/** Of one peer: the records of the oldest and the newest, -1 for none, and how many there are. */
interface Chain {
  oldest: number
  newest: number
  count: number
}

/** Offers of peers here that went to other nodes: where answers may come from, and candidates go to. */
export class AwayOffers {
  private readonly byPeer = new Map<Peer, Chain>()
  private readonly table = new AwayTable()

  get size(): number {
    return this.table.size
  }

  /** Remembers an offer that goes to `node`; false where it must not go: it has gone before. */
  add(offerer: Peer, offerId: string, node: NodeId, now: Millis): boolean {
    let chain = this.byPeer.get(offerer)
    if (chain !== undefined) this.trim(chain, now)
    if (this.table.find(offerer.serial, offerId) >= 0 || this.table.size >= MAX_TOTAL) return false
    if (chain === undefined) {
      chain = { oldest: -1, newest: -1, count: 0 }
      this.byPeer.set(offerer, chain)
    }
    const at = this.table.add(offerer.serial, node, (now + OFFER_LIFE_MS) | 0)
    if (chain.count++ === 0) chain.oldest = at
    else this.table.ints[chain.newest + AWAY.newer] = at
    chain.newest = at
    return true
  }

  /** True when an answer of `receiver` at `node` is to be relayed: the first one, in time. */
  answer(offerer: Peer, node: NodeId, receiver: PeerId, offerId: string, now: Millis): boolean {
    const at = this.at(offerer, node, receiver, offerId, now)
    if (at < 0 || (this.state(at) & STATE.answered) !== 0) return false
    this.table.ints[at + AWAY.state] = this.state(at) | STATE.answered
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
    const at = this.at(offerer, node, receiver, offerId, now)
    return at >= 0 && this.count(at, STATE.fromReceiver, count)
  }

  /** The node that the offerer's candidates for `receiver` go to; null where they must not go. */
  candidatesTo(offerer: Peer, receiver: PeerId, offerId: string, count: number, now: Millis): NodeId | null {
    const at = this.table.find(offerer.serial, offerId)
    if (at < 0 || !this.lives(at, now) || (this.state(at) & STATE.hasReceiver) === 0) return null
    this.table.decode(receiver)
    if (!this.table.hasId(at + AWAY.receiver) || !this.count(at, STATE.fromOfferer, count)) return null
    return this.table.nodeOf(at)
  }

  forget(offerer: Peer): void {
    const chain = this.byPeer.get(offerer)
    if (chain === undefined) return
    while (chain.count > 0) this.dropOldest(chain)
    this.byPeer.delete(offerer)
  }

  /** O(peers with offers elsewhere): for a timer. */
  sweep(now: Millis): void {
    for (const [offerer, chain] of this.byPeer) {
      while (chain.count > 0 && !this.lives(chain.oldest, now)) this.dropOldest(chain)
      if (chain.count === 0) this.byPeer.delete(offerer)
    }
  }

  /** The first who says something about an offer is the one who has it. */
  private at(offerer: Peer, node: NodeId, receiver: PeerId, offerId: string, now: Millis): number {
    const { table } = this
    const at = this.table.find(offerer.serial, offerId)
    if (at < 0 || !table.isAt(at, node) || !this.lives(at, now)) return -1
    table.decode(receiver)
    if ((this.state(at) & STATE.hasReceiver) !== 0) return table.hasId(at + AWAY.receiver) ? at : -1
    table.putId(at + AWAY.receiver)
    table.ints[at + AWAY.state] = this.state(at) | STATE.hasReceiver
    return at
  }

  private state(at: number): number {
    return this.table.ints[at + AWAY.state] ?? 0
  }

  private lives(at: number, now: Millis): boolean {
    // The difference of two times on a clock that wraps: right for 24 days.
    return (((this.table.ints[at + AWAY.expires] ?? 0) - (now | 0)) | 0) > 0
  }

  /** @param one what a candidate counts in the state */
  private count(at: number, one: number, more: number): boolean {
    const state = this.state(at)
    if (candidatesIn(state, one) + more > MAX_CANDIDATES) return false
    this.table.ints[at + AWAY.state] = state + one * more
    return true
  }

  /** Makes room for one more. */
  private trim(chain: Chain, now: Millis): void {
    while (chain.count > 0 && (chain.count >= MAX_OF_PEER || !this.lives(chain.oldest, now))) {
      this.dropOldest(chain)
    }
  }

  private dropOldest(chain: Chain): void {
    const at = chain.oldest
    chain.oldest = this.table.ints[at + AWAY.newer] ?? -1
    chain.count--
    this.table.remove(at)
  }
}

import type { InfoHash, Millis, PeerId } from '@shoal/protocol'
import type { OffersInFlight } from '../swarm/offers-in-flight.js'
import { Peer } from '../swarm/peer.js'
import type { Swarm } from '../swarm/swarm.js'
import type { NodeId } from './bus.js'
import type { PeerSketch } from './items.js'

/** Peers of other nodes that are remembered; one more replaces the one that was here first. */
const MAX_GUESTS = 50_000

interface Guest {
  readonly node: NodeId
  readonly peer: Peer
}

/**
 * Peers of other nodes whose offers were delivered here: for whom answers and candidates are.
 *
 * A guest is in the swarm's table, so that matching knows where it comes from, but in none of its
 * pools: it is nobody's neighbour here and counts nowhere.
 */
export class Guests {
  private readonly offers: OffersInFlight
  private readonly byKey = new Map<string, Guest>()

  constructor(offers: OffersInFlight) {
    this.offers = offers
  }

  get size(): number {
    return this.byKey.size
  }

  get(swarm: Swarm, id: PeerId): Guest | undefined {
    const guest = this.byKey.get(keyOf(swarm.infoHash, id))
    return guest?.peer.swarm === swarm ? guest : undefined
  }

  /** The guest, newly made where it is not known, or not from this node. */
  welcome(node: NodeId, swarm: Swarm, sketch: PeerSketch, now: Millis): Peer {
    const key = keyOf(swarm.infoHash, sketch.id)
    const known = this.byKey.get(key)
    if (known?.node === node && known.peer.swarm === swarm) {
      known.peer.seen(now)
      return known.peer
    }
    if (known !== undefined) this.dismiss(key, known)
    const [oldest] = this.byKey
    if (this.byKey.size >= MAX_GUESTS && oldest !== undefined) this.dismiss(...oldest)
    const peer = guestPeer(swarm, sketch, now)
    this.byKey.set(key, { node, peer })
    return peer
  }

  /** Forgets those whose offers nobody can answer any more. O(guests): for a timer. */
  sweep(now: Millis): void {
    for (const [key, guest] of this.byKey) {
      this.offers.expire(guest.peer, now)
      if (guest.peer.offerCount === 0) this.dismiss(key, guest)
    }
  }

  private dismiss(key: string, { peer }: Guest): void {
    this.byKey.delete(key)
    this.offers.forget(peer)
    peer.swarm.table.release(peer.slot)
  }
}

function guestPeer(swarm: Swarm, { id, shoal, seeder, ageSeconds, place }: PeerSketch, now: Millis): Peer {
  const peer = new Peer({ id, swarm, session: null, place, shoal, seeder }, now, ageSeconds)
  peer.slot = swarm.table.allocate(peer)
  swarm.table.setPlace(peer.slot, place)
  return peer
}

function keyOf(infoHash: InfoHash, id: PeerId): string {
  return infoHash + id
}

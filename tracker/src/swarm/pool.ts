import { LocalityBuckets } from './locality-buckets.js'
import type { Peer } from './peer.js'
import type { PeerTable } from './peer-table.js'

/**
 * Peers from which on a pool is kept by place too. Matching looks at all peers of a smaller one, and
 * most swarms never need the memory.
 */
const BUCKETS_FROM = 64

/** Peers below which the buckets are let go again: far enough that nobody pays for it twice. */
const BUCKETS_BELOW = 32

/** The peers of one kind in one swarm: joining and leaving are O(1). */
export class Pool {
  readonly peers: Peer[] = []
  /** Their slots, in the same order. */
  readonly slots: number[] = []
  private readonly table: PeerTable
  private byPlace: LocalityBuckets | null = null

  constructor(table: PeerTable) {
    this.table = table
  }

  /** The peers by place; null while there are few. */
  get buckets(): LocalityBuckets | null {
    return this.byPlace
  }

  add(peer: Peer): void {
    peer.index = this.peers.push(peer) - 1
    this.slots.push(peer.slot)
    if (this.byPlace !== null) this.byPlace.add(peer.slot, peer.place)
    else if (this.peers.length >= BUCKETS_FROM) {
      this.byPlace = new LocalityBuckets(this.table)
      for (const { slot, place } of this.peers) this.byPlace.add(slot, place)
    }
  }

  /** Fills the gap with the pool's last peer. */
  remove(peer: Peer): void {
    this.byPlace?.remove(peer.slot, peer.place)
    const last = this.peers.pop()
    this.slots.pop()
    if (last !== undefined && last !== peer) {
      this.peers[peer.index] = last
      this.slots[peer.index] = last.slot
      last.index = peer.index
    }
    if (this.peers.length < BUCKETS_BELOW) this.byPlace = null
  }
}

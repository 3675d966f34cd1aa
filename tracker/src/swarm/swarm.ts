import type { InfoHash, PeerId } from '@shoal/protocol'
import type { RunningTotals } from '../stats/totals.js'
import { emptyTotals } from '../stats/totals.js'
import type { Peer } from './peer.js'

/**
 * The peers of one info hash, in four pools that matching samples from: Shoal or not, seeder or not.
 *
 * A pool is a dense list and a peer knows its place in it, so that joining, leaving and changing
 * pools are O(1) and a random peer is one index away.
 */
export class Swarm {
  readonly infoHash: InfoHash
  /** The info hash as JSON: part of every message about this swarm. */
  readonly hashJson: string
  readonly peers = new Map<PeerId, Peer>()
  readonly viewers: Peer[] = []
  readonly seeders: Peer[] = []
  readonly otherLeechers: Peer[] = []
  readonly otherSeeders: Peer[] = []
  readonly totals: RunningTotals = emptyTotals()
  /** Peers that completed their download here. */
  downloaded = 0

  constructor(infoHash: InfoHash) {
    this.infoHash = infoHash
    this.hashJson = JSON.stringify(infoHash)
  }

  get complete(): number {
    return this.seeders.length + this.otherSeeders.length
  }

  get incomplete(): number {
    return this.viewers.length + this.otherLeechers.length
  }

  /** What a seeder calls the title; null when none says. */
  get name(): string | null {
    for (const { name } of this.seeders) if (name !== null) return name
    return null
  }

  add(peer: Peer): void {
    this.peers.set(peer.id, peer)
    this.enter(peer)
  }

  remove(peer: Peer): void {
    this.peers.delete(peer.id)
    this.exit(peer)
  }

  /** Moves a peer to the pool of what it has become. */
  reclassify(peer: Peer, shoal: boolean, seeder: boolean): void {
    if (peer.shoal === shoal && peer.seeder === seeder) return
    this.exit(peer)
    peer.shoal = shoal
    peer.seeder = seeder
    this.enter(peer)
  }

  private poolOf(peer: Peer): Peer[] {
    if (peer.shoal) return peer.seeder ? this.seeders : this.viewers
    return peer.seeder ? this.otherSeeders : this.otherLeechers
  }

  private enter(peer: Peer): void {
    peer.index = this.poolOf(peer).push(peer) - 1
  }

  /** Fills the gap with the pool's last peer. */
  private exit(peer: Peer): void {
    const pool = this.poolOf(peer)
    const last = pool.pop()
    if (last === undefined || last === peer) return
    pool[peer.index] = last
    last.index = peer.index
  }
}

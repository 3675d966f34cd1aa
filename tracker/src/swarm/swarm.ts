import type { InfoHash, MatchingHints, PeerId } from '@shoal/protocol'
import type { Place } from '../locality/place.js'
import type { RunningTotals } from '../stats/totals.js'
import { emptyTotals } from '../stats/totals.js'
import type { WireText } from '../wire/wire-text.js'
import { idJson } from '../wire/wire-text.js'
import type { Peer } from './peer.js'
import { FIELD, PeerTable } from './peer-table.js'
import { Pool } from './pool.js'
import { writeHints } from './score.js'
import { Uplinks, uplinkBin } from './uplinks.js'

interface Pools {
  leechers: Pool
  seeders: Pool
}

/** For all kinds of peers that a swarm does not have: most have one kind. Nobody is ever put into it. */
const NOBODY = new Pool(new PeerTable())
const NO_POOLS: Readonly<Pools> = { leechers: NOBODY, seeders: NOBODY }

/**
 * The peers of one info hash, in four pools that matching samples from: Shoal or not, seeder or not.
 * Joining, leaving and changing pools are O(1).
 */
export class Swarm {
  readonly infoHash: InfoHash
  /** The info hash as JSON: part of every message about this swarm. */
  readonly hashJson: WireText
  readonly peers = new Map<PeerId, Peer>()
  /** What Shoal's viewers can give. */
  readonly uplinks = new Uplinks()
  readonly totals: RunningTotals = emptyTotals()
  /** Peers that completed their download here. */
  downloaded = 0
  readonly table: PeerTable
  private shoal: Readonly<Pools> = NO_POOLS
  private others: Readonly<Pools> = NO_POOLS

  constructor(infoHash: InfoHash, table: PeerTable) {
    this.infoHash = infoHash
    this.table = table
    this.hashJson = idJson(infoHash)
  }

  get viewers(): readonly Peer[] {
    return this.shoal.leechers.peers
  }

  get seeders(): readonly Peer[] {
    return this.shoal.seeders.peers
  }

  get otherLeechers(): readonly Peer[] {
    return this.others.leechers.peers
  }

  get otherSeeders(): readonly Peer[] {
    return this.others.seeders.peers
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

  /** The pools of those who speak what the peer speaks. */
  poolsFor({ shoal }: Peer): Readonly<Pools> {
    return shoal ? this.shoal : this.others
  }

  add(peer: Peer): void {
    this.peers.set(peer.id, peer)
    peer.slot = this.table.allocate(peer)
    const seconds = peer.joinedSeconds
    this.table.set(peer.slot, FIELD.joined, seconds)
    this.table.set(peer.slot, FIELD.seen, seconds)
    writeHints(this.table, peer, this.uplinks.medianBytesPerSecond)
    this.enter(peer)
  }

  remove(peer: Peer): void {
    this.peers.delete(peer.id)
    this.exit(peer)
    this.table.release(peer.slot)
  }

  /** Moves a peer to where it belongs with what it has become. */
  reclassify(peer: Peer, shoal: boolean, seeder: boolean, place: Place): void {
    if (peer.shoal === shoal && peer.seeder === seeder && peer.place === place) return
    this.exit(peer)
    peer.shoal = shoal
    peer.seeder = seeder
    peer.place = place
    this.enter(peer)
  }

  /** Takes what a Shoal peer tells of itself; what it leaves out stays as it was. */
  applyHints(peer: Peer, told: MatchingHints): void {
    const before = uplinkOf(peer)
    const hints: MatchingHints = peer.hints === null ? told : { ...peer.hints, ...told }
    peer.hints = hints
    peer.uplinkBin = hints.uplink === undefined ? -1 : uplinkBin(hints.uplink)
    const after = uplinkOf(peer)
    if (before !== after) {
      if (before !== null) this.uplinks.remove(before)
      if (after !== null) this.uplinks.add(after)
    }
    writeHints(this.table, peer, this.uplinks.medianBytesPerSecond)
  }

  private enter(peer: Peer): void {
    this.table.setPlace(peer.slot, peer.place)
    this.openPool(peer).add(peer)
    this.table.census.count(peer, 1)
    const uplink = uplinkOf(peer)
    if (uplink !== null) this.uplinks.add(uplink)
  }

  private exit(peer: Peer): void {
    this.poolOf(peer).remove(peer)
    this.table.census.count(peer, -1)
    const uplink = uplinkOf(peer)
    if (uplink !== null) this.uplinks.remove(uplink)
  }

  private poolOf(peer: Peer): Pool {
    const pools = this.poolsFor(peer)
    return peer.seeder ? pools.seeders : pools.leechers
  }

  /** As `poolOf`, made where there is none. */
  private openPool(peer: Peer): Pool {
    const known = this.poolOf(peer)
    if (known !== NOBODY) return known
    const pool = new Pool(this.table)
    const pools = { ...this.poolsFor(peer), [peer.seeder ? 'seeders' : 'leechers']: pool }
    if (peer.shoal) this.shoal = pools
    else this.others = pools
    return pool
  }
}

/** Bin of the uplink of a viewer that serves others, -1 where it is not known; null for anybody else. */
function uplinkOf({ shoal, seeder, hints, uplinkBin }: Peer): number | null {
  return shoal && !seeder && hints?.uploads !== false ? uplinkBin : null
}

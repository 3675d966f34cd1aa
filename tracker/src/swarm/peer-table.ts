import type { Place } from '../locality/place.js'
import { RunningCensus } from '../stats/census.js'
import type { Peer } from './peer.js'

/** Numbers of one record: 64 bytes, one cache line. */
export const RECORD = 16

/** What is at which place of a record. */
export const FIELD = {
  site: 0,
  local: 1,
  network: 2,
  /** Continent in the upper, country in the lower 16 bits. */
  region: 3,
  pid: 4,
  /** Whole seconds of the tracker's clock. */
  joined: 5,
  seen: 6,
  /** `qualityOf` its hints and `spareUplinkOf` them, in thousandths. */
  quality: 7,
  spare: 8,
  /** Tenths of a second; -1 while unknown. */
  playhead: 9,
  flags: 10,
  /** Last choice that has seen the peer. */
  choice: 11,
  /** Its places in the buckets of its pool, one for each level; -1 where it is alone or in none. */
  buckets: 12,
} as const

export const FLAG = { known: 1, receivesOnly: 2, full: 4, symmetric: 8 } as const

const FIRST_CAPACITY = 256

/**
 * What matching reads of each peer, side by side in memory.
 *
 * A choice looks at some fifty peers out of as many as a hundred thousand. Each of them is a cache
 * line here; as an object with its place and its hints it would be five or more, and the choice would
 * cost several times as much in a large swarm as in a small one.
 */
export class PeerTable {
  ints = new Int32Array(FIRST_CAPACITY * RECORD)
  /** Of all peers. */
  readonly census = new RunningCensus()
  private readonly peers: (Peer | null)[] = []
  private readonly free: number[] = []
  private stamp = 0
  private serial = 0

  /** Slot of a new peer, with an empty record; the peer gets its serial number. */
  allocate(peer: Peer): number {
    this.serial = (this.serial + 1) & 0x7fffffff
    peer.serial = this.serial
    const slot = this.free.pop() ?? this.peers.length
    this.peers[slot] = peer
    if (slot * RECORD >= this.ints.length) this.grow()
    this.ints.fill(0, slot * RECORD, (slot + 1) * RECORD)
    this.ints.fill(-1, slot * RECORD + FIELD.buckets, (slot + 1) * RECORD)
    return slot
  }

  release(slot: number): void {
    this.peers[slot] = null
    this.free.push(slot)
  }

  peer(slot: number): Peer | null {
    return this.peers[slot] ?? null
  }

  get(slot: number, field: number): number {
    return this.ints[slot * RECORD + field] ?? 0
  }

  set(slot: number, field: number, value: number): void {
    this.ints[slot * RECORD + field] = value
  }

  setPlace(slot: number, place: Place): void {
    this.set(slot, FIELD.site, place.site)
    this.set(slot, FIELD.local, place.local)
    this.set(slot, FIELD.network, place.network)
    this.set(slot, FIELD.region, (place.continent << 16) | place.country)
    this.set(slot, FIELD.pid, place.pid)
    const flags = this.get(slot, FIELD.flags) & ~FLAG.known
    this.set(slot, FIELD.flags, place.known ? flags | FLAG.known : flags)
  }

  /** A number that no record has as its choice. */
  nextStamp(): number {
    this.stamp = this.stamp === 0x7fffffff ? 1 : this.stamp + 1
    return this.stamp
  }

  private grow(): void {
    const grown = new Int32Array(this.ints.length * 2)
    grown.set(this.ints)
    this.ints = grown
  }
}

/** A place that a record is read into, again and again: nothing is allocated in a choice. */
export class PlaceView implements Place {
  site = 0
  local = 0
  network = 0
  country = 0
  continent = 0
  pid = 0
  known = false

  read(ints: Int32Array, at: number): this {
    this.site = ints[at + FIELD.site] ?? 0
    this.local = ints[at + FIELD.local] ?? 0
    this.network = ints[at + FIELD.network] ?? 0
    const region = ints[at + FIELD.region] ?? 0
    this.country = region & 0xffff
    this.continent = region >> 16
    this.pid = ints[at + FIELD.pid] ?? 0
    this.known = ((ints[at + FIELD.flags] ?? 0) & FLAG.known) !== 0
    return this
  }
}

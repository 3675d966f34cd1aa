import type { Millis } from '@shoal/protocol'
import { LEVEL_COUNT } from './locality-buckets.js'
import type { OffersInFlight } from './offers-in-flight.js'
import type { Peer } from './peer.js'
import type { PeerTable } from './peer-table.js'
import { FIELD, RECORD } from './peer-table.js'
import type { Pool } from './pool.js'
import { incompatible } from './score.js'

/** Uniform in [0, 1). */
export type Random = () => number

/** Share of a sample that comes from the whole swarm; the rest comes from the asker's surroundings. */
const WHOLE_SHARE = 0.25

/** Of what comes from the surroundings, how much may have come when a level has been sampled. */
const LEVEL_SHARES = [0.4, 0.65, 0.85, 1]

/** A sample of a pool: each peer once, without the asker and those who cannot be its neighbours. */
export class Candidates {
  readonly slots: Int32Array
  size = 0
  /** How many of them, the first ones, were drawn from the whole pool with equal chances. */
  uniform = 0
  private readonly random: Random
  private readonly offers: OffersInFlight
  private readonly drawn: Int32Array
  private stamp = 0
  private flags = 0

  constructor(capacity: number, random: Random, offers: OffersInFlight) {
    this.slots = new Int32Array(capacity)
    this.drawn = new Int32Array(capacity)
    this.random = random
    this.offers = offers
  }

  /** Begins a choice: nobody has been seen but the asker and those whom it was introduced to lately. */
  begin(asker: Peer, now: Millis): void {
    this.restart(asker)
    const { ints } = asker.swarm.table
    this.offers.eachReceiver(asker, now, (slot) => {
      ints[slot * RECORD + FIELD.choice] = this.stamp
    })
  }

  /** Begins again with nobody seen but the asker and those who are chosen. */
  beginAgain(asker: Peer, chosen: readonly Peer[]): void {
    this.restart(asker)
    for (const { slot, swarm } of chosen) swarm.table.set(slot, FIELD.choice, this.stamp)
  }

  /** Samples about `size` peers, at most the capacity. O(size), whatever the pool's size. */
  sample(pool: Pool, asker: Peer, size: number): void {
    this.size = 0
    const { slots, buckets } = pool
    const { table } = asker.swarm
    const bound = Math.min(size, this.slots.length)
    if (slots.length <= bound) {
      for (const slot of slots) this.take(table, slot)
      this.uniform = this.size
      return
    }
    this.draw(table, slots, buckets === null ? bound : Math.ceil(bound * WHOLE_SHARE))
    this.uniform = this.size
    if (buckets === null) return
    const surroundings = bound - this.uniform
    // Whether the records of the asker are of these buckets: a viewer may ask for seeders.
    const own = slots[asker.index] === asker.slot
    for (let level = 0; level < LEVEL_COUNT; level++) {
      if (own && table.get(asker.slot, FIELD.buckets + level) < 0) continue
      const bucket = buckets.at(level, asker.place)
      const share = LEVEL_SHARES[level] ?? 1
      if (bucket !== null) this.draw(table, bucket, this.uniform + Math.ceil(surroundings * share))
    }
    this.draw(table, slots, bound)
  }

  private restart(asker: Peer): void {
    const { table } = asker.swarm
    this.stamp = table.nextStamp()
    this.flags = table.get(asker.slot, FIELD.flags)
    table.set(asker.slot, FIELD.choice, this.stamp)
  }

  /** Draws from `slots` until there are `upTo` candidates; a second time for what fell out. */
  private draw(table: PeerTable, slots: readonly number[], upTo: number): void {
    for (let pass = 0; pass < 2; pass++) {
      const wanted = upTo - this.size
      if (wanted <= 0) return
      if (slots.length <= wanted) {
        for (const slot of slots) this.take(table, slot)
        return
      }
      // All draws before the first look: the processor then waits for many records at once.
      for (let i = 0; i < wanted; i++) {
        this.drawn[i] = slots[Math.floor(this.random() * slots.length)] ?? 0
      }
      for (let i = 0; i < wanted; i++) this.take(table, this.drawn[i] ?? 0)
    }
  }

  private take({ ints }: PeerTable, slot: number): void {
    const at = slot * RECORD
    if (ints[at + FIELD.choice] === this.stamp) return
    ints[at + FIELD.choice] = this.stamp
    if (!incompatible(this.flags, ints[at + FIELD.flags] ?? 0)) this.slots[this.size++] = slot
  }
}

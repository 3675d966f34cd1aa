import type { Place } from '../locality/place.js'
import type { PeerTable } from './peer-table.js'
import { FIELD } from './peer-table.js'

/** From the nearest to the farthest: what matching samples from first. */
const LEVELS = [
  (place: Place) => place.site,
  (place: Place) => place.local,
  (place: Place) => place.network,
  (place: Place) => place.country,
] as const

export const LEVEL_COUNT = LEVELS.length

/** Places of levels. */
export const LEVEL = { network: 2 } as const

/** Slots of the peers of one place; a lone peer stands for itself: most sites have one viewer. */
type Bucket = number | number[]

/**
 * The peers of a pool by place, at each level. A bucket is a dense list in which a peer knows its
 * index, so that joining and leaving are O(levels) and a random neighbour is one index away. A
 * bucket goes with its last peer.
 */
export class LocalityBuckets {
  private readonly table: PeerTable
  private readonly levels = LEVELS.map(() => new Map<number, Bucket>())

  constructor(table: PeerTable) {
    this.table = table
  }

  /** Slots of the peers that have the same place as `place` at this level; null when at most one has. */
  at(level: number, place: Place): readonly number[] | null {
    const bucket = this.levels[level]?.get(LEVELS[level]?.(place) ?? 0)
    return Array.isArray(bucket) ? bucket : null
  }

  add(slot: number, place: Place): void {
    for (let level = 0; level < LEVEL_COUNT; level++) {
      const key = LEVELS[level]?.(place) ?? 0
      // 0 is unknown: those who are nowhere are no neighbours.
      if (key !== 0) this.enter(level, key, slot)
    }
  }

  remove(slot: number, place: Place): void {
    for (let level = 0; level < LEVEL_COUNT; level++) {
      const key = LEVELS[level]?.(place) ?? 0
      if (key !== 0) this.exit(level, key, slot)
    }
  }

  private enter(level: number, key: number, slot: number): void {
    const buckets = this.levels[level]
    const bucket = buckets?.get(key)
    if (bucket === undefined) {
      buckets?.set(key, slot)
      return
    }
    let index = 1
    if (Array.isArray(bucket)) index = bucket.push(slot) - 1
    else {
      buckets?.set(key, [bucket, slot])
      this.table.set(bucket, FIELD.buckets + level, 0)
    }
    this.table.set(slot, FIELD.buckets + level, index)
  }

  /** Fills the gap with the bucket's last peer. */
  private exit(level: number, key: number, slot: number): void {
    const buckets = this.levels[level]
    const bucket = buckets?.get(key)
    const index = this.table.get(slot, FIELD.buckets + level)
    this.table.set(slot, FIELD.buckets + level, -1)
    if (!Array.isArray(bucket)) {
      buckets?.delete(key)
      return
    }
    const last = bucket.pop()
    if (last !== undefined && last !== slot) {
      bucket[index] = last
      this.table.set(last, FIELD.buckets + level, index)
    }
    const [left] = bucket
    if (bucket.length > 1 || left === undefined) return
    buckets?.set(key, left)
    this.table.set(left, FIELD.buckets + level, -1)
  }
}

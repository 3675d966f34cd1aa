import type { Swarm } from '../swarm/swarm.js'
import { packer } from './packer.js'

/** Peers of one swarm at one node, or at several together. */
export interface NodeCounts {
  readonly viewers: number
  readonly seeders: number
  readonly otherLeechers: number
  readonly otherSeeders: number
  /** Peers that completed their download. */
  readonly downloaded: number
}

const FIELDS = 5

/** Peers of one kind at one node at most. */
const MAX_COUNT = 10_000_000

export const NO_PEERS: NodeCounts = {
  viewers: 0,
  seeders: 0,
  otherLeechers: 0,
  otherSeeders: 0,
  downloaded: 0,
}

export function countsOf(swarm: Swarm | undefined): NodeCounts {
  if (swarm === undefined) return NO_PEERS
  return {
    viewers: swarm.viewers.length,
    seeders: swarm.seeders.length,
    otherLeechers: swarm.otherLeechers.length,
    otherSeeders: swarm.otherSeeders.length,
    downloaded: swarm.downloaded,
  }
}

/** A sum in which one term is now another. */
export function changeTotal(total: NodeCounts, before: NodeCounts, after: NodeCounts): NodeCounts {
  return {
    viewers: total.viewers - before.viewers + after.viewers,
    seeders: total.seeders - before.seeders + after.seeders,
    otherLeechers: total.otherLeechers - before.otherLeechers + after.otherLeechers,
    otherSeeders: total.otherSeeders - before.otherSeeders + after.otherSeeders,
    downloaded: total.downloaded - before.downloaded + after.downloaded,
  }
}

export function isSame(a: NodeCounts, b: NodeCounts): boolean {
  return (
    a.viewers === b.viewers &&
    a.seeders === b.seeders &&
    a.otherLeechers === b.otherLeechers &&
    a.otherSeeders === b.otherSeeders &&
    a.downloaded === b.downloaded
  )
}

export function isNobody({ viewers, seeders, otherLeechers, otherSeeders }: NodeCounts): boolean {
  return viewers + seeders + otherLeechers + otherSeeders === 0
}

/**
 * Peers that want the offers of one that speaks Shoal or not, and seeds or not: as `Matcher.choose`
 * sees it, but for seeders that are alone with seeders.
 */
export function wantedBy(
  asker: { readonly shoal: boolean; readonly seeder: boolean },
  at: NodeCounts,
): number {
  const leechers = asker.shoal ? at.viewers : at.otherLeechers
  if (asker.seeder) return leechers
  return leechers + (asker.shoal ? at.seeders : at.otherSeeders)
}

/**
 * True where others should hear of the change now: somebody is there where nobody was, or the other
 * way round. The rest is only shown to clients and can wait.
 */
export function isTransition(before: NodeCounts, after: NodeCounts): boolean {
  return (
    (before.viewers === 0) !== (after.viewers === 0) ||
    (before.seeders === 0) !== (after.seeders === 0) ||
    (before.otherLeechers === 0) !== (after.otherLeechers === 0) ||
    (before.otherSeeders === 0) !== (after.otherSeeders === 0)
  )
}

export function packCounts(counts: NodeCounts): Uint8Array {
  const { viewers, seeders, otherLeechers, otherSeeders, downloaded } = counts
  return packer.pack([viewers, seeders, otherLeechers, otherSeeders, downloaded])
}

/** Null for anything that is none. */
export function readCounts(value: unknown): NodeCounts | null {
  if (!Array.isArray(value) || value.length !== FIELDS || !value.every(isCount)) return null
  const [viewers = 0, seeders = 0, otherLeechers = 0, otherSeeders = 0, downloaded = 0] = value as number[]
  return { viewers, seeders, otherLeechers, otherSeeders, downloaded }
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_COUNT
}

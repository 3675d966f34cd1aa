import type { SwarmStats } from '@shoal/protocol'
import { hexOf } from '@shoal/protocol'
import type { Swarm } from '../swarm/swarm.js'

/** Swarms listed at most; the rest is in the sums only. */
const TOP_SWARMS = 50

export interface Census {
  readonly viewers: number
  readonly seeders: number
  readonly others: number
  readonly swarms: number
}

/** Counts peers by kind. O(swarms). */
export function takeCensus(swarms: Iterable<Swarm>): Census {
  const census = { viewers: 0, seeders: 0, others: 0, swarms: 0 }
  for (const swarm of swarms) {
    census.viewers += swarm.viewers.length
    census.seeders += swarm.seeders.length
    census.others += othersOf(swarm)
    census.swarms++
  }
  return census
}

/** The largest swarms, most viewers first, then most peers. O(swarms). */
export function topSwarms(swarms: Iterable<Swarm>, limit = TOP_SWARMS): SwarmStats[] {
  let top: Swarm[] = []
  let bar: Swarm | undefined
  for (const swarm of swarms) {
    if (bar !== undefined && bySize(swarm, bar) >= 0) continue
    top.push(swarm)
    // Sorted only now and then: every swarm costs O(1) on average.
    if (top.length < 4 * limit) continue
    top = top.sort(bySize).slice(0, limit)
    bar = top.at(-1)
  }
  return top.sort(bySize).slice(0, limit).map(statsOf)
}

function bySize(a: Swarm, b: Swarm): number {
  return b.viewers.length - a.viewers.length || b.peers.size - a.peers.size
}

function othersOf(swarm: Swarm): number {
  return swarm.otherLeechers.length + swarm.otherSeeders.length
}

function statsOf(swarm: Swarm): SwarmStats {
  return {
    infoHash: hexOf(swarm.infoHash),
    name: swarm.name,
    viewers: swarm.viewers.length,
    seeders: swarm.seeders.length,
    others: othersOf(swarm),
    ...swarm.totals,
  }
}

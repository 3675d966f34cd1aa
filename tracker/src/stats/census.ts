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

/** The census as it is kept up: each peer is counted when it comes, changes and goes. */
export class RunningCensus {
  viewers = 0
  seeders = 0
  others = 0

  /** @param by 1 for a peer that is there now, -1 for one that is not any more */
  count({ shoal, seeder }: { readonly shoal: boolean; readonly seeder: boolean }, by: 1 | -1): void {
    if (!shoal) this.others += by
    else if (seeder) this.seeders += by
    else this.viewers += by
  }
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

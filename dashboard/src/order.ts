import type { SwarmStats } from '@shoal/protocol'
import { readableName } from './format.js'
import { bySourceOf, offloadOf, sumOf } from './offload.js'

/** What the table of swarms can be sorted by. */
export type SortKey = 'name' | 'viewers' | 'seeders' | 'others' | 'bytes' | 'offload'

export interface SortOrder {
  readonly key: SortKey
  readonly descending: boolean
}

/** As the tracker lists them. */
export const DEFAULT_ORDER: SortOrder = { key: 'viewers', descending: true }

/** The order after a column was chosen: the largest first, names from A, and the reverse the second time. */
export function chosenOrder(order: SortOrder, key: SortKey): SortOrder {
  return order.key === key ? { key, descending: !order.descending } : { key, descending: key !== 'name' }
}

/** A sorted copy. What has no value (no name, nothing fetched) comes last in both directions. */
export function sortedSwarms(swarms: readonly SwarmStats[], order: SortOrder): readonly SwarmStats[] {
  const keyed = swarms.map((swarm) => ({ swarm, value: sortValue(swarm, order.key) }))
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) {
      if (a.value !== b.value) return a.value === null ? 1 : -1
    } else {
      const difference = compared(a.value, b.value)
      if (difference !== 0) return order.descending ? -difference : difference
    }
    // Equals keep one order from second to second.
    return a.swarm.infoHash < b.swarm.infoHash ? -1 : 1
  })
  return keyed.map(({ swarm }) => swarm)
}

/** `swarms` in the order in which they were shown before, new ones last: nothing moves under a pointer. */
export function heldSwarms(swarms: readonly SwarmStats[], shown: readonly string[]): readonly SwarmStats[] {
  const places = new Map(shown.map((infoHash, place) => [infoHash, place]))
  const placeOf = (swarm: SwarmStats): number => places.get(swarm.infoHash) ?? shown.length
  return [...swarms].sort((a, b) => placeOf(a) - placeOf(b))
}

function sortValue(swarm: SwarmStats, key: SortKey): number | string | null {
  switch (key) {
    case 'name':
      return readableName(swarm.name)
    case 'bytes':
      return sumOf(bySourceOf(swarm))
    case 'offload':
      return offloadOf(bySourceOf(swarm))
    default:
      return swarm[key]
  }
}

function compared(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a).localeCompare(String(b), 'en', { numeric: true, sensitivity: 'base' })
}

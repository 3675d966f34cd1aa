import { describe, expect, it } from 'vitest'
import type { Peer } from '../swarm/peer.js'
import { HASH } from '../testing/messages.js'
import { join, LEECHER, newRegistry, placeOf, SEEDER, VIEWER } from '../testing/swarm-builder.js'
import type { NodeCounts } from './counts.js'
import { NO_PEERS } from './counts.js'
import { awayOffers } from './share.js'

const viewers = (count: number): NodeCounts => ({ ...NO_PEERS, viewers: count })

/** The first of so many viewers at this node. */
function oneOf(count: number, place = placeOf(1, 1), others = place): Peer {
  const registry = newRegistry()
  const first = join(registry, 'first', VIEWER, HASH, place)
  for (let i = 1; i < count; i++) join(registry, `${i}`, VIEWER, HASH, others)
  return first
}

describe('offers that go to other nodes', () => {
  it('are three of all that the peers of a node make in a round, however many they are', () => {
    for (const count of [4, 10, 20]) expect(count * awayOffers(oneOf(count), 5, viewers(90))).toBeCloseTo(3)
  })

  it('are a fiftieth at least', () => {
    expect(awayOffers(oneOf(400), 5, viewers(4000))).toBeCloseTo(0.1)
  })

  it('are not more than chance would send there', () => {
    expect(awayOffers(oneOf(1), 5, viewers(1))).toBeCloseTo(2.5)
    expect(awayOffers(oneOf(499), 5, viewers(1))).toBeCloseTo(0.01)
  })

  it('are none where nobody wants them', () => {
    expect(awayOffers(oneOf(4), 5, { ...NO_PEERS, otherLeechers: 9, otherSeeders: 9 })).toBe(0)
    const registry = newRegistry()
    expect(awayOffers(join(registry, 's', SEEDER), 5, { ...NO_PEERS, seeders: 9 })).toBe(0)
    expect(awayOffers(join(registry, 'l', LEECHER), 5, viewers(9))).toBe(0)
  })

  it('are a fifth where a large swarm has nobody of the same provider here', () => {
    expect(awayOffers(oneOf(400, placeOf(1, 1), placeOf(2, 1)), 5, viewers(400))).toBeCloseTo(1)
    expect(awayOffers(oneOf(400, placeOf(0, 0), placeOf(2, 1)), 5, viewers(400))).toBeCloseTo(0.1)
  })
})

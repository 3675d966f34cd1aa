import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FULL, join, LEECHER, newRegistry, SEEDER, seededRandom, VIEWER } from '../testing/swarm-builder.js'
import { chooseReceivers, MAX_UNANSWERED_OFFERS } from './matching.js'
import type { Peer } from './peer.js'
import type { PeerProfile } from './registry.js'

/** A swarm with the given numbers of peers, and one more as the asker. */
function swarmOf(
  asker: PeerProfile,
  numbers: { [K in 'viewers' | 'seeders' | 'leechers' | 'full']?: number },
): Peer {
  const registry = newRegistry()
  const { viewers = 0, seeders = 0, leechers = 0, full = 0 } = numbers
  const add = (name: string, count: number, profile: PeerProfile) => {
    for (let i = 0; i < count; i++) join(registry, `${name} ${i}`, profile)
  }
  add('viewer', viewers, VIEWER)
  add('seeder', seeders, SEEDER)
  const peer = join(registry, 'asker', asker)
  add('leecher', leechers, LEECHER)
  add('full', full, FULL)
  return peer
}

const small = fc.nat(15)

describe('receivers', () => {
  it('are different, not the asker, of its kind, and as many as there are', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(VIEWER, SEEDER, LEECHER, FULL),
        fc.record({ viewers: small, seeders: small, leechers: small, full: small }),
        fc.integer({ min: 0, max: 10 }),
        fc.integer(),
        (profile, numbers, count, seed) => {
          const asker = swarmOf(profile, numbers)
          const chosen = chooseReceivers(asker, count, seededRandom(seed))
          expect(new Set(chosen).size).toBe(chosen.length)
          expect(chosen).not.toContain(asker)
          for (const peer of chosen) expect(peer.shoal).toBe(asker.shoal)
          const leechers = asker.shoal ? numbers.viewers : numbers.leechers
          const seeders = asker.shoal ? numbers.seeders : numbers.full
          if (asker.seeder && leechers > 0) for (const peer of chosen) expect(peer.seeder).toBe(false)
          const fit = asker.seeder ? leechers || seeders : leechers + seeders
          expect(chosen.length).toBe(Math.min(count, fit))
        },
      ),
    )
  })

  it('of a viewer include one seeder of a large swarm', () => {
    const asker = swarmOf(VIEWER, { viewers: 500, seeders: 2 })
    const chosen = chooseReceivers(asker, 5, seededRandom(1))
    expect(chosen.filter(({ seeder }) => seeder)).toHaveLength(1)
    expect(chosen).toHaveLength(5)
  })

  it.each([
    [LEECHER, { leechers: 12, full: 4 }, 16],
    [LEECHER, { leechers: 80, full: 20 }, 100],
    [SEEDER, { viewers: 11 }, 11],
  ])('are equally likely', (profile, numbers, size) => {
    const asker = swarmOf(profile, numbers)
    const random = seededRandom(7)
    const hits = new Map<Peer, number>()
    const rounds = 20_000
    for (let i = 0; i < rounds; i++) {
      for (const peer of chooseReceivers(asker, 5, random)) hits.set(peer, (hits.get(peer) ?? 0) + 1)
    }
    const expected = (rounds * 5) / size
    expect(hits.size).toBe(size)
    // Six standard deviations of a binomial count.
    for (const count of hits.values()) {
      expect(Math.abs(count - expected)).toBeLessThan(6 * Math.sqrt(expected))
    }
  })

  it('are not those with too many unanswered offers', () => {
    const asker = swarmOf(SEEDER, { viewers: 3 })
    const [busy] = asker.swarm.viewers
    if (busy !== undefined) busy.unanswered = MAX_UNANSWERED_OFFERS
    const chosen = chooseReceivers(asker, 5, seededRandom(1))
    expect(chosen).toHaveLength(2)
    expect(chosen).not.toContain(busy)
  })

  it('cost the same in a swarm of any size', () => {
    const draws = (viewers: number): number => {
      const asker = swarmOf(VIEWER, { viewers, seeders: 3 })
      let calls = 0
      const random = seededRandom(3)
      chooseReceivers(asker, 10, () => {
        calls++
        return random()
      })
      return calls
    }
    expect(draws(5000)).toBeLessThan(draws(50) + 10)
  })
})

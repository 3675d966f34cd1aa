import { SIM_DEFAULTS, type SimOptions, seededRandom, simulate } from '@shoal/core/testing'
import { millis, type PeerId } from '@shoal/protocol'
// biome-ignore lint/correctness/noUndeclaredDependencies: the repository's own test runner
import { describe, expect, it } from 'vitest'
import { trackerMatching } from './sim-matching.js'

const NOW = millis(1_000_000)

/** Viewers 1 to 30 in three providers in turn, each in one city; all have announced. */
function matcherOf(isps: number) {
  const people = new Map(
    Array.from({ length: 30 }, (_, index) => {
      const isp = isps === 0 ? 0 : 1 + (index % isps)
      return [`peer-${index}`.padEnd(20, '-') as PeerId, { index, isp, city: 0 }] as const
    }),
  )
  const personOf = (id: PeerId) => people.get(id) ?? null
  const matching = trackerMatching(seededRandom(5), personOf as Parameters<typeof trackerMatching>[1])
  const ids = [...people.keys()]
  for (const id of ids) matching.announced(id, { v: 1, role: 'viewer', uploads: true }, NOW)
  const ispOf = (id: PeerId | undefined) => (id === undefined ? null : people.get(id)?.isp)
  return { matching, ids, ispOf }
}

describe('the matching of simulated viewers', () => {
  it('gives offers to others, most of them of the same provider', () => {
    const { matching, ids, ispOf } = matcherOf(3)
    let inside = 0
    let all = 0
    for (const id of ids) {
      const offers = ['1', '2', '3', '4', '5'].map((offer) => `${id}${offer}`)
      const chosen = matching.choose(id, offers, NOW)
      expect(chosen).toHaveLength(5)
      expect(chosen).not.toContain(id)
      inside += chosen.filter((other) => ispOf(other) === ispOf(id)).length
      all += chosen.length
    }
    // By chance it would be 9 of 29.
    expect(inside / all).toBeGreaterThan(0.5)
  })

  it('tells cost and age of who is there', () => {
    const { matching, ids } = matcherOf(3)
    const [first, second, , fourth] = ids as [PeerId, PeerId, PeerId, PeerId]
    const later = millis(NOW + 7_500)
    expect(matching.introduction(first, fourth, later)).toEqual({ cost: 20, age: 7 })
    expect(matching.introduction(first, second, later)).toEqual({ cost: 65, age: 7 })
    matching.left(second)
    expect(matching.introduction(first, second, later)).toBeNull()
    expect(matching.choose(second, ['x'], later)).toEqual([])
  })

  it('tells the cost of what is not known where there are no providers', () => {
    const { matching, ids } = matcherOf(0)
    const [first, second] = ids as [PeerId, PeerId]
    expect(matching.introduction(first, second, NOW)).toEqual({ cost: 50, age: 0 })
  })
})

// Seconds of work, on a machine that may be doing much else.
describe('a simulated swarm of four providers', { timeout: 90_000 }, () => {
  const options: SimOptions = {
    ...SIM_DEFAULTS,
    viewers: 36,
    seconds: 14,
    bitsPerSecond: 400_000,
    maxLinks: 6,
    isps: 4,
    seed: 8,
  }

  it('has more of its traffic within them when the tracker matches', async () => {
    const random = await simulate(options, {}, trackerMatching)
    const local = await simulate({ ...options, matching: 'local' }, {}, trackerMatching)
    expect(local.sameIspShareAll).toBeGreaterThan((random.sameIspShareAll ?? 1) + 0.05)
    expect(local.sameIspLinkShare).toBeGreaterThan(random.sameIspLinkShare ?? 1)
    expect(local.largestComponentShare).toBe(1)
  })

  it('is refused without a matcher', async () => {
    await expect(simulate({ ...options, matching: 'local' })).rejects.toThrow(
      'local matching needs a matcher',
    )
  })
})

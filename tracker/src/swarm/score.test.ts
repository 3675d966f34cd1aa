import type { MatchingHints } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { join, newRegistry } from '../testing/swarm-builder.js'
import { RECORD } from './peer-table.js'
import { lifeOf, scoreOf } from './score.js'

interface Situation {
  readonly cost?: number
  readonly playhead?: number
  readonly seconds?: number
}

/** Score of a peer that joined at 0 and has told `hints`. */
function score(hints: MatchingHints, { cost = 50, playhead = -1, seconds = 0 }: Situation = {}): number {
  const peer = join(newRegistry(), 'a')
  const { swarm, slot } = peer
  swarm.applyHints(peer, hints)
  const { ints } = swarm.table
  return scoreOf(ints, slot * RECORD, cost, playhead, lifeOf(ints, slot * RECORD, seconds), seconds)
}

describe('the score', () => {
  it.each([
    ['nearer', score({}, { cost: 20 }), score({}, { cost: 40 })],
    ['with more uplink', score({ uplink: 8e5 }), score({ uplink: 4e5 })],
    ['serving', score({ uploads: true }), score({ uploads: false })],
    ['with room', score({ slots: 1 }), score({ slots: 0 })],
    ['with fewer links', score({ degree: 3 }), score({ degree: 12 })],
    ['with a shorter queue', score({ backlog: 0 }), score({ backlog: 100 })],
    ['that connects', score({ ok: 9, failed: 1 }), score({ ok: 1, failed: 9 })],
    [
      'at the same playhead',
      score({ playhead: 8 }, { playhead: 80 }),
      score({ playhead: 60 }, { playhead: 80 }),
    ],
    ['that told its playhead', score({ playhead: 8 }, { playhead: 80 }), score({}, { playhead: 80 })],
  ])('of a peer %s is higher', (_, better, worse) => {
    expect(better).toBeGreaterThan(worse)
  })

  it('of an older peer that is heard of is higher', () => {
    const registry = newRegistry()
    const peer = join(registry, 'a')
    const { ints } = peer.swarm.table
    const at = peer.slot * RECORD
    expect(lifeOf(ints, at, 0)).toBeCloseTo(120 / 420)
    expect(lifeOf(ints, at, 3600)).toBeCloseTo(3720 / 4020)
    const long = scoreOf(ints, at, 50, -1, 0.5, 600)
    expect(long).toBeLessThan(scoreOf(ints, at, 50, -1, 0.5, 0))
  })

  it('stays within its bounds, whatever is told', () => {
    const hints = fc.record(
      {
        uplink: fc.double({ min: 0, max: 1.25e9, noNaN: true }),
        uploads: fc.boolean(),
        slots: fc.nat(10_000),
        playhead: fc.double({ min: 0, max: 31_536_000, noNaN: true }),
        nat: fc.constantFrom('open' as const, 'symmetric' as const),
        degree: fc.nat(10_000),
        backlog: fc.nat(65_535),
        ok: fc.nat(1_000_000_000),
        failed: fc.nat(1_000_000_000),
      },
      { requiredKeys: [] },
    )
    const situation = fc.record({
      cost: fc.nat(100),
      playhead: fc.integer({ min: -1, max: 315_360_000 }),
      seconds: fc.nat(1_000_000_000),
    })
    fc.assert(
      fc.property(hints, situation, (told, where) => {
        expect(score(told, where)).toBeGreaterThanOrEqual(-0.5)
        expect(score(told, where)).toBeLessThanOrEqual(1.25)
      }),
    )
  })

  it('of a liar about its uplink is no higher than that of the best', () => {
    const registry = newRegistry()
    const peers = Array.from({ length: 9 }, (_, i) => join(registry, `peer ${i}`))
    for (const peer of peers) peer.swarm.applyHints(peer, { uplink: 4e5 })
    const [honest, liar] = peers
    if (honest === undefined || liar === undefined) throw new Error('nobody')
    const { swarm } = honest
    swarm.applyHints(honest, { uplink: 1.1e6 })
    swarm.applyHints(liar, { uplink: 1.25e9 })
    const { ints } = swarm.table
    const of = ({ slot }: typeof honest) => scoreOf(ints, slot * RECORD, 50, -1, 0.5, 0)
    expect(of(liar)).toBeCloseTo(of(honest), 2)
  })
})

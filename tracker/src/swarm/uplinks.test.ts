import type { MatchingHints } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { join, LEECHER, newRegistry, SEEDER, VIEWER } from '../testing/swarm-builder.js'
import { hintsOf } from './hints.js'
import { MIN_UPLINKS, Uplinks, uplinkBin } from './uplinks.js'

/** Half a bin, 1/8 of an octave: what the histogram does not tell apart. */
const BIN = 2 ** (1 / 16)

describe('the median of the uplinks', () => {
  it('is within half a bin of the exact one, after any changes', () => {
    const uplink = fc.double({ min: 1001, max: 1.25e9, noNaN: true })
    fc.assert(
      fc.property(
        fc.array(uplink, { minLength: MIN_UPLINKS, maxLength: 60 }),
        fc.array(uplink),
        (kept, gone) => {
          const uplinks = new Uplinks()
          for (const value of [...gone, ...kept]) uplinks.add(uplinkBin(value))
          for (const value of gone) uplinks.remove(uplinkBin(value))
          const sorted = [...kept].sort((a, b) => a - b)
          const exact = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0
          expect(uplinks.eligible).toBe(kept.length)
          expect(uplinks.medianBytesPerSecond).toBeGreaterThanOrEqual(Math.floor(exact / BIN - 1))
          expect(uplinks.medianBytesPerSecond).toBeLessThanOrEqual(Math.ceil(exact * BIN + 1))
        },
      ),
    )
  })

  it('of a few is not told: it would be that of one viewer', () => {
    const uplinks = new Uplinks()
    for (let i = 1; i < MIN_UPLINKS; i++) uplinks.add(uplinkBin(1e6))
    uplinks.add(-1)
    expect(uplinks).toMatchObject({ eligible: MIN_UPLINKS, medianBytesPerSecond: 0 })
    uplinks.add(uplinkBin(1e6))
    expect(uplinks.medianBytesPerSecond).toBeGreaterThan(0)
  })

  it('takes any number for an uplink', () => {
    for (const value of [0, 1, 1000, 1.25e9, 1e300, Number.POSITIVE_INFINITY, Number.NaN]) {
      const uplinks = new Uplinks()
      for (let i = 0; i < MIN_UPLINKS; i++) uplinks.add(uplinkBin(value))
      expect(Number.isSafeInteger(uplinks.medianBytesPerSecond)).toBe(true)
    }
  })
})

describe('a swarm', () => {
  it('counts the viewers that serve others, through every change', () => {
    const registry = newRegistry()
    const told: MatchingHints[] = [{}, { uploads: true }, { uploads: false }, { uplink: 5e5 }, { slots: 0 }]
    const step = fc.record({
      peer: fc.nat(7),
      profile: fc.constantFrom(VIEWER, SEEDER, LEECHER),
      hints: fc.constantFrom(...told),
      leaves: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const anchor = join(registry, 'anchor', SEEDER)
        const { swarm } = anchor
        for (const { peer, profile, hints, leaves } of steps) {
          const joined = join(registry, `peer ${peer}`, profile)
          if (joined.shoal) swarm.applyHints(joined, hints)
          if (leaves) registry.leave(joined)
        }
        const capable = swarm.viewers.filter((peer) => peer.hints?.uploads !== false)
        expect(swarm.uplinks.eligible).toBe(capable.length)
        for (const peer of [...swarm.peers.values()]) registry.leave(peer)
        expect(swarm.uplinks.eligible).toBe(0)
      }),
    )
  })

  it('keeps what an announce leaves out', () => {
    const peer = join(newRegistry(), 'a')
    peer.swarm.applyHints(peer, { uplink: 5e5, degree: 3 })
    peer.swarm.applyHints(peer, { degree: 4 })
    expect(peer.hints).toEqual({ uplink: 5e5, degree: 4 })
  })
})

it('hints are taken out of an extension without its other keys', () => {
  expect(hintsOf({ v: 1, role: 'viewer' } as MatchingHints)).toBeNull()
  const told = { v: 1, role: 'viewer', name: 'x', uploads: false, slots: 0, nat: 'cone' } as MatchingHints
  expect(hintsOf(told)).toEqual({ uploads: false, slots: 0, nat: 'cone' })
})

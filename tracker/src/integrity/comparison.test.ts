import type { InfoHash, PeerId } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BALLOT_MS, Comparison } from './comparison.js'

const swarm = (n: number) => String(n).padStart(20, '-') as InfoHash
const at = (s: number, h = 'a', n = 1) => ({ infoHash: swarm(n), s: `1:${s}:`, h })
const peer = (n: number) => `peer ${n}` as PeerId

describe('agreement and disputes', () => {
  it('two networks agree', () => {
    const reports = new Comparison(2)
    expect(reports.loaded(at(1), 1, peer(1), 0)?.outcome.agreed).toBeNull()
    expect(reports.loaded(at(1), 1, peer(2), 0)?.outcome.agreed).toBeNull()
    expect(reports.loaded(at(1), 2, peer(3), 0)?.outcome.agreed?.digest).toBe('a')
  })

  it('not in two swarms, and not on two segments', () => {
    const reports = new Comparison(2)
    reports.loaded(at(1), 1, peer(1), 0)
    expect(reports.loaded(at(2), 2, peer(2), 0)?.outcome.agreed).toBeNull()
    expect(reports.loaded(at(1, 'a', 2), 2, peer(2), 0)?.outcome.agreed).toBeNull()
  })

  it('reports of long ago do not count: a replay begins anew', () => {
    const reports = new Comparison(2)
    reports.loaded(at(1), 1, peer(1), 0)
    expect(reports.loaded(at(1), 2, peer(2), BALLOT_MS)?.outcome.agreed).toBeNull()
    expect(reports.size).toBe(1)
  })

  it('a dispute is told once, and again when lists are known to be wrong', () => {
    const reports = new Comparison(2)
    const tell = (h: string, network: number) => reports.loaded(at(1, h), network, peer(network), 0)?.tell
    expect([tell('a', 1), tell('b', 2), tell('b', 2), tell('a', 3)]).toEqual([false, true, false, false])
    // Three networks have loaded another list than that of network 2.
    expect([tell('a', 4), tell('a', 5)]).toEqual([true, false])
    expect(reports.loaded(at(1), 6, peer(6), 0)?.outcome).toMatchObject({ wrong: ['b'], disputed: false })
  })

  it('one liar disputes six segments in a minute, whoever comes first', () => {
    for (const liarFirst of [true, false]) {
      const reports = new Comparison(2)
      const told = (now: number) => {
        let count = 0
        for (let s = 0; s < 40; s++) {
          const voices = [
            () => reports.loaded(at(s + now, 'junk'), 1, peer(1), now),
            () => reports.loaded(at(s + now, 'a'), 100 + s, peer(100 + s), now),
          ]
          for (const speak of liarFirst ? voices : voices.reverse()) if (speak()?.tell === true) count++
        }
        return count
      }
      expect([told(0), told(30_000), told(60_000)]).toEqual([6, 0, 6])
    }
  })

  it('many liars dispute thirty segments of a swarm in a minute', () => {
    const reports = new Comparison(2)
    let told = 0
    for (let s = 0; s < 100; s++) {
      reports.loaded(at(s, 'junk'), 1000 + s, peer(1), 0)
      if (reports.loaded(at(s), 2000 + s, peer(2), 0)?.tell === true) told++
    }
    expect(told).toBe(30)
  })
})

describe('room', () => {
  it('a network that floods makes its own oldest reports go', () => {
    const reports = new Comparison(2)
    reports.loaded(at(0, 'a', 9), 2, peer(2), 0)
    for (let s = 0; s < 5000; s++) reports.loaded(at(s, 'junk'), 1, peer(1), 0)
    expect(reports.size).toBe(513)
    expect(reports.loaded(at(0, 'a', 9), 3, peer(3), 0)?.outcome.agreed?.digest).toBe('a')
  })

  it('a swarm has its part of it, the newest', () => {
    const reports = new Comparison(2)
    for (let s = 0; s < 10_000; s++) reports.loaded(at(s), s, peer(1), 0)
    expect([reports.size, reports.dropped]).toEqual([4096, 0])
    expect(reports.loaded(at(9999), -1, peer(2), 0)?.outcome.agreed?.digest).toBe('a')
    expect(reports.loaded(at(1), -1, peer(2), 0)?.outcome.agreed).toBeNull()
  })

  it('all swarms together have no more than there is, until it is over', () => {
    const reports = new Comparison(2)
    for (let n = 0; n < 10; n++) for (let s = 0; s < 4096; s++) reports.loaded(at(s, 'a', n), s, peer(1), n)
    expect([reports.size, reports.dropped]).toEqual([32_768, 8192])
    expect(reports.loaded(at(0, 'a', 20), 1, peer(1), 100)).toBeNull()
    expect(reports.loaded(at(0, 'a', 20), 1, peer(1), BALLOT_MS)).not.toBeNull()
  })

  it('is bounded for any reports, and empty when their time is over', () => {
    const report = fc.record({
      s: fc.nat(700),
      h: fc.constantFrom('a', 'b'),
      n: fc.nat(3),
      network: fc.nat(40),
      objects: fc.boolean(),
      wait: fc.constantFrom(0, 0, 0, 10, 200_000),
    })
    fc.assert(
      fc.property(fc.array(report, { minLength: 50, maxLength: 400, size: 'max' }), (all) => {
        const reports = new Comparison(2)
        let now = 0
        for (const { s, h, n, network, objects, wait } of all) {
          now += wait
          if (objects) reports.objected(at(s, h, n), network, now)
          else reports.loaded(at(s, h, n), network, peer(network), now)
        }
        expect(reports.size).toBeLessThanOrEqual(all.length)
        reports.expire(now + BALLOT_MS)
        expect(reports.size).toBe(0)
        // Nothing is left that would keep a network from beginning again.
        for (let s = 0; s < 512; s++) reports.loaded(at(s), 1, peer(1), now + BALLOT_MS)
        expect(reports.size).toBe(512)
      }),
      { numRuns: 50 },
    )
  })
})

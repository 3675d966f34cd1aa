import type { InfoHash, PeerId, PeerReport } from '@shoal/protocol'
import { millis } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { id } from '../testing/messages.js'
import { FULL, join, LEECHER, newRegistry, SEEDER, VIEWER } from '../testing/swarm-builder.js'
import { topSwarms } from './census.js'
import { DepartedReports } from './departed.js'
import { HISTORY_SAMPLES, History } from './history.js'
import { stepReport } from './reports.js'
import { addDelta, emptyTotals } from './totals.js'

const ZERO: PeerReport = { http: 0, peers: 0, seeders: 0, uploaded: 0, links: 0, stalls: 0 }

describe('reports', () => {
  it('count what is new since the last one', () => {
    const first = stepReport(null, { ...ZERO, http: 100, links: 3 }, 0)
    expect(first.delta).toMatchObject({ http: 100, peers: 0 })
    const second = stepReport(first.baseline, { ...ZERO, http: 150, peers: 7, links: 1 }, 10_000)
    expect(second.delta).toEqual({ http: 50, peers: 7, seeders: 0, uploaded: 0, stalls: 0 })
    expect(second.baseline.links).toBe(1)
  })

  it('that are repeated or late count nothing twice', () => {
    const counter = fc.nat(1_000_000)
    const report = fc.record({ http: counter, peers: counter, seeders: counter, uploaded: counter })
    fc.assert(
      fc.property(fc.array(report, { minLength: 1 }), (reports) => {
        const totals = emptyTotals()
        let baseline: PeerReport | null = null
        for (const counters of reports) {
          const step = stepReport(baseline, { ...ZERO, ...counters }, 10_000)
          addDelta(totals, step.delta)
          baseline = step.baseline
        }
        expect(totals.httpBytes).toBe(Math.max(...reports.map(({ http }) => http)))
        expect(totals.uploadedBytes).toBe(Math.max(...reports.map(({ uploaded }) => uploaded)))
      }),
    )
  })

  it('beyond any network are cut', () => {
    const { delta } = stepReport(null, { ...ZERO, peers: 2 ** 50, stalls: 1e6 }, 20_000)
    expect(delta.peers).toBe(1.25e9 * 20)
    expect(delta.stalls).toBe(40)
  })
})

describe('reports of departed peers', () => {
  const hash = id('hash') as InfoHash

  it('are there once when the peer is back, and not for ever', () => {
    const departed = new DepartedReports()
    departed.remember(hash, id('a') as PeerId, ZERO, millis(0))
    departed.remember(hash, id('b') as PeerId, ZERO, millis(1000))
    expect(departed.take(hash, id('a') as PeerId)).toBe(ZERO)
    expect(departed.take(hash, id('a') as PeerId)).toBeNull()
    departed.expire(millis(3_600_999))
    expect(departed.size).toBe(1)
    departed.expire(millis(3_601_000))
    expect(departed.size).toBe(0)
  })

  it('are bounded', () => {
    const departed = new DepartedReports()
    for (let i = 0; i < 10_005; i++) departed.remember(hash, id(`${i}`) as PeerId, ZERO, millis(0))
    expect(departed.size).toBe(10_000)
    expect(departed.take(hash, id('4') as PeerId)).toBeNull()
    expect(departed.take(hash, id('5') as PeerId)).toBe(ZERO)
  })
})

describe('history', () => {
  const input = (httpBytes: number) => ({ viewers: 2, seeders: 1, totals: { ...emptyTotals(), httpBytes } })

  it('has rates per second of real time', () => {
    const history = new History()
    expect(history.take(1000, input(500))).toMatchObject({ at: 1000, viewers: 2, seeders: 1, httpRate: 0 })
    expect(history.take(3000, input(2500))).toMatchObject({ httpRate: 1000, peerRate: 0 })
    expect(history.take(2000, input(9999))).toMatchObject({ httpRate: 0 })
  })

  it('keeps ten minutes, oldest first', () => {
    const history = new History()
    for (let i = 0; i < HISTORY_SAMPLES + 5; i++) history.take(i * 1000, input(0))
    const samples = history.samples()
    expect(samples).toHaveLength(HISTORY_SAMPLES)
    expect(samples[0]?.at).toBe(5000)
    expect(samples.at(-1)?.at).toBe((HISTORY_SAMPLES + 4) * 1000)
  })
})

describe('census', () => {
  it('counts peers by kind and lists the largest swarms first', () => {
    const registry = newRegistry()
    for (let s = 0; s < 300; s++) {
      for (let v = 0; v <= (s * 7) % 300; v++) if (v % 20 === 0) join(registry, `v${v}`, VIEWER, id(`s${s}`))
    }
    join(registry, 'seed', SEEDER, id('s0')).name = 'A title'
    join(registry, 'l', LEECHER, id('s0'))
    join(registry, 'f', FULL, id('s0'))
    const counted = [...registry.swarms()].reduce((sum, { viewers }) => sum + viewers.length, 0)
    expect(registry.census()).toEqual({ swarms: 300, viewers: counted, seeders: 1, others: 2 })
    const top = topSwarms(registry.swarms())
    expect(top).toHaveLength(50)
    const all = [...registry.swarms()].map(({ viewers }) => viewers.length).sort((a, b) => b - a)
    expect(top.map(({ viewers }) => viewers)).toEqual(all.slice(0, 50))
    const [first] = topSwarms([...registry.swarms()].slice(0, 1))
    expect(first).toMatchObject({ name: 'A title', viewers: 1, seeders: 1, others: 2 })
    expect(first?.infoHash).toMatch(/^[0-9a-f]{40}$/)
    for (const { peers } of [...registry.swarms()]) for (const peer of peers.values()) registry.leave(peer)
    expect(registry.census()).toEqual({ swarms: 0, viewers: 0, seeders: 0, others: 0 })
  })
})

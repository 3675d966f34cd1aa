import { describe, expect, it } from 'vitest'
import { Bans } from './bans.js'

const SECONDS = 600
const LIFE_MS = SECONDS * 1000

describe('Bans', () => {
  it('want three networks, and are over after a while', () => {
    const bans = new Bans({ seconds: SECONDS })
    const reports = ['n1', 'n1', 'n2', 'n2', 'n1'].map((network) => bans.report('s', 'own', network, 0))
    expect(reports).not.toContain(true)
    expect(bans.isBanned('s', 0)).toBe(false)
    expect(bans.report('s', 'own', 'n3', 0)).toBe(true)
    expect(bans.isBanned('s', LIFE_MS - 1)).toBe(true)
    expect(bans.isBanned('other', 0)).toBe(false)
    expect(bans.isBanned('s', LIFE_MS)).toBe(false)
    bans.expire(LIFE_MS)
    expect(bans.size).toBe(0)
  })

  it('slanderers of one network get nobody banned, however many they are', () => {
    const bans = new Bans({ seconds: SECONDS })
    for (let i = 0; i < 10_000; i++) bans.report(`honest ${i % 100}`, 'own', 'n1', i)
    expect(bans.size).toBe(0)
  })

  it('do not count the word of the own network, nor old ones', () => {
    const bans = new Bans({ seconds: SECONDS })
    expect(['n1', 'own', 'n2'].some((network) => bans.report('s', 'own', network, 0))).toBe(false)
    expect(bans.report('s', 'own', 'n3', LIFE_MS)).toBe(false)
    expect(bans.report('s', 'own', 'n4', LIFE_MS)).toBe(false)
    expect(bans.report('s', 'own', 'n5', LIFE_MS)).toBe(true)
  })

  it('a network that reports everybody is not believed any more', () => {
    const bans = new Bans({ seconds: SECONDS })
    const suspects = Array.from({ length: 20 }, (_, i) => `s${i}`)
    for (const suspect of suspects)
      for (const network of ['n1', 'n2', 'n3']) bans.report(suspect, 'own', network, 0)
    expect(suspects.filter((suspect) => bans.isBanned(suspect, 1))).toHaveLength(8)
  })

  it('of another node hold as the own ones do, and are bounded', () => {
    const bans = new Bans({ seconds: SECONDS })
    for (let i = 0; i < 50_001; i++) bans.ban(`s${i}`, 0)
    expect(bans.size).toBe(50_000)
    expect(bans.isBanned('s0', 1)).toBe(false)
    expect(bans.isBanned('s50000', LIFE_MS - 1)).toBe(true)
    expect(bans.isBanned('s50000', LIFE_MS)).toBe(false)
  })

  it('a network that accuses at other nodes has no more words than here', () => {
    const bans = new Bans({ seconds: SECONDS })
    expect(Array.from({ length: 20 }, () => bans.mayReport('n', 0)).filter(Boolean)).toHaveLength(8)
    expect(bans.report('s', 'own', 'n', 0)).toBe(false)
    expect(bans.mayReport('n', LIFE_MS)).toBe(true)
  })

  it('remember a bounded number of suspects', () => {
    const bans = new Bans({ seconds: SECONDS })
    bans.report('first', 'own', 'n1', 0)
    bans.report('first', 'own', 'n2', 0)
    for (let i = 0; i < 10_000; i++) bans.report(`s${i}`, 'own', `m${i}`, 0)
    // The first suspect had to make room: its two reports are forgotten.
    expect(bans.report('first', 'own', 'n3', 0)).toBe(false)
  })
})

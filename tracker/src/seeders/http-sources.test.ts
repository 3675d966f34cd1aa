import type { InfoHash, PeerId } from '@shoal/protocol'
import { millis } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { HASH, id } from '../testing/messages.js'
import { HttpSources } from './http-sources.js'

const hash = HASH as InfoHash
const peer = (name: string | number) => id(`${name}`) as PeerId
const at = (seconds: number) => millis(seconds * 1000)
const list = (sources: HttpSources) => JSON.parse(sources.listJson(hash) ?? '[]') as string[]

function probeAll(sources: HttpSources, healthy: boolean, seconds = 0): number {
  const due = sources.due(1000, at(seconds))
  for (const source of due) sources.probed(source, healthy, at(seconds))
  return due.length
}

describe('HttpSources', () => {
  it('hands out what answers, four at most, and no more when its seeder has left', () => {
    const sources = new HttpSources()
    for (let i = 0; i < 6; i++) sources.announced(hash, peer(i), `https://s${i}.example/main.m3u8`, at(0))
    expect(list(sources)).toEqual([])
    expect(probeAll(sources, true)).toBe(6)
    expect(list(sources)).toEqual([0, 1, 2, 3].map((i) => `https://s${i}.example/main.m3u8`))
    sources.left(hash, peer(0))
    expect(list(sources)[3]).toBe('https://s4.example/main.m3u8')
    for (let i = 0; i < 6; i++) sources.left(hash, peer(i))
    expect([sources.size, sources.listJson(hash)]).toEqual([0, null])
  })

  it('probes again after a while, later and later while nothing answers', () => {
    const sources = new HttpSources()
    sources.announced(hash, peer('a'), 'https://a.example/x', at(0))
    const probes: number[] = []
    for (let second = 0; second < 3600; second++) {
      if (probeAll(sources, probes.length === 0, second) > 0) probes.push(second)
    }
    expect(list(sources)).toEqual([])
    expect(probes.slice(0, 4)).toEqual([0, 30, 90, 210])
    expect(probes.length).toBeLessThan(12)
  })

  it('gives an address to one prober only', () => {
    const sources = new HttpSources()
    sources.announced(hash, peer('a'), 'https://a.example/x', at(0))
    expect(sources.due(8, at(0))).toHaveLength(1)
    expect(sources.due(8, at(0))).toHaveLength(0)
  })

  it('takes the new address of a seeder that moved', () => {
    const sources = new HttpSources()
    sources.announced(hash, peer('a'), 'https://a.example/x', at(0))
    probeAll(sources, true)
    sources.announced(hash, peer('a'), 'https://b.example/x', at(1))
    expect(list(sources)).toEqual([])
    probeAll(sources, true, 1)
    expect(list(sources)).toEqual(['https://b.example/x'])
  })

  it.each(['https://user:pw@a.example/', 'https://a.example:22/', 'file:///etc/passwd', 'https://', 'x'])(
    'does not take %s',
    (url) => {
      const sources = new HttpSources()
      sources.announced(hash, peer('a'), url, at(0))
      expect(sources.size).toBe(0)
    },
  )

  it('asks those that answered or are new before those that failed', () => {
    const sources = new HttpSources()
    for (let i = 0; i < 10; i++) sources.announced(hash, peer(i), `https://s${i}.example/x`, at(0))
    probeAll(sources, false)
    sources.announced(hash, peer('new'), 'https://new.example/x', at(100))
    expect(sources.due(3, at(100)).map(({ url }) => url)).toEqual([
      'https://new.example/x',
      'https://s0.example/x',
      'https://s1.example/x',
    ])
  })

  it('gives the place of one that fails to another', () => {
    const sources = new HttpSources()
    for (let i = 0; i < 16; i++) sources.announced(hash, peer(i), `https://s${i}.example/x`, at(0))
    sources.announced(hash, peer('late'), 'https://late.example/x', at(0))
    probeAll(sources, false)
    sources.announced(hash, peer('late'), 'https://late.example/x', at(1))
    expect(sources.size).toBe(16)
    probeAll(sources, true, 1)
    expect(list(sources)).toEqual(['https://late.example/x'])
    for (let i = 0; i < 11_000; i++) {
      sources.announced(id(`h${i}`) as InfoHash, peer(i), 'https://a.example/x', at(2))
    }
    for (const source of sources.due(20_000, at(2))) sources.probed(source, source.failures === 1, at(2))
    sources.announced(id('last') as InfoHash, peer('last'), 'https://last.example/x', at(3))
    expect(sources.size).toBe(10_000)
    expect(sources.due(1, at(3))[0]?.url).toBe('https://last.example/x')
  })

  it('is bounded, in a swarm and in all', () => {
    const sources = new HttpSources()
    for (let i = 0; i < 100; i++) sources.announced(hash, peer(i), 'https://a.example/x', at(0))
    expect(sources.size).toBe(16)
    for (let i = 0; i < 11_000; i++) {
      sources.announced(id(`h${i}`) as InfoHash, peer(i), 'https://a.example/x', at(0))
    }
    expect(sources.size).toBe(10_000)
  })
})

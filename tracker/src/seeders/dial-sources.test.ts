import { type DialAddress, dialAddressText, type InfoHash, type PeerId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { readCidr } from '../admission/addresses.js'
import { HASH, id } from '../testing/messages.js'
import { DialSources } from './dial-sources.js'

const SWARM = HASH as InfoHash
const peer = (name: string) => id(name) as PeerId
const at = (host: string, port = 40_000): DialAddress => ({
  host,
  port,
  fingerprint: Array(32).fill('AB').join(':'),
})

function sources(ranges: readonly string[] = [], handOut = true): DialSources {
  return new DialSources({ handOut, ranges: ranges.map((text) => readCidr(text) ?? expect.unreachable()) })
}

const told = (from: DialSources): string[] => JSON.parse(from.listJson(SWARM) ?? '[]')

describe('addresses to dial', () => {
  it.each([
    ['its own', '203.0.113.5', '203.0.113.5', [], true],
    ['its own, mapped into IPv6', '203.0.113.5', '::ffff:203.0.113.5', [], true],
    ['its own, in another writing', '2001:db8:0:0::5', '2001:db8::5', [], true],
    ['of somebody else', '203.0.113.6', '203.0.113.5', [], false],
    ['of a configured range', '203.0.113.6', '10.0.0.1', ['203.0.113.0/24'], true],
    ['beside a configured range', '203.0.114.6', '10.0.0.1', ['203.0.113.0/24'], false],
    ['where it speaks from nowhere known', '203.0.113.5', null, [], false],
    ['a name', 'seeder.example', '203.0.113.5', ['0.0.0.0/0'], false],
  ])('%s: %s from %s, %j', (_name, host, from, ranges, expected) => {
    const some = sources(ranges)
    some.announced(SWARM, peer('s'), at(host), from)
    expect(told(some)).toEqual(expected ? [dialAddressText(at(host))] : [])
    expect(some.size).toBe(expected ? 1 : 0)
  })

  it('of the system, or with nobody to be told, are kept back', () => {
    const open = sources()
    open.announced(SWARM, peer('s'), at('203.0.113.5', 53), '203.0.113.5')
    expect(told(open)).toEqual([])
    const shut = sources([], false)
    shut.announced(SWARM, peer('s'), at('203.0.113.5'), '203.0.113.5')
    expect(told(shut)).toEqual([])
  })

  it('are forgotten with their seeder, and replaced when it moves', () => {
    const some = sources()
    some.announced(SWARM, peer('s'), at('203.0.113.5'), '203.0.113.5')
    some.announced(SWARM, peer('s'), at('203.0.113.5', 40_001), '203.0.113.5')
    expect(told(some)).toEqual([dialAddressText(at('203.0.113.5', 40_001))])
    some.announced(SWARM, peer('s'), at('203.0.113.9'), '203.0.113.5')
    expect(told(some)).toEqual([])
    some.announced(SWARM, peer('s'), at('203.0.113.5'), '203.0.113.5')
    some.left(SWARM, peer('s'))
    expect([some.size, some.listJson(SWARM)]).toEqual([0, null])
  })

  it('are told four at a time, each of them as often as any other', () => {
    const some = sources()
    const hosts = Array.from({ length: 10 }, (_, i) => `203.0.113.${i}`)
    for (const host of hosts) some.announced(SWARM, peer(host), at(host), host)
    const lists = Array.from({ length: 10 }, () => told(some))
    for (const list of lists) expect(new Set(list).size).toBe(4)
    const texts = hosts.map((host) => dialAddressText(at(host))).sort()
    expect(lists.map(([first]) => first).sort()).toEqual(texts)
    expect(lists.flat().sort()).toEqual(texts.flatMap((text) => [text, text, text, text]))
  })

  it('of one swarm are bounded', () => {
    const some = sources()
    for (let i = 0; i < 200; i++) some.announced(SWARM, peer(`p${i}`), at(`203.0.113.${i}`), `203.0.113.${i}`)
    expect(some.size).toBe(64)
  })
})

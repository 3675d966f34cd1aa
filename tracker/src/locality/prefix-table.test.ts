import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, it } from 'vitest'
import type { Address } from './address.js'
import { hash32, readAddress, readPrefix } from './address.js'
import { PrefixTable } from './prefix-table.js'

function address(text: string): Address {
  const read = readAddress(text)
  if (read === null) throw new Error(text)
  return read
}

describe('addresses', () => {
  it.each([
    ['192.0.2.1', 'ipv4', '192.0.2.1'],
    ['::ffff:192.0.2.1', 'ipv4', '192.0.2.1'],
    ['2001:DB8::1', 'ipv6', '2001:db8::1'],
    ['fe80::1%eth0', 'ipv6', 'fe80::1'],
  ])('%s is read', (text, kind, normal) => {
    expect(readAddress(text)).toMatchObject({ kind, text: normal })
  })
  it.each(['', '1', '0x7f.1', '192.0.2', '192.0.2.256', 'unix:', 'example.com', ':'.repeat(100)])(
    '%j is none',
    (text) => {
      expect(readAddress(text)).toBeNull()
    },
  )
  it.each([
    '192.0.2.0/33',
    '192.0.2.0/',
    '192.0.2.0/8/8',
    '/8',
    '2001:db8::/129',
    '::ffff:1.2.3.4/96',
    'fe80::%1/64',
  ])('%s is no prefix', (text) => {
    expect(readPrefix(text)).toBeNull()
  })
})

/** Short prefixes of few addresses, so that they contain each other often. */
const v4 = fc
  .tuple(fc.constantFrom(10, 11, 192), fc.nat(3), fc.nat(3), fc.nat(255), fc.integer({ min: 0, max: 32 }))
  .map(([a, b, c, d, length]) => `${a}.${b}.${c}.${d}/${length}`)
const v6 = fc
  .tuple(fc.constantFrom('2001:db8', 'fd00:1'), fc.nat(3), fc.nat(3), fc.integer({ min: 0, max: 128 }))
  .map(([head, b, c, length]) => `${head}:${b}::${c}/${length}`)
const somewhere = fc.oneof(
  fc
    .tuple(fc.constantFrom(10, 11, 192, 255), fc.nat(3), fc.nat(3), fc.nat(255))
    .map((bytes) => bytes.join('.')),
  fc
    .tuple(fc.constantFrom('2001:db8', 'fd00:1', 'ffff:ffff'), fc.nat(3), fc.nat(3))
    .map(([a, b, c]) => `${a}:${b}::${c}`),
)

describe('look-ups', () => {
  it('find the longest prefix, as a walk over all of them does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(v4, v6), { maxLength: 30 }),
        fc.array(somewhere, { maxLength: 20 }),
        (prefixes, asked) => {
          const table = new PrefixTable<number>()
          for (const [at, text] of prefixes.entries()) {
            const prefix = readPrefix(text)
            if (prefix === null) throw new Error(text)
            table.add(prefix, at)
          }
          table.build()
          for (const text of asked) expect(table.find(address(text))).toBe(longest(prefixes, text))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('work at both ends of the address space', () => {
    const table = new PrefixTable<string>()
    for (const text of ['0.0.0.0/0', '255.255.255.255/32', '0.0.0.0/32', '::/0', 'ffff::/16']) {
      const prefix = readPrefix(text)
      if (prefix !== null) table.add(prefix, text)
    }
    table.build()
    expect(table.find(address('0.0.0.0'))).toBe('0.0.0.0/32')
    expect(table.find(address('0.0.0.1'))).toBe('0.0.0.0/0')
    expect(table.find(address('255.255.255.255'))).toBe('255.255.255.255/32')
    expect(table.find(address('ffff:ffff::'))).toBe('ffff::/16')
    expect(table.find(address('::'))).toBe('::/0')
  })
})

/** With another library's arithmetic; of equal prefixes the last. */
function longest(prefixes: readonly string[], text: string): number | undefined {
  const asked = ipaddr.parse(text)
  let best: number | undefined
  let bits = -1
  for (const [at, prefix] of prefixes.entries()) {
    const [range, length] = ipaddr.parseCIDR(prefix)
    if (range.kind() === asked.kind() && length >= bits && asked.match(range, length)) {
      best = at
      bits = length
    }
  }
  return best
}

describe('hash32', () => {
  it('is never 0, a 32-bit integer, and tells parts apart', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.integer({ min: 0, max: 2 ** 32 - 1 }))), (parts) => {
        const hash = hash32(...parts)
        expect(hash).not.toBe(0)
        expect(hash | 0).toBe(hash)
      }),
    )
    expect(hash32('ab', 'c')).not.toBe(hash32('a', 'bc'))
    const hashes = new Set(Array.from({ length: 10_000 }, (_, i) => hash32('network', i)))
    expect(hashes.size).toBeGreaterThan(9990)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cidr } from './addresses.js'
import { clientAddress, isIn, networkOf, readAddress, readCidr, subjectOf } from './addresses.js'

const range = (text: string): Cidr => {
  const cidr = readCidr(text)
  if (cidr === null) throw new Error(`${text} is no range`)
  return cidr
}

const address = (text: string) => {
  const read = readAddress(text)
  if (read === null) throw new Error(`${text} is no address`)
  return read
}

describe('ranges and addresses', () => {
  it.each(['192.0.2.0/24', '2001:db8::/32', '192.0.2.1', '::1'])('%s is a range', (text) => {
    expect(readCidr(text)).not.toBeNull()
  })
  it.each(['', 'localhost', '192.0.2.0/33', '1', '0x7f.1', '192.0.2', '192.0.2.0/', '::/129'])(
    '%s is none',
    (text) => expect(readCidr(text)).toBeNull(),
  )
  it('take an IPv4 address that is mapped into IPv6 for what it is', () => {
    expect(address('::ffff:192.0.2.1').toString()).toBe('192.0.2.1')
    expect(address('0000:0000:0000:0000:0000:ffff:c000:0201').toString()).toBe('192.0.2.1')
  })
  it('count IPv6 by /64, and networks by /24 and /48', () => {
    expect(subjectOf('2001:db8:0:1::1')).toBe(subjectOf('2001:db8:0:1:ffff::2'))
    expect(subjectOf('2001:db8:0:1::1')).not.toBe(subjectOf('2001:db8:0:2::1'))
    expect(subjectOf('192.0.2.1')).not.toBe(subjectOf('192.0.2.2'))
    expect(networkOf('192.0.2.1')).toBe(networkOf('192.0.2.200'))
    expect(networkOf('2001:db8:5::1')).toBe(networkOf('2001:db8:5:ffff::1'))
    expect(networkOf('2001:db8:5::1')).not.toBe(networkOf('2001:db8:6::1'))
  })
})

describe('clientAddress', () => {
  const proxies = ['10.0.0.0/8', '2001:db8:ffff::/48'].map(range)
  it.each([
    ['no proxy', '192.0.2.1', '203.0.113.9', '192.0.2.1'],
    ['one proxy', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['a client that writes the header itself', '10.0.0.1', '1.2.3.4, 203.0.113.9', '203.0.113.9'],
    ['two proxies', '10.0.0.1', '1.2.3.4,203.0.113.9, 10.0.0.2', '203.0.113.9'],
    ['proxies only', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['no header', '10.0.0.1', '', '10.0.0.1'],
    ['a header that is none', '10.0.0.1', '203.0.113.9, unknown', '10.0.0.1'],
    ['ports', '10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
    ['brackets', '2001:db8:ffff::1', '[2001:db8::9]:4711', '2001:db8::9'],
    ['an IPv6 client', '::ffff:10.0.0.1', '2001:db8::9', '2001:db8::9'],
    ['a long header', '10.0.0.1', '10.0.0.2,'.repeat(5000).slice(0, -1), '10.0.0.2'],
  ])('%s', (_, remote, forwarded, expected) => {
    expect(clientAddress(remote, forwarded, proxies)?.toString()).toBe(expected)
  })
  it('never throws, and never believes what an untrusted neighbour says', () => {
    const hop = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constant('10.0.0.9'))
    fc.assert(
      fc.property(hop, fc.array(hop), (remote, forwarded) => {
        const found = clientAddress(remote, forwarded.join(','), proxies)
        const neighbour = readAddress(remote)
        if (neighbour === null) return found === null
        return proxies.some((proxy) => isIn(neighbour, [proxy])) || found?.toString() === neighbour.toString()
      }),
      { numRuns: 1000 },
    )
  })
  it('is unknown where there is none', () => {
    expect(clientAddress('', '203.0.113.9', proxies)).toBeNull()
  })
})

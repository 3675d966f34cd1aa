import { describe, expect, it } from 'vitest'
import { writeMmdb } from '../testing/mmdb-writer.js'
import { readAddress } from './address.js'
import { readCostMap, readNetworkMap } from './alto.js'
import { readCsv } from './csv.js'
import { readMmdb } from './mmdb.js'
import type { Source } from './source.js'
import { LocalityError } from './source.js'

function find(source: Source, text: string) {
  const address = readAddress(text)
  if (address === null) throw new Error(text)
  return source.find(address)
}

function failure(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    if (error instanceof LocalityError) return error.message
    throw error
  }
  throw new Error('was read')
}

describe('tables of prefixes', async () => {
  const table = await readCsv(`# providers
192.0.2.0/24,AS64500,de,Hamburg,EU
192.0.2.128/25,64501, DE

2001:db8::/32,,nl
198.51.100.7,64502\r
`)

  it('say what they know of the longest prefix', () => {
    expect(find(table, '192.0.2.1')).toEqual({ as: 64500, country: 'DE', metro: 'Hamburg', continent: 'EU' })
    expect(find(table, '192.0.2.129')).toEqual({ as: 64501, country: 'DE' })
    expect(find(table, '2001:db8:7::1')).toEqual({ country: 'NL' })
    expect(find(table, '198.51.100.7')).toEqual({ as: 64502 })
    expect(find(table, '203.0.113.1')).toBeNull()
  })

  it('may have a header with the columns in another order', async () => {
    const named = await readCsv('Prefix,Country,AS\n192.0.2.0/24,fr,64500\n')
    expect(find(named, '192.0.2.9')).toEqual({ as: 64500, country: 'FR' })
  })

  it.each([
    ['', 'no prefixes'],
    ['# nothing\n\n', 'no prefixes'],
    ['192.0.2.0/24,64500\n192.0.2/24,64500', 'line 2: prefix: "192.0.2/24" is no prefix of addresses'],
    ['192.0.2.0/24,ASX', 'line 1: as: "ASX" is no AS number'],
    ['192.0.2.0/24,4294967296', 'line 1: as: "4294967296" is no AS number'],
    ['192.0.2.0/24,1,Germany', 'line 1: country: not two letters'],
    ['192.0.2.0/24,1,DE,x,Europe', 'line 1: continent: not two letters'],
    [`192.0.2.0/24,1,DE,${'x'.repeat(81)}`, 'line 1: metro: above 80 characters'],
    ['\n192.0.2.0/24,"1"', 'line 2: quotes are not understood'],
    ['192.0.2.0/24,1,DE,x,EU,more', 'line 1: more than 5 columns'],
    ['prefix,asn', 'line 1: no column is called "asn"; known: prefix, as, country, metro, continent'],
  ])('%j is wrong: %s', async (text, message) => {
    await expect(readCsv(text)).rejects.toThrow(new LocalityError(message))
  })
})

describe('MaxMind databases', () => {
  const cities = writeMmdb([
    [
      '192.0.2.0/24',
      { country: { iso_code: 'DE' }, continent: { code: 'EU' }, city: { geoname_id: 2911298 } },
    ],
    ['192.0.2.128/25', { country: { iso_code: 'DE' }, city: { names: { en: 'Kiel' } } }],
    [
      '2001:db8::/32',
      { registered_country: { iso_code: 'NL' }, traits: { autonomous_system_number: 64501 } },
    ],
  ])

  it('say what they know of the longest prefix', () => {
    const source = readMmdb(cities)
    expect(find(source, '192.0.2.1')).toEqual({ country: 'DE', continent: 'EU', metro: '2911298' })
    expect(find(source, '192.0.2.200')).toEqual({ country: 'DE', metro: 'Kiel' })
    expect(find(source, '2001:db8::7')).toEqual({ as: 64501, country: 'NL' })
    expect(find(source, '203.0.113.1')).toBeNull()
  })

  it('of IPv4 addresses alone know no others', () => {
    const source = readMmdb(writeMmdb([['192.0.2.0/24', { autonomous_system_number: 64500 }]], 4))
    expect(find(source, '192.0.2.1')).toEqual({ as: 64500 })
    expect(find(source, '2001:db8::1')).toBeNull()
  })

  it('with values of other kinds say nothing', () => {
    const source = readMmdb(
      writeMmdb([
        ['192.0.2.0/24', { autonomous_system_number: 'AS1', country: 'DE', city: { geoname_id: [1] } }],
      ]),
    )
    expect(find(source, '192.0.2.1')).toEqual({})
  })

  it('cut short or made up are refused in one line', () => {
    for (const data of [
      Buffer.alloc(0),
      Buffer.from('nonsense'),
      cities.subarray(0, 40),
      cities.subarray(60),
    ]) {
      expect(failure(() => readMmdb(data))).toMatch(/^not a MaxMind DB \([^\n]+\)$/)
    }
  })

  it('with any byte changed are refused or answer', () => {
    for (let at = 0; at < cities.length; at += 3) {
      const changed = Buffer.from(cities)
      changed[at] = (changed[at] ?? 0) ^ 0x95
      try {
        const source = readMmdb(changed)
        for (const text of ['192.0.2.1', '192.0.2.200', '2001:db8::7', '::1']) find(source, text)
      } catch (error) {
        expect(error).toBeInstanceOf(LocalityError)
      }
    }
  })
})

/** RFC 7285 section 11.2.1.7. */
const NETWORK_MAP = {
  meta: {
    vtag: { 'resource-id': 'my-default-network-map', tag: 'da65eca2eb7a10ce8b059740b0b2e3f8eb1d4785' },
  },
  'network-map': {
    PID1: { ipv4: ['192.0.2.0/24', '198.51.100.0/25'] },
    PID2: { ipv4: ['198.51.100.128/25'] },
    PID3: { ipv4: ['0.0.0.0/0'], ipv6: ['::/0'] },
  },
}

/** RFC 7285 section 11.2.3.7. */
const COST_MAP = {
  meta: {
    'dependent-vtags': [
      { 'resource-id': 'my-default-network-map', tag: 'da65eca2eb7a10ce8b059740b0b2e3f8eb1d4785' },
    ],
    'cost-type': { 'cost-mode': 'numerical', 'cost-metric': 'routingcost' },
  },
  'cost-map': {
    PID1: { PID1: 1, PID2: 5, PID3: 10 },
    PID2: { PID1: 5, PID2: 1, PID3: 15 },
    PID3: { PID1: 20, PID2: 15 },
  },
}

describe('ALTO maps', () => {
  const network = readNetworkMap(JSON.stringify(NETWORK_MAP))

  it('give the PID of the longest prefix', () => {
    expect(find(network, '198.51.100.1')).toEqual({ pid: 'PID1' })
    expect(find(network, '198.51.100.200')).toEqual({ pid: 'PID2' })
    expect(find(network, '203.0.113.1')).toEqual({ pid: 'PID3' })
    expect(find(network, '2001:db8::1')).toEqual({ pid: 'PID3' })
  })

  it('scale costs to 0..100, ordinal ones by rank', () => {
    const values = (map: object) =>
      [...readCostMap(JSON.stringify(map), network).values()].map((row) => [...row.values()])
    expect(values(COST_MAP)).toEqual([
      [5, 25, 50],
      [25, 5, 75],
      [100, 75],
    ])
    const ordinal = { ...COST_MAP, meta: { 'cost-type': { 'cost-mode': 'ordinal' } } }
    expect(values(ordinal)).toEqual([
      [0, 25, 50],
      [25, 0, 75],
      [100, 75],
    ])
    expect(values({ 'cost-map': { PID1: { PID2: 0 } } })).toEqual([[0]])
  })

  it.each([
    ['{\n"network-map": {\n', /^network map: (line \d+: )?not JSON \([^\n]+\)$/],
    ['[]', /^network map: network-map: not an object$/],
    ['{"network-map":{}}', /^network map: network-map: no prefixes$/],
    ['{"network-map":{"a b":{}}}', /"a b" is no PID name$/],
    ['{"network-map":{"A":7}}', /network-map\.A: not an object$/],
    ['{"network-map":{"A":{"ipv4":"10.0.0.0/8"}}}', /network-map\.A\.ipv4: not a list$/],
    ['{"network-map":{"A":{"ipv4":["::/0"]}}}', /network-map\.A\.ipv4: "::\/0" is no prefix$/],
    ['{"network-map":{"__proto__":{"ipv4":[null]}}}', /network-map\.__proto__\.ipv4: null is no prefix$/],
  ])('%s is refused', (text, message) => {
    expect(failure(() => readNetworkMap(text))).toMatch(message)
  })

  it.each([
    [{ 'cost-map': {} }, 'cost map: cost-map: no costs'],
    [{ 'cost-map': { PID1: 3 } }, 'cost map: cost-map.PID1: not an object'],
    [{ 'cost-map': { PID1: { PID9: 3 } } }, 'cost map: cost-map.PID1.PID9: the network map has no such PID'],
    [{ 'cost-map': { PID1: { PID2: -3 } } }, 'cost map: cost-map.PID1.PID2: not a number from 0'],
    [{ 'cost-map': { PID1: { PID2: '3' } } }, 'cost map: cost-map.PID1.PID2: not a number from 0'],
    [
      { ...COST_MAP, meta: { 'dependent-vtags': [{ tag: 'older' }] } },
      'cost map: meta.dependent-vtags: not of the network map with tag da65eca2eb7a10ce8b059740b0b2e3f8eb1d4785',
    ],
  ])('%j is refused', (map, message) => {
    expect(failure(() => readCostMap(JSON.stringify(map), network))).toBe(message)
  })
})

import { describe, expect, it } from 'vitest'
import { writeMmdb } from '../testing/mmdb-writer.js'
import { readCostMap, readNetworkMap } from './alto.js'
import { readCsv } from './csv.js'
import { KnownPlaces } from './known-places.js'
import { readMmdb } from './mmdb.js'
import { UNKNOWN_COST, UNKNOWN_PLACE } from './place.js'
import type { Source } from './source.js'

function knowing(...sources: Source[]): KnownPlaces {
  const places = new KnownPlaces(sources.length)
  for (const [at, source] of sources.entries()) places.replace(at, source)
  return places
}

function cost(places: KnownPlaces, a: string, b: string): number {
  const there = places.cost(places.placeOf(a), places.placeOf(b))
  expect(places.cost(places.placeOf(b), places.placeOf(a))).toBe(there)
  return there
}

describe('without any source', () => {
  const places = knowing()

  it.each([
    ['192.0.2.1', '192.0.2.1', 0],
    ['192.0.2.1', '::ffff:192.0.2.1', 0],
    ['192.0.2.1', '192.0.2.2', 20],
    ['192.0.2.1', '192.0.3.1', 40],
    ['192.0.2.1', '198.51.100.1', UNKNOWN_COST],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::1', 0],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', 20],
    ['2001:db8:1:2::1', '2001:db8:9:3::1', 40],
    ['2001:db8:1:2::1', '2001:db9:9:3::1', UNKNOWN_COST],
    ['192.0.2.1', '2001:db8::1', UNKNOWN_COST],
    ['192.0.2.1', 'nowhere', UNKNOWN_COST],
    ['nowhere', 'elsewhere', UNKNOWN_COST],
  ])('%s and %s are near by their prefix: %i', (a, b, expected) => {
    expect(cost(places, a, b)).toBe(expected)
  })

  it('what is no address is nowhere', () => {
    expect(places.placeOf('')).toBe(UNKNOWN_PLACE)
    expect(places.placeOf('example.com')).toBe(UNKNOWN_PLACE)
  })
})

describe('with sources', async () => {
  const table = await readCsv(`10.1.0.0/16,64500,DE,Hamburg,EU
10.2.0.0/16,64500,DE,Berlin,EU
10.3.0.0/16,64501,DE,Hamburg,EU
10.4.0.0/16,64502,FR,Paris,EU
10.5.0.0/16,64503,JP,Tokyo,AS
10.6.0.0/16,64504
10.7.0.0/16,64505
10.8.0.0/16,64500
`)
  const places = knowing(table)

  it.each([
    ['10.1.0.1', '10.1.0.1', 0],
    ['10.1.0.1', '10.1.200.1', 20],
    ['10.1.0.1', '10.2.0.1', 40],
    ['10.1.0.1', '10.8.0.1', 40],
    ['10.1.0.1', '10.3.0.1', 65],
    ['10.1.0.1', '10.4.0.1', 90],
    ['10.1.0.1', '10.5.0.1', 100],
    ['10.6.0.1', '10.7.0.1', 80],
    ['10.1.0.1', '192.0.2.1', UNKNOWN_COST],
  ])('%s and %s cost %i', (a, b, expected) => {
    expect(cost(places, a, b)).toBe(expected)
  })

  it('the first that knows a fact says it', () => {
    const asn = readMmdb(writeMmdb([['10.0.0.0/8', { autonomous_system_number: 64999 }]]))
    const city = readMmdb(
      writeMmdb([
        ['10.1.0.0/16', { country: { iso_code: 'DE' }, city: { geoname_id: 1 } }],
        ['10.9.0.0/16', { country: { iso_code: 'DE' }, city: { geoname_id: 1 } }],
      ]),
    )
    // Provider of one database, city of the other.
    expect(cost(knowing(asn, city), '10.1.0.1', '10.9.0.1')).toBe(20)
    // The table knows another provider for one of them.
    expect(cost(knowing(table, asn, city), '10.1.0.1', '10.9.0.1')).toBe(65)
    expect(cost(knowing(asn, table, city), '10.1.0.1', '10.9.0.1')).toBe(40)
  })

  it('a cost map goes before everything but the site, the mean of both ways', () => {
    const network = readNetworkMap(
      JSON.stringify({ 'network-map': { A: { ipv4: ['10.1.0.0/16'] }, B: { ipv4: ['10.2.0.0/15'] } } }),
    )
    const both = knowing(network, table)
    // A PID without costs is a network.
    expect(cost(both, '10.2.0.1', '10.3.0.1')).toBe(40)
    both.replaceCosts(
      readCostMap(JSON.stringify({ 'cost-map': { A: { B: 10, A: 3 }, B: { A: 5 } } }), network),
    )
    expect(cost(both, '10.1.0.1', '10.2.0.1')).toBe(75)
    expect(cost(both, '10.1.0.1', '10.1.0.2')).toBe(30)
    expect(cost(both, '10.1.0.1', '10.1.0.1')).toBe(0)
    expect(cost(both, '10.2.0.1', '10.3.0.1')).toBe(40)
    expect(cost(both, '10.1.0.1', '10.4.0.1')).toBe(90)
  })

  it('a new version is asked anew', async () => {
    const changing = knowing(table)
    const before = changing.version
    expect(cost(changing, '10.1.0.1', '10.3.0.1')).toBe(65)
    const old = changing.placeOf('10.1.0.1')
    changing.replace(0, await readCsv('10.0.0.0/8,64500,DE,Hamburg\n'))
    expect(changing.version).toBeGreaterThan(before)
    expect(cost(changing, '10.1.0.1', '10.3.0.1')).toBe(20)
    // Peers that have not announced since compare with those who have.
    expect(changing.cost(old, changing.placeOf('10.3.0.1'))).toBe(20)
  })

  it('remembers a bounded number of addresses', () => {
    const many = knowing(table)
    const first = many.placeOf('10.1.0.1')
    expect(many.placeOf('10.1.0.1')).toBe(first)
    for (let i = 0; i < 65_536; i++) many.placeOf(`10.5.${i >> 8}.${i & 255}`)
    expect(many.placeOf('10.1.0.1')).not.toBe(first)
    expect(many.placeOf('10.1.0.1')).toEqual(first)
  })
})

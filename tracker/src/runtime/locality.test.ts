import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { announce, offers, shoal } from '../testing/messages.js'
import { writeMmdb } from '../testing/mmdb-writer.js'
import type { Message } from '../testing/raw-client.js'
import { RawClient } from '../testing/raw-client.js'
import type { RunningTracker } from './create-tracker.js'
import { createTracker } from './create-tracker.js'
import type { TrackerOptions } from './options.js'
import { OptionsError } from './options.js'

let folder = ''
let tracker: RunningTracker | undefined
const logged: string[] = []
const log = {
  info: (fields: object, message: string) => logged.push(`${message} ${JSON.stringify(fields)}`),
  warn: (fields: object, message: string) => logged.push(`${message} ${JSON.stringify(fields)}`),
  error: (fields: object, message: string) => logged.push(`${message} ${JSON.stringify(fields)}`),
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-locality-'))
  logged.length = 0
})
afterEach(async () => {
  await tracker?.close()
  tracker = undefined
  await rm(folder, { recursive: true })
})

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

async function start(options: TrackerOptions): Promise<RunningTracker> {
  tracker = await createTracker({
    host: '127.0.0.1',
    port: 0,
    engine: 'ws',
    reloadSeconds: 0.1,
    log,
    ...options,
  })
  return tracker
}

/** Two clients that come through a proxy, and what the first is told of the second. */
async function costBetween(url: string, first: string, second: string): Promise<number> {
  const [a, b] = [await RawClient.open(url, '/', from(first)), await RawClient.open(url, '/', from(second))]
  const names = [first, second].map((address, at) => `${at}${address}`.slice(0, 20))
  await a.ask(shoal(names[0] ?? ''))
  b.send(shoal(names[1] ?? '', {}, offers('o')))
  const offer = await a.next()
  await a.close()
  await b.close()
  return (offer['shoal'] as Message)['cost'] as number
}

function from(address: string): Record<string, string> {
  return { 'x-forwarded-for': address }
}

const PROXY = { admission: { trustedProxies: ['127.0.0.0/8'] } }

describe('files of places', () => {
  it('are used: a database of providers, one of cities, a table', async () => {
    const asn = await file('asn.mmdb', writeMmdb([['10.0.0.0/8', { autonomous_system_number: 64500 }]]))
    const city = await file(
      'city.mmdb',
      writeMmdb([
        ['10.1.0.0/16', { country: { iso_code: 'DE' }, city: { geoname_id: 1 } }],
        ['10.2.0.0/16', { country: { iso_code: 'DE' }, city: { geoname_id: 1 } }],
      ]),
    )
    const table = await file('table.csv', '10.3.0.0/16,64501,DE\n')
    const { url } = await start({ ...PROXY, locality: { csvFiles: [table], mmdbFiles: [asn, city] } })
    expect(await costBetween(url, '10.1.0.1', '10.2.0.1')).toBe(20)
    expect(await costBetween(url, '10.1.0.1', '10.9.0.1')).toBe(40)
    expect(await costBetween(url, '10.1.0.1', '10.3.0.1')).toBe(65)
  })

  it('that change are read anew; broken ones change nothing, and are logged in a line', async () => {
    const network = { 'network-map': { A: { ipv4: ['10.1.0.0/16'] }, B: { ipv4: ['10.2.0.0/16'] } } }
    const map = await file('map.json', JSON.stringify(network))
    const costs = await file('costs.json', '{"cost-map":{"A":{"B":1,"A":10}}}')
    const { url } = await start({ ...PROXY, locality: { altoNetworkMap: map, altoCostMap: costs } })
    expect(await costBetween(url, '10.1.0.1', '10.2.0.1')).toBe(10)
    await file('costs.json', '{"cost-map":{"A":{"B":"far"}}}')
    await vi.waitFor(() => expect(logged.join('\n')).toContain('cost-map.A.B: not a number from 0'), 8000)
    expect(await costBetween(url, '10.1.0.2', '10.2.0.2')).toBe(10)
    await file('costs.json', '{"cost-map":{"A":{"B":7,"A":10}}}')
    await vi.waitFor(() => expect(logged.join('\n')).toContain('the network map read anew'), 8000)
    expect(await costBetween(url, '10.1.0.3', '10.2.0.3')).toBe(70)
  })

  it('that are wrong at the start are errors that name the key, the file and the line', async () => {
    const broken = await file('broken.csv', '10.1.0.0/16,64500\n10.2.0.0/99,64500\n')
    const cases: [TrackerOptions['locality'], RegExp][] = [
      [{ csvFiles: [broken] }, /^locality\.csvFiles\.0: \/.*broken\.csv: line 2: prefix: "10\.2\.0\.0\/99"/],
      [{ mmdbFiles: [broken] }, /^locality\.mmdbFiles\.0: \/.*broken\.csv: not a MaxMind DB/],
      [{ altoNetworkMap: broken }, /^locality\.altoNetworkMap: \/.*broken\.csv: network map: .*not JSON/],
      [
        { csvFiles: [join(folder, 'missing.csv')] },
        /^locality\.csvFiles\.0: \/.*missing\.csv: there is no such file$/,
      ],
      [{ altoCostMap: broken }, /^locality\.altoCostMap: needs altoNetworkMap$/],
      [{ mmdbFiles: 'x' } as unknown as { mmdbFiles: string[] }, /^locality\.mmdbFiles: /],
    ]
    for (const [locality, message] of cases) {
      const refused = await start({ locality }).catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(OptionsError)
      expect((refused as Error).message).toMatch(message)
    }
  })
})

describe('what the tracker tells of addresses', () => {
  it('is the cost alone: nothing to peers, in statistics, metrics, health or the log', async () => {
    const table = await file(
      'table.csv',
      '10.71.0.0/16,64571,QX,Testville\n10.72.0.0/16,64572,QZ,Othertown\n',
    )
    const { url } = await start({ ...PROXY, locality: { csvFiles: [table] } })
    const [a, b] = [
      await RawClient.open(url, '/', from('10.71.66.77')),
      await RawClient.open(url, '/', from('10.72.66.78')),
    ]
    const told: unknown[] = [await a.ask(shoal('a', { uplink: 123_457, nat: 'cone', playhead: 77.25 }))]
    b.send(shoal('b', { uplink: 765_431 }, offers('o')))
    told.push(await b.next(), await a.next())
    told.push(await a.ask(announce('stock')), await a.ask({ nonsense: true }))
    for (const path of ['/stats.json', '/metrics', '/health'])
      told.push(await (await fetch(url + path)).text())
    const all = JSON.stringify(told) + logged.join('\n')
    expect(all).toContain('"cost":')
    for (const secret of ['10.71', '10.72', '64571', '64572', 'QX', 'QZ', 'Testville', 'Othertown']) {
      expect(all).not.toContain(secret)
    }
    for (const hint of ['123457', '765431', '77.25', 'cone']) expect(all).not.toContain(hint)
    await a.close()
    await b.close()
  })
})

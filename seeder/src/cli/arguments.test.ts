import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readArguments } from './arguments.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-arguments-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function options(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const invocation = readArguments(args, '0.0.0', environment)
  if (invocation.kind !== 'seed') throw new Error('not a seeder')
  return invocation.options
}

function config(settings: object): string {
  const file = join(folder, 'seeder.json')
  writeFileSync(file, JSON.stringify(settings))
  return file
}

test('flags win over the environment, and that over the file', () => {
  const file = config({
    source: 'file',
    httpPort: 1,
    host: 'a',
    cacheBytes: '2GB',
    webrtc: { bindAddress: '::1' },
  })
  const environment = {
    SHOAL_SEEDER_CONFIG: file,
    SHOAL_SEEDER_HTTP_PORT: '2',
    SHOAL_SEEDER_HOST: 'b',
    SHOAL_SEEDER_CACHE: '/cache',
    SHOAL_SEEDER_TRACKER: 'ws://a, ws://b',
    SHOAL_SEEDER_WEBRTC_PORT_RANGE: '4000-4100',
    SHOAL_SEEDER_DIRECT_PORT: '9443',
  }
  expect(options(['argument', '--http-port', '3'], environment)).toMatchObject({
    source: 'argument',
    http: { port: 3, host: 'b' },
    cache: { folder: '/cache', bytes: 2e9 },
    trackers: ['ws://a', 'ws://b'],
    webrtc: { bindAddress: '::1', portRange: { first: 4000, last: 4100 } },
    direct: { port: 9443 },
  })
})

test('several origins and trackers may be given', () => {
  const args = [
    'http://a.test/m.m3u8',
    '--origin',
    'http://b.test/m.m3u8',
    '--origin',
    'http://c.test/m.m3u8',
  ]
  expect(options(args).origins).toEqual(['http://b.test/m.m3u8', 'http://c.test/m.m3u8'])
})

test('uplink and connections are capped by flag', () => {
  const args = ['a', '--upload-bytes-per-second', '2.5MB', '--max-links', '30']
  expect(options(args).upload).toEqual({ bytesPerSecond: 2_500_000, maxLinks: 30 })
})

describe('what is wrong is named', () => {
  test.each<[string, string[], NodeJS.ProcessEnv, RegExp]>([
    ['a variable', ['a'], { SHOAL_SEEDER_HTTP_PORT: 'many' }, /^SHOAL_SEEDER_HTTP_PORT is wrong: Not a port/],
    ['a size', ['a'], { SHOAL_SEEDER_MEMORY_BYTES: '4 apples' }, /MEMORY_BYTES is wrong: .*500MB or 4GiB/],
    [
      'an unknown variable',
      ['a'],
      { SHOAL_SEEDER_HTPP: '1' },
      /^SHOAL_SEEDER_HTPP: there is no such setting/,
    ],
    ['an address', ['a'], { SHOAL_SEEDER_WEBRTC_BIND_ADDRESS: 'eth0' }, /BIND_ADDRESS is wrong: Not an IP/],
    [
      'a range',
      ['a'],
      { SHOAL_SEEDER_WEBRTC_PORT_RANGE: '9-1' },
      /PORT_RANGE is wrong: The first port is above/,
    ],
    ['ICE servers', ['a'], { SHOAL_SEEDER_WEBRTC_ICE_SERVERS: 'stun:a' }, /ICE_SERVERS is wrong/],
    ['a flag', ['a', '--direct-port', '1', '--direct-host', 'x'], {}, /^--direct-host is wrong: Not an IP/],
    ['too many connections', ['a', '--max-links', '10001'], {}, /^--max-links is wrong: /],
    ['a flag alone', ['a', '--direct-host', '192.0.2.1'], {}, /--direct-host goes with --direct-port/],
    [
      'two tokens',
      ['a', '--token', 'x', '--token-file', 'y'],
      {},
      /--token and --token-file cannot both be given/,
    ],
    ['a public key', ['a', '--signed-by', 'AAAA'], {}, /^--signed-by is wrong: /],
    ['a long token', ['a'], { SHOAL_SEEDER_TOKEN: 'x'.repeat(2049) }, /^SHOAL_SEEDER_TOKEN is wrong: Longer/],
    ['an empty source', [''], {}, /^SOURCE is wrong: It is empty/],
  ])('%s', (_name, args, environment, message) => {
    expect(() => options(args, environment)).toThrow(message)
  })

  test('a key of the file', () => {
    const file = config({ webrtc: { bindAddress: '300.1.1.1' } })
    expect(() => options(['a', '--config', file])).toThrow(/wrong: webrtc.bindAddress: Not an IP address/)
  })
})

test('what a cluster sets beside a service is not ours', () => {
  const environment = {
    SHOAL_SEEDER_SERVICE_HOST: '10.0.0.1',
    SHOAL_SEEDER_PORT: 'tcp://10.0.0.1:80',
    SHOAL_SEEDER_PORT_80_TCP_ADDR: '10.0.0.1',
  }
  expect(options(['a'], environment).http).toBeUndefined()
})

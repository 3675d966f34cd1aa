import { expect, test } from 'vitest'
import { ShoalConfigError } from './config-error.js'
import type { ShoalOptions } from './options.js'
import { resolveOptions } from './validate.js'

/** The error that options make; what a JavaScript page may write is wider than the types. */
function mistake(options: unknown): ShoalConfigError {
  try {
    resolveOptions(options as ShoalOptions)
  } catch (error) {
    if (error instanceof ShoalConfigError) return error
    throw error
  }
  throw new Error('the options were taken')
}

const SEEDER = `shoal-dial://203.0.113.5:40000/${'ab'.repeat(32)}`

test('no options at all are valid: plain hls.js', () => {
  expect(resolveOptions({})).toEqual({
    trackers: [],
    contentId: undefined,
    joinToken: undefined,
    p2p: true,
    mode: 'server-friendly',
    publicKeys: [],
    publicKeyUrl: null,
    sidecars: false,
    integrity: null,
    upload: { enabled: 'auto', maxBytesPerSecond: 1_250_000 },
    uploadBytesPerSession: null,
    iceServers: [],
    maxPeers: null,
    seeders: [],
    memoryBytes: null,
  })
})

test('one tracker or several, without fragments', () => {
  expect(resolveOptions({ tracker: 'wss://t.example/a?b#c' }).trackers).toEqual(['wss://t.example/a?b'])
  expect(resolveOptions({ tracker: ['ws://a.example', 'wss://b.example'] }).trackers).toHaveLength(2)
})

test('seeders are addresses to dial', () => {
  const fingerprint = Array(32).fill('AB').join(':')
  expect(resolveOptions({ network: { seeders: [SEEDER] } }).seeders).toEqual([
    { host: '203.0.113.5', port: 40_000, fingerprint },
  ])
})

test.each([
  ['an https tracker', { tracker: 'https://t.example' }, 'invalid-url', 'tracker'],
  ['garbage for a tracker', { tracker: 'tracker' }, 'invalid-url', 'tracker'],
  ['one bad tracker of two', { tracker: ['wss://t.example', ''] }, 'invalid-url', 'tracker'],
  ['a number for a tracker', { tracker: 8000 }, 'invalid-type', 'tracker'],
  ['a misspelt option', { trackers: 'wss://t.example' }, 'unknown-option', 'trackers'],
  ['a misspelt group member', { upload: { maxBytes: 1 } }, 'unknown-option', 'upload.maxBytes'],
  ['a group that is none', { upload: true }, 'invalid-type', 'upload'],
  ['options that are none', 'wss://t.example', 'invalid-type', 'options'],
  ['an empty content id', { contentId: '' }, 'out-of-range', 'contentId'],
  ['a content id of another type', { contentId: 7 }, 'invalid-type', 'contentId'],
  ['a level that there is not', { integrity: 'open' }, 'invalid-type', 'integrity'],
  ['a key document without a root', { publicKeyUrl: '/keys.json' }, 'invalid-key', 'publicKey'],
  ['a key document’s URL as a number', { publicKeyUrl: 7 }, 'invalid-type', 'publicKeyUrl'],
  ['a key document at no URL', { publicKeyUrl: 'https://' }, 'invalid-url', 'publicKeyUrl'],
  ['sidecars as text', { sidecars: 'yes' }, 'invalid-type', 'sidecars'],
  ['a mode that there is not', { mode: 'peer-only' }, 'invalid-type', 'mode'],
  ['a join token of another type', { joinToken: 7 }, 'invalid-type', 'joinToken'],
  ['p2p as text', { p2p: 'yes' }, 'invalid-type', 'p2p'],
  ['uploads as text', { upload: { enabled: 'always' } }, 'invalid-type', 'upload.enabled'],
  ['a negative cap', { upload: { maxBytesPerSecond: -1 } }, 'out-of-range', 'upload.maxBytesPerSecond'],
  [
    'NaN for a cap',
    { upload: { maxBytesPerSecond: Number.NaN } },
    'out-of-range',
    'upload.maxBytesPerSecond',
  ],
  [
    'a session of less than nothing',
    { upload: { maxBytesPerSession: -1 } },
    'out-of-range',
    'upload.maxBytesPerSession',
  ],
  ['a session in text', { upload: { maxBytesPerSession: '1' } }, 'invalid-type', 'upload.maxBytesPerSession'],
  ['no peers', { network: { maxPeers: 0 } }, 'out-of-range', 'network.maxPeers'],
  ['half a peer', { network: { maxPeers: 1.5 } }, 'out-of-range', 'network.maxPeers'],
  ['little memory', { memory: { maxBytes: 1000 } }, 'out-of-range', 'memory.maxBytes'],
  ['a short key', { publicKey: 'AAAA' }, 'invalid-key', 'publicKey'],
  ['a key with other letters', { publicKey: 'not base64!' }, 'invalid-key', 'publicKey'],
  ['seeders that are no text', { network: { seeders: [7] } }, 'invalid-type', 'network.seeders'],
  ['a seeder’s web address', { network: { seeders: ['https://a.b:1/'] } }, 'invalid-url', 'network.seeders'],
  ['too many seeders', { network: { seeders: Array(5).fill(SEEDER) } }, 'out-of-range', 'network.seeders'],
  ['ICE servers as text', { network: { iceServers: 'stun:a' } }, 'invalid-type', 'network.iceServers'],
  [
    'an ICE server without URLs',
    { network: { iceServers: [{}] } },
    'invalid-type',
    'network.iceServers.urls',
  ],
  [
    'an ICE server by HTTP',
    { network: { iceServers: [{ urls: 'https://a' }] } },
    'invalid-url',
    'network.iceServers.urls',
  ],
])('%s is refused', (_name, options, code, key) => {
  const error = mistake(options)
  expect({ code: error.code, key: error.key }).toEqual({ code, key })
  expect(error.message).toContain(key)
  expect(error).toBeInstanceOf(TypeError)
})

test('keys of both kinds are read', () => {
  const ed25519 = 'A'.repeat(43)
  // An uncompressed point begins with 4.
  const p256 = `BA${'A'.repeat(85)}`
  expect(resolveOptions({ publicKey: [ed25519, p256] }).publicKeys).toMatchObject([
    { algorithm: 'ed25519', bytes: { byteLength: 32 } },
    { algorithm: 'p256', bytes: { byteLength: 65 } },
  ])
  expect(resolveOptions({ publicKey: `${ed25519}=` }).publicKeys).toHaveLength(1)
})

test('limits that mean "none" are taken', () => {
  expect(resolveOptions({ upload: { maxBytesPerSecond: Infinity } }).upload.maxBytesPerSecond).toBe(Infinity)
  expect(resolveOptions({ upload: { maxBytesPerSession: Infinity } }).uploadBytesPerSession).toBe(Infinity)
  expect(resolveOptions({ upload: { maxBytesPerSession: 0 } }).uploadBytesPerSession).toBe(0)
  expect(resolveOptions({ upload: { enabled: false } }).upload.enabled).toBe(false)
})

test('a function may say whether to upload', () => {
  const enabled = () => true
  expect(resolveOptions({ upload: { enabled } }).upload.enabled).toBe(enabled)
})

import { webcrypto } from 'node:crypto'
import {
  attestationBytes,
  listDigestOf,
  type PublicKey,
  type SegmentManifest,
  signedManifestBytes,
  swarmIdFromBytes,
  type TrackId,
} from '@shoal/protocol'
import { beforeAll, expect, test } from 'vitest'
import { BrowserCrypto } from './crypto-port.js'

const subtle = webcrypto.subtle as SubtleCrypto
const SWARM_ID = new Uint8Array(32).fill(7)

const UNSIGNED: SegmentManifest = {
  segment: { track: 1 as TrackId, sequence: 2, part: null },
  offset: 0,
  size: 100,
  pieceSize: 16384,
  hashes: [new Uint8Array(32)],
  signature: null,
}

interface Publisher {
  readonly publicKey: PublicKey
  sign(manifest: SegmentManifest): Promise<SegmentManifest>
  /** As a tracker's attestor does. */
  attest(manifest: SegmentManifest): Promise<SegmentManifest>
}

async function publisher(algorithm: 'ed25519' | 'p256'): Promise<Publisher> {
  const kind = algorithm === 'ed25519' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256' }
  const pair = (await subtle.generateKey(kind, true, ['sign', 'verify'])) as CryptoKeyPair
  const parameters = algorithm === 'ed25519' ? { name: 'Ed25519' } : { name: 'ECDSA', hash: 'SHA-256' }
  const over = async (manifest: SegmentManifest, signed: Uint8Array): Promise<SegmentManifest> => {
    const bytes = await subtle.sign(parameters, pair.privateKey, signed as Uint8Array<ArrayBuffer>)
    return { ...manifest, signature: { algorithm, bytes: new Uint8Array(bytes) } }
  }
  return {
    publicKey: { algorithm, bytes: new Uint8Array(await subtle.exportKey('raw', pair.publicKey)) },
    sign: (manifest) => over(manifest, signedManifestBytes(SWARM_ID, manifest)),
    async attest(manifest) {
      const digest = await listDigestOf(SWARM_ID, manifest, new BrowserCrypto(subtle).sha256)
      return over(manifest, attestationBytes(swarmIdFromBytes(SWARM_ID).infoHash, digest))
    },
  }
}

let ed25519: Publisher
let p256: Publisher
let stranger: Publisher

beforeAll(async () => {
  ed25519 = await publisher('ed25519')
  p256 = await publisher('p256')
  stranger = await publisher('ed25519')
})

async function trusting(...keys: readonly PublicKey[]): Promise<BrowserCrypto> {
  const port = new BrowserCrypto(subtle)
  expect(await port.setKeys(keys)).toBe(keys.length > 0)
  return port
}

test('SHA-256 of a view, not of its buffer', async () => {
  const digest = await new BrowserCrypto(subtle).sha256(new TextEncoder().encode('xabcx').subarray(1, 4))
  expect(Buffer.from(digest).toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})

test('signatures of both kinds, of any trusted key', async () => {
  const port = await trusting(stranger.publicKey, ed25519.publicKey, p256.publicKey)
  expect(await port.verifyManifest(SWARM_ID, await ed25519.sign(UNSIGNED))).toBe('trusted')
  expect(await port.verifyManifest(SWARM_ID, await p256.sign(UNSIGNED))).toBe('trusted')
  expect(await port.verifyManifest(SWARM_ID, UNSIGNED)).toBe('unsigned')
})

test('neither a stranger, nor another segment, nor another swarm, nor garbage', async () => {
  const port = await trusting(ed25519.publicKey)
  const signed = await ed25519.sign(UNSIGNED)
  const { segment } = UNSIGNED
  expect(await port.verifyManifest(SWARM_ID, await stranger.sign(UNSIGNED))).toBe('untrusted')
  expect(await port.verifyManifest(SWARM_ID, await p256.sign(UNSIGNED))).toBe('untrusted')
  expect(await port.verifyManifest(SWARM_ID, { ...signed, size: 99 })).toBe('untrusted')
  expect(await port.verifyManifest(SWARM_ID, { ...signed, segment: { ...segment, sequence: 3 } })).toBe(
    'untrusted',
  )
  expect(await port.verifyManifest(new Uint8Array(32), signed)).toBe('untrusted')
  const short = { algorithm: 'ed25519' as const, bytes: new Uint8Array(3) }
  expect(await port.verifyManifest(SWARM_ID, { ...UNSIGNED, signature: short })).toBe('untrusted')
})

test('a browser that knows none of the keys', async () => {
  const old = { importKey: () => Promise.reject(new Error('NotSupportedError')) } as unknown as SubtleCrypto
  expect(await new BrowserCrypto(old).setKeys([ed25519.publicKey])).toBe(false)
  expect(await new BrowserCrypto(old).vouch([ed25519.publicKey], null)).toBe(false)
})

test('keys change: the new ones count, the old ones no longer', async () => {
  const port = await trusting(ed25519.publicKey)
  let unknown = 0
  port.onUnknownKey = () => unknown++
  const next = await p256.sign(UNSIGNED)
  expect(await port.verifyManifest(SWARM_ID, next)).toBe('untrusted')
  expect(unknown).toBe(1)
  await port.setKeys([p256.publicKey])
  expect(await port.verifyManifest(SWARM_ID, next)).toBe('trusted')
  expect(await port.verifyManifest(SWARM_ID, await ed25519.sign(UNSIGNED))).toBe('untrusted')
})

test('what a tracker names counts beside the publisher’s keys, and only while it does', async () => {
  const port = await trusting(ed25519.publicKey)
  expect(await port.vouch([p256.publicKey], stranger.publicKey)).toBe(true)
  expect(await port.verifyManifest(SWARM_ID, await p256.sign(UNSIGNED))).toBe('trusted')
  expect(await port.verifyManifest(SWARM_ID, await stranger.attest(UNSIGNED))).toBe('trusted')
  // The attestor says what fetchers agree on, and does not sign segments; signers attest nothing.
  expect(await port.verifyManifest(SWARM_ID, await stranger.sign(UNSIGNED))).toBe('untrusted')
  expect(await port.verifyManifest(SWARM_ID, await p256.attest(UNSIGNED))).toBe('untrusted')
  expect(await port.verifyManifest(SWARM_ID, { ...(await stranger.attest(UNSIGNED)), size: 99 })).toBe(
    'untrusted',
  )
  expect(await port.vouch([], null)).toBe(false)
  expect(await port.verifyManifest(SWARM_ID, await p256.sign(UNSIGNED))).toBe('untrusted')
  expect(await port.verifyManifest(SWARM_ID, await ed25519.sign(UNSIGNED))).toBe('trusted')
})

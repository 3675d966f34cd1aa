import { webcrypto } from 'node:crypto'
import { type SegmentManifest, signedManifestBytes, type TrackId } from '@shoal/protocol'
import { beforeAll, expect, test } from 'vitest'
import { createCryptoPort } from './crypto-port.js'

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
  readonly publicKey: Uint8Array
  sign(manifest: SegmentManifest): Promise<SegmentManifest>
}

async function publisher(algorithm: 'ed25519' | 'p256'): Promise<Publisher> {
  const kind = algorithm === 'ed25519' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256' }
  const pair = (await subtle.generateKey(kind, true, ['sign', 'verify'])) as CryptoKeyPair
  return {
    publicKey: new Uint8Array(await subtle.exportKey('raw', pair.publicKey)),
    async sign(manifest) {
      const parameters = algorithm === 'ed25519' ? { name: 'Ed25519' } : { name: 'ECDSA', hash: 'SHA-256' }
      const signed = signedManifestBytes(SWARM_ID, manifest) as Uint8Array<ArrayBuffer>
      const bytes = new Uint8Array(await subtle.sign(parameters, pair.privateKey, signed))
      return { ...manifest, signature: { algorithm, bytes } }
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

test('SHA-256 of a view, not of its buffer', async () => {
  const port = await createCryptoPort(subtle, [])
  const digest = await port?.sha256(new TextEncoder().encode('xabcx').subarray(1, 4))
  expect(Buffer.from(digest ?? []).toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})

test('signatures of both kinds, of any trusted key', async () => {
  const port = await createCryptoPort(subtle, [stranger.publicKey, ed25519.publicKey, p256.publicKey])
  expect(await port?.verifyManifest(SWARM_ID, await ed25519.sign(UNSIGNED))).toBe('trusted')
  expect(await port?.verifyManifest(SWARM_ID, await p256.sign(UNSIGNED))).toBe('trusted')
  expect(await port?.verifyManifest(SWARM_ID, UNSIGNED)).toBe('unsigned')
})

test('neither a stranger, nor another segment, nor another swarm, nor garbage', async () => {
  const port = await createCryptoPort(subtle, [ed25519.publicKey])
  const signed = await ed25519.sign(UNSIGNED)
  expect(await port?.verifyManifest(SWARM_ID, await stranger.sign(UNSIGNED))).toBe('untrusted')
  expect(await port?.verifyManifest(SWARM_ID, await p256.sign(UNSIGNED))).toBe('untrusted')
  expect(await port?.verifyManifest(SWARM_ID, { ...signed, size: 99 })).toBe('untrusted')
  expect(await port?.verifyManifest(new Uint8Array(32), signed)).toBe('untrusted')
  const short = { algorithm: 'ed25519' as const, bytes: new Uint8Array(3) }
  expect(await port?.verifyManifest(SWARM_ID, { ...UNSIGNED, signature: short })).toBe('untrusted')
})

test('a browser that knows none of the keys', async () => {
  const old = { importKey: () => Promise.reject(new Error('NotSupportedError')) } as unknown as SubtleCrypto
  expect(await createCryptoPort(old, [ed25519.publicKey])).toBeNull()
  expect(await createCryptoPort(old, [])).not.toBeNull()
})

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPublicKey, type SegmentManifest, signedManifestBytes, type TrackId } from '@shoal/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ALGORITHMS, writeNewKey } from './keys.js'
import { ephemeralSigner, isSignedBy, signerFromFile } from './signer.js'

const SWARM = new Uint8Array(32).fill(7)
const MANIFEST: SegmentManifest = {
  segment: { track: 5 as TrackId, sequence: 6, part: null },
  offset: 0,
  size: 10,
  pieceSize: 16_384,
  hashes: [new Uint8Array(32).fill(9)],
  signature: null,
}

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-key-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

test.each(ALGORITHMS)('a signature of %s verifies in WebCrypto with the published key', async (algorithm) => {
  const file = join(folder, 'key.pem')
  const publicKey = writeNewKey(file, algorithm)
  const signer = signerFromFile(file)
  expect(signer.publicKey).toBe(publicKey)
  const raw = readPublicKey(publicKey)
  const { signature } = signer.sign(SWARM, MANIFEST)
  const parameters =
    algorithm === 'ed25519' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const imported = Uint8Array.from(raw?.bytes ?? [])
  const key = await crypto.subtle.importKey('raw', imported, parameters, false, ['verify'])
  const bytes = Uint8Array.from(signedManifestBytes(SWARM, MANIFEST))
  const signed = Uint8Array.from(signature?.bytes ?? [])
  expect([raw?.algorithm, signature?.algorithm]).toEqual([algorithm, algorithm])
  expect(await crypto.subtle.verify(parameters, key, signed, bytes)).toBe(true)
  expect(isSignedBy([publicKey], SWARM, { ...MANIFEST, signature })).toBe(true)
  expect(isSignedBy([ephemeralSigner().publicKey], SWARM, { ...MANIFEST, signature })).toBe(false)
})

test('keys that are none verify nothing', () => {
  const signature = { algorithm: 'p256', bytes: new Uint8Array(64) } as const
  const offTheCurve = Buffer.from(Uint8Array.of(4, ...new Uint8Array(64))).toString('base64url')
  expect(isSignedBy([offTheCurve, 'x'], SWARM, { ...MANIFEST, signature })).toBe(false)
})

test('only its own signatures over this swarm are trusted', async () => {
  const signer = ephemeralSigner()
  const trust = (swarm: Uint8Array, manifest: SegmentManifest) =>
    signer.crypto.verifyManifest(swarm, manifest)
  const signed = signer.sign(SWARM, MANIFEST)
  expect(await trust(SWARM, signed)).toBe('trusted')
  expect(await trust(new Uint8Array(32), signed)).toBe('untrusted')
  expect(await trust(SWARM, { ...signed, size: 11 })).toBe('untrusted')
  expect(await trust(SWARM, ephemeralSigner().sign(SWARM, MANIFEST))).toBe('untrusted')
  expect(await trust(SWARM, MANIFEST)).toBe('unsigned')
})

test('a key file is private, is read again, and is never overwritten', () => {
  const file = join(folder, 'key.pem')
  const publicKey = writeNewKey(file)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8')).toContain('BEGIN PRIVATE KEY')
  expect(signerFromFile(file).publicKey).toBe(publicKey)
  expect(() => writeNewKey(file)).toThrow(/the file exists/)
})

test('a key that cannot be used is one clear error', () => {
  const file = join(folder, 'key.pem')
  expect(() => signerFromFile(file)).toThrow(/there is no such file\. Make one with: shoal-seeder keygen/)
  writeFileSync(file, 'rubbish')
  expect(() => signerFromFile(file)).toThrow(/holds no private key in PEM form/)
})

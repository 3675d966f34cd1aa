import { createPublicKey, verify } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SegmentManifest, signedManifestBytes, type TrackId } from '@shoal/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ephemeralSigner, signerFromFile, writeNewKey } from './signer.js'

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

test('a signature verifies with the published public key', () => {
  const signer = ephemeralSigner()
  const { signature } = signer.sign(SWARM, MANIFEST)
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: signer.publicKey }
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const bytes = signedManifestBytes(SWARM, MANIFEST)
  expect(signature?.algorithm).toBe('ed25519')
  expect(verify(null, bytes, key, signature?.bytes ?? new Uint8Array())).toBe(true)
  expect(Buffer.from(signer.publicKey, 'base64url')).toHaveLength(32)
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

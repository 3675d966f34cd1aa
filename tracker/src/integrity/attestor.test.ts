import { generateKeyPairSync } from 'node:crypto'
import type { InfoHash } from '@shoal/protocol'
import { attestationBytes, base64urlOf, bytesOfBase64url, readPublicKey } from '@shoal/protocol'
import { expect, it } from 'vitest'
import { attestorFrom, ephemeralAttestor } from './attestor.js'

const HASH = '\u00ff'.repeat(20) as InfoHash
const DIGEST = base64urlOf(new Uint8Array(32).fill(1))
const pem = (key: ReturnType<typeof generateKeyPairSync>['privateKey']) =>
  key.export({ type: 'pkcs8', format: 'pem' }).toString()
const ed25519 = pem(generateKeyPairSync('ed25519').privateKey)
const p256 = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

it.each([
  ['a new key', ephemeralAttestor()],
  ['Ed25519', attestorFrom(ed25519)],
  ['P-256', attestorFrom(p256)],
])('%s: WebCrypto verifies what it signs, for this swarm and this list alone', async (_, attestor) => {
  const key = readPublicKey(attestor.publicKey)
  if (key === null) throw new Error('no public key')
  const parameters =
    key.algorithm === 'ed25519'
      ? { name: 'Ed25519' }
      : { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const raw = Uint8Array.from(key.bytes)
  const imported = await crypto.subtle.importKey('raw', raw, parameters, false, ['verify'])
  const signature = Uint8Array.from(bytesOfBase64url(attestor.sign(HASH, DIGEST)) ?? [])
  const verifies = (infoHash: string, digest: string) =>
    crypto.subtle.verify(
      parameters,
      imported,
      signature,
      Uint8Array.from(attestationBytes(infoHash as InfoHash, digest)),
    )
  expect(await verifies(HASH, DIGEST)).toBe(true)
  expect(await verifies('\u00fe'.repeat(20), DIGEST)).toBe(false)
  expect(await verifies(HASH, base64urlOf(new Uint8Array(32)))).toBe(false)
})

it('other keys and other texts are refused', () => {
  const p384 = pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)
  expect(() => attestorFrom('nothing')).toThrow('PEM')
  expect(() => attestorFrom(p384)).toThrow('neither Ed25519 nor P-256')
})

import { expect, it } from 'vitest'
import { fromHex, readVectors } from '../test/vectors.js'
import { base64urlOf } from './base64url.js'
import { readPublicKey } from './public-key.js'

const { keys } = readVectors<{ readonly keys: { readonly ed25519: string; readonly p256: string } }>(
  'signed-manifests',
)

it.each(['ed25519', 'p256'] as const)('reads a key of %s', (algorithm) => {
  const bytes = fromHex(keys[algorithm])
  expect(readPublicKey(base64urlOf(bytes))).toEqual({ algorithm, bytes })
})

it.each([
  ['nothing', undefined],
  ['a number', 7],
  ['31 bytes', base64urlOf(new Uint8Array(31))],
  ['33 bytes', base64urlOf(new Uint8Array(33))],
  ['a compressed point', base64urlOf(Uint8Array.of(2, ...new Uint8Array(32)))],
  ['65 bytes that are no uncompressed point', base64urlOf(new Uint8Array(65))],
  ['padding', `${base64urlOf(new Uint8Array(32))}=`],
  ['bits beyond the last byte', `${'A'.repeat(42)}B`],
  ['other letters', '!'.repeat(43)],
])('refuses %s', (_, value) => {
  expect(readPublicKey(value)).toBeNull()
})

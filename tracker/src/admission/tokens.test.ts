import { type InfoHash, refuseToken } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HASH, id } from '../testing/messages.js'
import { ed25519Token, hex, hmacToken, newKeyPair, SECRET } from '../testing/tokens.js'
import type { TokenKeys } from './tokens.js'
import { infoHashOf, readPublicKeys, readSecrets, readToken } from './tokens.js'

const NOW = 1_800_000_000
const pair = newKeyPair()
const KEYS: TokenKeys = {
  hmac: readSecrets(`# the old one\n${'x'.repeat(32)}\n\n${SECRET}\n`),
  ed25519: readPublicKeys(`${newKeyPair().publicPem}\n${pair.publicPem}`),
}
const CLAIMS = { info_hash: hex(HASH), exp: NOW + 60 }
const WISH = { infoHash: HASH as InfoHash, peerId: id('p'), origin: 'https://a.example' }

const verdict = (claims: object) => {
  const read = readToken(hmacToken(claims), KEYS)
  return read === null ? 'unreadable' : (refuseToken(read, WISH, NOW)?.code ?? 'good')
}

describe('tokens', () => {
  it('are signed with a secret or an Ed25519 key, one of several', () => {
    const expected = {
      infoHash: HASH,
      origin: null,
      peerId: null,
      seeder: false,
      expires: NOW + 60,
      notBefore: 0,
    }
    expect(readToken(hmacToken(CLAIMS), KEYS)).toEqual(expected)
    expect(readToken(ed25519Token(CLAIMS, pair.privateKey), KEYS)).toEqual(expected)
  })

  it('name the swarm by info hash or by content id', async () => {
    const content = 'https://cdn.example/film/main.m3u8'
    expect(readToken(hmacToken({ content, exp: NOW }), KEYS)?.infoHash).toBe(infoHashOf(content))
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(content))
    expect(hex(infoHashOf(content))).toBe(Buffer.from(digest).toString('hex').slice(0, 40))
  })

  it.each([
    ['another secret', hmacToken(CLAIMS, `${SECRET}!`)],
    ['another key', ed25519Token(CLAIMS, newKeyPair().privateKey)],
    ['no algorithm', hmacToken(CLAIMS, SECRET, { alg: 'none' })],
    ['the public key as a secret', hmacToken(CLAIMS, pair.publicPem)],
    ['another algorithm', hmacToken(CLAIMS, SECRET, { alg: 'EdDSA' })],
    ['critical headers', hmacToken(CLAIMS, SECRET, { alg: 'HS256', crit: ['b64'] })],
    ['no signature', hmacToken(CLAIMS).replace(/[^.]*$/, '')],
    ['four parts', `${hmacToken(CLAIMS)}.x`],
    ['nothing', ''],
    ['a lot', 'x'.repeat(100_000)],
    ['no end', hmacToken({ info_hash: hex(HASH) })],
    ['no swarm', hmacToken({ exp: NOW + 60 })],
    ['two swarms', hmacToken({ ...CLAIMS, content: 'x' })],
    ['a swarm that is none', hmacToken({ ...CLAIMS, info_hash: 'abc' })],
    ['null', hmacToken(JSON.parse('[null]'))],
  ])('with %s are not read', (_, token) => {
    expect(readToken(token, KEYS)).toBeNull()
  })

  it('of one changed character are not read', () => {
    const token = hmacToken(CLAIMS)
    fc.assert(
      // Not the last character: some of its bits are not part of the signature.
      fc.property(fc.nat(token.length - 2), fc.constantFrom('A', 'x', '.', '_', ' '), (at, char) => {
        fc.pre(token[at] !== char)
        return readToken(token.slice(0, at) + char + token.slice(at + 1), KEYS) === null
      }),
    )
  })

  it('of any text throw nothing', () => {
    const part = fc.oneof(
      fc.string(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => readToken(parts.join('.'), KEYS) === null),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['good', {}],
    ['good', { origin: WISH.origin, peer_id: hex(WISH.peerId), nbf: NOW }],
    ['good', { exp: NOW - 29 }],
    ['token-expired', { exp: NOW - 30 }],
    ['token-invalid', { nbf: NOW + 31 }],
    ['token-invalid', { info_hash: hex(id('other')) }],
    ['token-invalid', { origin: 'https://b.example' }],
    ['token-invalid', { peer_id: hex(id('q')) }],
  ])('%s: %j', (expected, claims) => {
    expect(verdict({ ...CLAIMS, ...claims })).toBe(expected)
  })

  it.each([
    ['', 'holds 0 secrets'],
    ['short', 'secret 1 has less than 32 bytes'],
    [`${SECRET}\n`.repeat(17), 'holds 17 secrets'],
  ])('files of secrets like %j are refused', (text, message) => {
    expect(() => readSecrets(text)).toThrow(message)
  })

  it('files without public keys are refused', () => {
    expect(() => readPublicKeys('nothing')).toThrow('holds 0 public keys')
  })
})

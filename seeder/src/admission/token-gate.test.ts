import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InfoHash, PeerId } from '@shoal/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Logger } from '../log.js'
import { TokenGate } from './token-gate.js'

const HASH = 'h'.repeat(20) as InfoHash
const PEER = '-SH0100-abcdefghijkl' as PeerId
const SECRET = 'correct horse battery staple, and more'
const hex = (text: string) => Buffer.from(text, 'latin1').toString('hex')
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

function hmacToken(claims: object, secret = SECRET): string {
  const signed = `${part({ alg: 'HS256' })}.${part(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

describe('join tokens at a seeder', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  let folder: string
  let now: number
  let lines: object[]

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-tokens-'))
    now = 1_800_000_000_000
    lines = []
    writeFileSync(join(folder, 'secrets'), `# one\n${SECRET}\n`)
    writeFileSync(join(folder, 'keys'), publicKey.export({ type: 'spki', format: 'pem' }))
  })

  afterEach(() => rmSync(folder, { recursive: true }))

  const log: Logger = {
    debug() {},
    info() {},
    warn: (fields: object) => void lines.push(fields),
    error() {},
  }

  const gate = () => {
    const files = { secretsFile: join(folder, 'secrets'), keysFile: join(folder, 'keys') }
    return new TokenGate(files, HASH, () => now, log)
  }
  const claims = () => ({ info_hash: hex(HASH), exp: now / 1000 + 60 })

  test('are good where a secret or a key signed them', () => {
    expect(gate().admit(hmacToken(claims()), PEER)).toBeNull()
    const signed = `${part({ alg: 'EdDSA' })}.${part(claims())}`
    const token = `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`
    expect(gate().admit(token, PEER)).toBeNull()
    expect(
      gate().admit(hmacToken({ ...claims(), origin: 'https://a.example', peer_id: hex(PEER) }), PEER),
    ).toBeNull()
    expect(lines).toEqual([])
  })

  test.each([
    ['nothing', 'token-invalid', () => ''],
    ['another secret', 'token-invalid', () => hmacToken(claims(), `${SECRET}!`)],
    ['another swarm', 'token-invalid', () => hmacToken({ ...claims(), info_hash: hex('x'.repeat(20)) })],
    ['another peer', 'token-invalid', () => hmacToken({ ...claims(), peer_id: hex('x'.repeat(20)) })],
    ['an end in the past', 'token-expired', () => hmacToken({ ...claims(), exp: now / 1000 - 60 })],
    ['a beginning to come', 'token-invalid', () => hmacToken({ ...claims(), nbf: now / 1000 + 60 })],
  ])('with %s are refused: %s', (_name, code, token) => {
    expect(gate().admit(token(), PEER)).toBe(code)
  })

  test('that are refused are one line of the log a minute', () => {
    const strict = gate()
    for (let i = 0; i < 100; i++) strict.admit('x', PEER)
    now += 60_000
    strict.admit('y', PEER)
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatchObject({ code: 'token-invalid', refused: 100 })
  })

  test('are checked with new keys once the file has changed, with the old ones while it is broken', () => {
    const changing = gate()
    const other = `${SECRET} of today`
    const write = (text: string, at: number) => {
      writeFileSync(join(folder, 'secrets'), text)
      utimesSync(join(folder, 'secrets'), at, at)
      now += 6_000
    }
    write('short', 1)
    expect(changing.admit(hmacToken(claims()), PEER)).toBeNull()
    write(other, 2)
    expect(changing.admit(hmacToken(claims()), PEER)).toBe('token-invalid')
    expect(changing.admit(hmacToken(claims(), other), PEER)).toBeNull()
  })

  test('from a file that cannot be used are a clear error', () => {
    const missing = { secretsFile: join(folder, 'none') }
    expect(() => new TokenGate(missing, HASH, () => now, log)).toThrow(
      /--admit-secrets .*none cannot be used/,
    )
    writeFileSync(join(folder, 'keys'), 'nonsense')
    expect(gate).toThrow(/--admit-keys .*keys cannot be used: holds 0 public keys/)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeErrorCode } from '../test/decode-outcome.js'
import { readVectors } from '../test/vectors.js'
import { bytesOfBase64url } from './base64url.js'
import type { DecodeErrorCode } from './errors.js'
import type { KeyDocument } from './key-document.js'
import { documentKeysAt, keyStatementBytes, readKeyDocument } from './key-document.js'
import { readPublicKey } from './public-key.js'

interface Vectors {
  readonly accepted: readonly {
    readonly name: string
    readonly text: string
    readonly document: KeyDocument
    readonly signedText: string
  }[]
  readonly rejected: readonly {
    readonly name: string
    readonly text: string
    readonly code: DecodeErrorCode
  }[]
}
const { accepted, rejected } = readVectors<Vectors>('key-documents')

describe('key documents', () => {
  it.each(accepted)('$name', ({ text, document, signedText }) => {
    expect(readKeyDocument(text)).toEqual(document)
    expect(new TextDecoder().decode(keyStatementBytes(document))).toBe(signedText)
  })

  it.each(accepted)('$name: WebCrypto verifies the signature with the root', async ({ document }) => {
    const root = readPublicKey(document.by)
    const signature = bytesOfBase64url(document.signature)
    if (root === null || signature === null) throw new Error('a vector out of form')
    const parameters =
      root.algorithm === 'ed25519'
        ? { name: 'Ed25519' }
        : { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    const key = await crypto.subtle.importKey('raw', Uint8Array.from(root.bytes), parameters, false, [
      'verify',
    ])
    const verified = (bytes: Uint8Array) =>
      crypto.subtle.verify(parameters, key, Uint8Array.from(signature), Uint8Array.from(bytes))
    expect(await verified(keyStatementBytes(document))).toBe(true)
    expect(await verified(keyStatementBytes({ ...document, issued: document.issued + 1 }))).toBe(false)
  })

  it.each(rejected)('refuses: $name: $code', ({ text, code }) => {
    expect(decodeErrorCode(() => readKeyDocument(text))).toBe(code)
  })

  it('any text is a document or a DecodeError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(decodeErrorCode(() => readKeyDocument(text))).not.toBeNull()
      }),
    )
  })
})

describe('statements', () => {
  const [{ document } = { document: null }] = accepted
  if (document === null) throw new Error('no vectors')
  const [key = ''] = document.keys.map((entry) => entry.key)
  const statement = { v: 1, issued: 1000, by: document.by } as const
  const now = (keys: KeyDocument['keys'], at: number, rest: Partial<KeyDocument> = {}) =>
    documentKeysAt({ ...statement, keys, ...rest }, 'film', at).length

  it('keys count from their first second up to their last', () => {
    const keys = [{ key, notBefore: 100, notAfter: 200 }]
    expect([99, 100, 199, 200].map((at) => now(keys, at))).toEqual([0, 1, 1, 0])
  })

  it('keys overlap in a rotation', () => {
    const keys = [
      { key, notAfter: 200 },
      { key: document.by, notBefore: 150 },
    ]
    expect([0, 150, 199, 200].map((at) => now(keys, at))).toEqual([1, 2, 2, 1])
  })

  it('a document that has expired, or of other titles, has none', () => {
    expect([99, 100].map((at) => now([{ key }], at, { expires: 100 }))).toEqual([1, 0])
    expect(now([{ key }], 0, { contentIds: ['film'] })).toBe(1)
    expect(now([{ key }], 0, { contentIds: ['other'] })).toBe(0)
  })

  it('no two statements have the same bytes', () => {
    const texts = fc.oneof(
      fc.constantFrom('a', 'b\ncontent "a"', '"', '\\', '\u2028'),
      fc.string({ minLength: 1 }),
    )
    const times = fc.option(fc.nat(3), { nil: undefined })
    const statements = fc.record({
      contentIds: fc.array(texts, { maxLength: 3 }),
      issued: fc.nat(3),
      expires: times,
      notBefore: times,
      notAfter: times,
    })
    const bytesOf = ({ contentIds, issued, expires, notBefore, notAfter }: Generated) =>
      keyStatementBytes({
        ...statement,
        issued,
        contentIds,
        ...(expires === undefined ? {} : { expires }),
        keys: [
          {
            key,
            ...(notBefore === undefined ? {} : { notBefore }),
            ...(notAfter === undefined ? {} : { notAfter }),
          },
        ],
      })
    type Generated = Parameters<Parameters<typeof statements.map>[0]>[0]
    fc.assert(
      fc.property(statements, statements, (a, b) => {
        const equal = JSON.stringify(a) === JSON.stringify(b)
        const bytes = [bytesOf(a), bytesOf(b)].map((value) => value.join())
        expect(bytes[0] === bytes[1]).toBe(equal)
      }),
      { numRuns: 500 },
    )
  })
})

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { documentKeysAt, keyStatementBytes, readKeyDocument } from '@shoal/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type KeyChange, writeKeyDocument } from './key-document.js'
import { ALGORITHMS, newKey, verifies } from './keys.js'

const DAY = 86_400
const change = (given: Partial<KeyChange>): KeyChange => ({
  add: [],
  retire: [],
  overlapSeconds: DAY,
  ...given,
})
const [OLD, NEW] = [newKey().publicKey, newKey('p256').publicKey]

let file: string
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-keys-'))
  file = join(folder, 'keys.json')
})

afterEach(() => rmSync(folder, { recursive: true }))

describe.each(ALGORITHMS)('a root of %s', (algorithm) => {
  const root = newKey(algorithm)

  test('signs what players read', () => {
    writeKeyDocument(file, root, change({ add: [OLD] }), 1000)
    const document = readKeyDocument(readFileSync(file, 'utf8'))
    expect(document).toMatchObject({ v: 1, issued: 1000, keys: [{ key: OLD }], by: root.publicKey })
    const signature = Buffer.from(document.signature, 'base64url')
    expect(verifies(root.publicKey, keyStatementBytes(document), signature)).toBe(true)
    expect(verifies(root.publicKey, keyStatementBytes({ ...document, issued: 1001 }), signature)).toBe(false)
  })

  test('a rotation: both keys for the overlap, then the new one; the old one goes at the next change', () => {
    writeKeyDocument(file, root, change({ add: [OLD], contentIds: ['film'], lifeSeconds: 30 * DAY }), 1000)
    writeKeyDocument(file, root, change({ add: [NEW] }), 2000)
    const rotated = writeKeyDocument(file, root, change({ retire: [OLD] }), 3000)
    const count = (now: number) => documentKeysAt(rotated, 'film', now).length
    expect([3000, 3000 + DAY - 1, 3000 + DAY, 3000 + 30 * DAY].map(count)).toEqual([2, 2, 1, 0])
    expect(documentKeysAt(rotated, 'other', 3000)).toEqual([])
    const later = writeKeyDocument(file, root, change({}), 3000 + DAY)
    expect(later.keys).toEqual([{ key: NEW }])
    expect(later).toMatchObject({ contentIds: ['film'], expires: 3000 + 31 * DAY })
  })
})

test('each document is later than the one before, whatever the clock says', () => {
  const root = newKey()
  writeKeyDocument(file, root, change({ add: [OLD] }), 1000)
  expect(writeKeyDocument(file, root, change({}), 500).issued).toBe(1001)
})

test('what cannot be done is one clear error, and the file stays', () => {
  const root = newKey()
  const write = (given: Partial<KeyChange>, by = root) => writeKeyDocument(file, by, change(given), 1000)
  expect(() => write({})).toThrow(/no key would be left/)
  expect(() => write({ add: ['x'] })).toThrow(/--add x is no public key/)
  write({ add: [OLD] })
  const text = readFileSync(file, 'utf8')
  expect(() => write({ retire: [NEW] })).toThrow(/--retire .* is not in the document/)
  expect(() => write({ retire: [OLD], overlapSeconds: 0 })).toThrow(/no key would be left/)
  expect(() => write({ add: [NEW] }, newKey())).toThrow(/is not signed with this root key/)
  expect(readFileSync(file, 'utf8')).toBe(text)
  writeFileSync(file, text.replace('"issued": 1000', '"issued": 1'))
  expect(() => write({ add: [NEW] })).toThrow(/is not signed with this root key/)
  writeFileSync(file, '{}')
  expect(() => write({ add: [NEW] })).toThrow(/is no key document/)
})

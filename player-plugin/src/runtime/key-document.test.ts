import { webcrypto } from 'node:crypto'
import {
  base64urlOf,
  type DocumentKey,
  type KeyStatement,
  keyStatementBytes,
  type PublicKey,
} from '@shoal/protocol'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { KeyDocuments } from './key-document.js'

const subtle = webcrypto.subtle as SubtleCrypto
const HOUR_MS = 3_600_000

interface Root {
  readonly publicKey: PublicKey
  sign(keys: readonly DocumentKey[], changes?: Partial<KeyStatement>): Promise<string>
}

async function makeRoot(): Promise<Root> {
  const pair = (await subtle.generateKey({ name: 'Ed25519' }, true, ['sign', 'verify'])) as CryptoKeyPair
  const bytes = new Uint8Array(await subtle.exportKey('raw', pair.publicKey))
  return {
    publicKey: { algorithm: 'ed25519', bytes },
    async sign(keys, changes = {}) {
      const statement: KeyStatement = { v: 1, issued: 1_000, keys, by: base64urlOf(bytes), ...changes }
      const signed = keyStatementBytes(statement) as Uint8Array<ArrayBuffer>
      const signature = new Uint8Array(await subtle.sign({ name: 'Ed25519' }, pair.privateKey, signed))
      return JSON.stringify({ ...statement, signature: base64urlOf(signature) })
    },
  }
}

const keyText = (fill: number): string => base64urlOf(new Uint8Array(32).fill(fill))
let root: Root
let served: string
let requests: number
let told: string[][]
let errors: string[]
let documents: KeyDocuments

beforeEach(async () => {
  root = await makeRoot()
  requests = 0
  told = []
  errors = []
  vi.stubGlobal('fetch', async () => {
    requests++
    return new Response(served, { status: served === '' ? 404 : 200 })
  })
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'], now: 2_000_000 })
  documents = new KeyDocuments({
    url: 'https://cdn.example/keys.json',
    roots: [root.publicKey],
    contentId: 'title',
    subtle,
    random: () => 0.5,
    onKeys: (keys) => told.push(keys.map(({ bytes }) => base64urlOf(bytes))),
    onError: (message) => errors.push(message),
  })
})

afterEach(() => {
  documents.close()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('tells the keys that count now, and changes them when their time comes', async () => {
  served = await root.sign([
    { key: keyText(1), notAfter: 2_600 },
    { key: keyText(2), notBefore: 2_300 },
    { key: keyText(3), notAfter: 1_999 },
  ])
  await documents.load()
  expect(told).toEqual([[keyText(1)]])
  // Both count while the seeder changes from one to the other.
  await vi.advanceTimersByTimeAsync(360_000)
  expect(told.at(-1)).toEqual([keyText(1), keyText(2)])
  await vi.advanceTimersByTimeAsync(300_000)
  expect(told.at(-1)).toEqual([keyText(2)])
  expect(requests).toBe(1)
  expect(errors).toEqual([])
})

test('loads it anew within the hour, and a minute after a key that it does not name', async () => {
  served = await root.sign([{ key: keyText(1) }])
  await documents.load()
  documents.unknownKey()
  documents.unknownKey()
  expect(requests).toBe(1)
  served = await root.sign([{ key: keyText(2) }], { issued: 1_001 })
  await vi.advanceTimersByTimeAsync(60_000)
  await vi.waitFor(() => expect(told.at(-1)).toEqual([keyText(2)]))
  expect(requests).toBe(2)
  await vi.advanceTimersByTimeAsync(HOUR_MS * 0.9)
  expect(requests).toBe(2)
  for (let minute = 0; minute < 10 && requests < 3; minute++) await vi.advanceTimersByTimeAsync(60_000)
  expect(requests).toBe(3)
})

test.each<[string, () => Promise<string>]>([
  ['another root’s', async () => (await makeRoot()).sign([{ key: keyText(1) }])],
  [
    'one that was changed',
    async () => (await root.sign([{ key: keyText(1) }])).replace(keyText(1), keyText(2)),
  ],
  [
    'another root’s under our name',
    async () => {
      const other = await makeRoot()
      return other.sign([{ key: keyText(1) }], { by: base64urlOf(root.publicKey.bytes) })
    },
  ],
  ['no document', async () => '<html>'],
  ['none at all', async () => ''],
  ['one without end', async () => ' '.repeat(40_000)],
])('does not take %s', async (_name, make) => {
  served = await make()
  await documents.load()
  expect(told).toEqual([])
  expect(errors).toHaveLength(1)
})

test('does not take an older one back, nor one of another title', async () => {
  served = await root.sign([{ key: keyText(2) }], { issued: 2_000 })
  await documents.load()
  served = await root.sign([{ key: keyText(1) }], { issued: 1_999 })
  await documents.load()
  expect(told).toEqual([[keyText(2)]])
  served = await root.sign([{ key: keyText(1) }], { issued: 2_001, contentIds: ['other'] })
  await documents.load()
  expect(told.at(-1)).toEqual([])
})

test('keeps what it knows while the document cannot be had, until it expires', async () => {
  served = await root.sign([{ key: keyText(1) }], { expires: 2_400 })
  await documents.load()
  served = ''
  await documents.load()
  expect(told).toEqual([[keyText(1)]])
  await vi.advanceTimersByTimeAsync(420_000)
  expect(told.at(-1)).toEqual([])
})

import { mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pieceSizeFor, type SegmentManifest, type TrackId } from '@shoal/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hashPieces } from '../signing/pieces.js'
import { mediaBytes } from '../testing/test-origin.js'
import { BlockCache } from './block-cache.js'
import { DiskStore } from './disk-store.js'
import { FileReader } from './file-reader.js'

const SIZE = 20_000
const REF = { url: 'http://origin.test/a.ts', range: null }

let folder: string
let evicted: string[]
let opened: DiskStore[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-cache-'))
  evicted = []
  opened = []
})

afterEach(async () => {
  for (const store of opened) await store.close()
  rmSync(folder, { recursive: true })
})

function open(capacity = 1e9): DiskStore {
  const reader = new FileReader(new BlockCache(0))
  const store = new DiskStore(join(folder, 'cache'), capacity, (key) => evicted.push(key), reader)
  opened.push(store)
  return store
}

async function manifestOf(bytes: Uint8Array): Promise<SegmentManifest> {
  const size = bytes.byteLength
  const pieceSize = pieceSizeFor(size)
  const segment = { track: 1 as TrackId, sequence: 0, part: null }
  return { segment, offset: 0, size, pieceSize, hashes: await hashPieces(bytes, pieceSize), signature: null }
}

async function fill(store: DiskStore, ...keys: string[]): Promise<void> {
  for (const [index, key] of keys.entries()) {
    const bytes = mediaBytes(SIZE, index)
    await store.put(key, REF, bytes, await manifestOf(bytes))
  }
}

const file = (name: string) => join(folder, 'cache', name)

test('bytes are read back by span', async () => {
  const bytes = mediaBytes(SIZE, 0)
  const stored = await open().put('a', REF, bytes, await manifestOf(bytes))
  expect(await stored.read(16_384, SIZE)).toEqual(bytes.subarray(16_384))
  expect(await stored.read(SIZE - 1, SIZE + 1)).toBeNull()
})

test('a full cache evicts the least recently read', async () => {
  const store = open(2 * SIZE)
  await fill(store, 'a', 'b')
  const bytes = mediaBytes(SIZE, 0)
  const stored = await store.put('a', REF, bytes, await manifestOf(bytes))
  await fill(store, 'c')
  expect(evicted).toEqual(['b'])
  expect(await stored.read(0, 1)).not.toBeNull()
  expect(readdirSync(join(folder, 'cache')).sort()).toEqual(['a.manifest', 'a.seg', 'c.manifest', 'c.seg'])
})

test('a file that changes under its reader gives nothing any more', async () => {
  const bytes = mediaBytes(SIZE, 0)
  const store = open()
  const stored = await store.put('a', REF, bytes, await manifestOf(bytes))
  expect(await stored.read(0, 10)).toEqual(bytes.subarray(0, 10))
  writeFileSync(file('a.seg'), mediaBytes(SIZE, 9))
  utimesSync(file('a.seg'), 1, 1)
  expect(await stored.read(0, 10)).toBeNull()
  expect(evicted).toEqual(['a'])
  expect(readdirSync(join(folder, 'cache'))).toEqual([])
})

describe('after a restart', () => {
  beforeEach(() => fill(open(), 'a'))

  test('a complete segment is found again', async () => {
    const store = open()
    expect(store.bytes).toBe(SIZE)
    const recovered = await store.recover('a')
    expect(recovered?.manifest.size).toBe(SIZE)
    expect(await recovered?.stored.read(0, SIZE)).toEqual(mediaBytes(SIZE, 0))
  })

  test.each([
    ['is truncated', () => truncateSync(file('a.seg'), SIZE - 1)],
    ['is as long and corrupt', () => writeFileSync(file('a.seg'), mediaBytes(SIZE, 9))],
    ['has a truncated manifest', () => truncateSync(file('a.manifest'), 20)],
    ['has a manifest of rubbish', () => writeFileSync(file('a.manifest'), mediaBytes(200, 1))],
    ['has an empty manifest', () => truncateSync(file('a.manifest'), 0)],
    ['has no manifest', () => rmSync(file('a.manifest'))],
    ['has no bytes', () => rmSync(file('a.seg'))],
  ])('a segment that %s is not used, and removed', async (_name, damage) => {
    damage()
    const store = open()
    expect(await store.recover('a')).toBeNull()
    expect(store.bytes).toBe(0)
    expect(readdirSync(join(folder, 'cache'))).toEqual([])
  })

  test('what a crash left half written is removed', () => {
    writeFileSync(file('b.seg.0.tmp'), 'half')
    writeFileSync(file('b.seg'), 'without manifest')
    open()
    expect(readdirSync(join(folder, 'cache')).sort()).toEqual(['a.manifest', 'a.seg'])
  })

  test('what is not wanted any more is pruned, what has been found is not', async () => {
    await fill(open(), 'a', 'b')
    const store = open()
    await store.recover('a')
    store.prune(new Set())
    expect(readdirSync(join(folder, 'cache')).sort()).toEqual(['a.manifest', 'a.seg'])
  })

  test('a smaller bound evicts at once', async () => {
    await fill(open(), 'a', 'b', 'c')
    expect(open(2 * SIZE).bytes).toBe(2 * SIZE)
  })
})

test('a folder that cannot be used is one clear error', () => {
  writeFileSync(join(folder, 'cache'), 'a file')
  expect(() => open()).toThrow(/cannot use the cache folder .* Give --cache a folder/)
})

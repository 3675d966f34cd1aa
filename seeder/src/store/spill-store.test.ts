import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VirtualClock } from '@shoal/core/testing'
import { pieceSizeFor, type TrackId } from '@shoal/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hashPieces } from '../signing/pieces.js'
import { RecordingLog } from '../testing/recording-log.js'
import { mediaBytes } from '../testing/test-origin.js'
import { DiskStore } from './disk-store.js'
import { MemoryStore } from './memory-store.js'
import { SpillStore } from './spill-store.js'

const SIZE = 1_000

let folder: string
let clock: VirtualClock
let log: RecordingLog
let evicted: string[]
let store: SpillStore

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-spill-'))
  clock = new VirtualClock()
  log = new RecordingLog()
  evicted = []
  const onEvict = (key: string) => evicted.push(key)
  store = new SpillStore(
    new DiskStore(join(folder, 'cache'), 1e6, onEvict),
    new MemoryStore(2 * SIZE, onEvict),
    clock,
    log,
  )
})

afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

async function put(key: string, seed: number) {
  const bytes = mediaBytes(SIZE, seed)
  const pieceSize = pieceSizeFor(SIZE)
  const segment = { track: 1 as TrackId, sequence: seed, part: null }
  const hashes = await hashPieces(bytes, pieceSize)
  const manifest = { segment, offset: 0, size: SIZE, pieceSize, hashes, signature: null }
  return await store.put(key, { url: 'http://origin.test/a.ts', range: null }, bytes, manifest)
}

/** A file in the folder's place: every write fails. */
function breakDisk(): void {
  rmSync(join(folder, 'cache'), { recursive: true })
  writeFileSync(join(folder, 'cache'), '')
}

test('a disk that fails is said once, and memory takes over within its bound', async () => {
  await put('a', 0)
  breakDisk()
  const kept = [await put('b', 1), await put('c', 2), await put('d', 3)]
  expect(await kept[2]?.read(0, SIZE)).toEqual(mediaBytes(SIZE, 3))
  expect(evicted).toEqual(['b'])
  expect(store.has('d')).toBe(true)
  expect(store.capacity).toBe(store.bytes)
  expect(log.lines).toEqual(['warn the cache cannot be written: keeping segments in memory'])
  clock.advance(31_000)
  await put('e', 4)
  expect(log.lines).toHaveLength(1)
  clock.advance(600_000)
  await put('f', 5)
  expect(log.lines).toHaveLength(2)
})

test('a disk that can be written again is used again', async () => {
  breakDisk()
  await put('a', 0)
  rmSync(join(folder, 'cache'))
  mkdirSync(join(folder, 'cache'))
  await put('b', 1)
  expect(store.capacity).toBeLessThan(1e6)
  clock.advance(31_000)
  await put('c', 2)
  await put('a', 3)
  expect(log.lines.at(-1)).toBe('info the cache can be written again')
  expect(store.capacity).toBe(1e6)
  expect(store.bytes).toBe(3 * SIZE)
})

import { mkdtempSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FolderOrigin, findPlaylist } from '../origin/folder-origin.js'
import type { Origin } from '../origin/origin.js'
import { mediaBytes } from '../testing/test-origin.js'
import { BLOCK_BYTES, BlockCache } from './block-cache.js'
import { FileReader } from './file-reader.js'
import { FolderStore } from './folder-store.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-folder-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

const signal = new AbortController().signal
const urlOf = (name: string) => pathToFileURL(join(folder, name)).href
const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content)

describe('a store of a folder', () => {
  test('reads spans of the file itself, relative to the segment', async () => {
    const bytes = mediaBytes(1000, 1)
    write('a.mp4', bytes)
    const store = new FolderStore(() => undefined)
    const range = { start: 100, end: 300 }
    const stored = await store.put('a', { url: urlOf('a.mp4'), range }, bytes.subarray(100, 300))
    expect(await stored.read(10, 20)).toEqual(bytes.subarray(110, 120))
    expect(store.bytes).toBe(200)
    await store.close()
  })

  test('gives nothing once the file changed, and says so', async () => {
    const gone: string[] = []
    const bytes = mediaBytes(1000, 1)
    write('a.ts', bytes)
    const store = new FolderStore((key) => gone.push(key), new FileReader(new BlockCache(0)))
    const stored = await store.put('a', { url: urlOf('a.ts'), range: null }, bytes)
    expect(await stored.read(0, 10)).not.toBeNull()
    write('a.ts', mediaBytes(1001, 2))
    expect(await stored.read(0, 10)).toBeNull()
    expect(gone).toEqual(['a'])
    expect(store.bytes).toBe(0)
  })
})

test('open files are bounded, and reads beyond the bound still work', async () => {
  const reader = new FileReader(new BlockCache(0), 2)
  for (let i = 0; i < 5; i++) write(`${i}`, mediaBytes(10, i))
  const versionOf = (name: string) => {
    const { size, mtimeMs } = statSync(join(folder, name))
    return { size, modifiedMs: mtimeMs }
  }
  const read = (i: number) => reader.read(join(folder, `${i}`), 0, 10, versionOf(`${i}`))
  const all = await Promise.all([0, 1, 2, 3, 4].map(read))
  expect(all).toEqual([0, 1, 2, 3, 4].map((i) => mediaBytes(10, i)))
  expect(await reader.read(join(folder, 'missing'), 0, 1, versionOf('0'))).toBeNull()
  reader.close()
})

test('bytes of another version of a file are never taken for those of this one', async () => {
  const path = join(folder, 'a.ts')
  const reader = new FileReader(new BlockCache(0))
  const read = async (modifiedMs: number) => await reader.read(path, 0, 10, { size: 10, modifiedMs })
  for (const [seed, seconds] of [
    [1, 100],
    [2, 200],
  ] as const) {
    write('a.ts', mediaBytes(10, seed))
    utimesSync(path, seconds, seconds)
    expect(await read(seconds * 1000)).toEqual(mediaBytes(10, seed))
    // Once more: what is known is looked at, not read.
    expect(await read(seconds * 1000)).toEqual(mediaBytes(10, seed))
  }
  expect(await read(100_000)).toBeNull()
  reader.close()
})

test('a span over several blocks is put together, and none goes beyond the end', async () => {
  const bytes = mediaBytes(BLOCK_BYTES * 2 + 1_000, 1)
  write('long.ts', bytes)
  const { size, mtimeMs } = statSync(join(folder, 'long.ts'))
  const reader = new FileReader()
  const read = (start: number, end: number) =>
    reader.read(join(folder, 'long.ts'), start, end, { size, modifiedMs: mtimeMs })
  for (const [start, end] of [
    [BLOCK_BYTES - 10, BLOCK_BYTES + 10],
    [5, BLOCK_BYTES * 2 + 5],
    [BLOCK_BYTES, BLOCK_BYTES * 2],
    [size - 7, size],
  ] as const) {
    const piece = await read(start, end)
    expect(Buffer.compare(piece ?? Buffer.alloc(0), bytes.subarray(start, end))).toBe(0)
  }
  expect(await read(size - 1, size + 1)).toBeNull()
  expect(await read(size + BLOCK_BYTES, size + BLOCK_BYTES + 1)).toBeNull()
  reader.close()
})

describe('a folder as origin', () => {
  test('never reads outside of the folder', async () => {
    const origin: Origin = new FolderOrigin((await findPlaylistIn('a.m3u8')).root)
    symlinkSync('/etc/hostname', join(folder, 'link.ts'))
    const load = (url: string) => origin.loadSegment({ url, range: null }, signal)
    await expect(load(urlOf('link.ts'))).rejects.toThrow(/outside of the folder/)
    await expect(load(urlOf('../outside.ts'))).rejects.toMatchObject({ kind: 'status' })
    await expect(load('file:///etc/hostname')).rejects.toThrow(/outside of the folder/)
    await expect(load('http://127.0.0.1/a.ts')).rejects.toThrow(/not in the folder/)
    await expect(load(urlOf('missing.ts'))).rejects.toMatchObject({ status: 404 })
  })

  test('says when a range is not in the file', async () => {
    const origin: Origin = new FolderOrigin((await findPlaylistIn('a.m3u8')).root)
    write('a.mp4', mediaBytes(10, 1))
    const load = origin.loadSegment({ url: urlOf('a.mp4'), range: { start: 5, end: 11 } }, signal)
    await expect(load).rejects.toMatchObject({ kind: 'bad-response' })
  })

  async function findPlaylistIn(...names: string[]) {
    for (const name of names) write(name, '#EXTM3U\n')
    return await findPlaylist(folder)
  }

  test.each([
    [['x.m3u8', 'master.m3u8', 'index.m3u8'], 'master.m3u8'],
    [['x.m3u8', 'index.m3u8'], 'index.m3u8'],
    [['x.m3u8'], 'x.m3u8'],
  ])('of %j takes %s', async (names, expected) => {
    expect((await findPlaylistIn(...names)).playlistUrl).toBe(urlOf(expected))
  })

  test('takes the only multivariant playlist', async () => {
    write('main.m3u8', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n')
    expect((await findPlaylistIn('a.m3u8', 'b.m3u8')).playlistUrl).toBe(urlOf('main.m3u8'))
  })

  test('says why there is none', async () => {
    await expect(findPlaylist(folder)).rejects.toThrow(/there is no playlist/)
    await expect(findPlaylist(join(folder, 'missing'))).rejects.toThrow(/there is no such folder/)
    await expect(findPlaylistIn('a.m3u8', 'b.m3u8')).rejects.toThrow(/several playlists \(a.m3u8, b.m3u8\)/)
  })
})

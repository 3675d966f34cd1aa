import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { mediaBytes, mediaText, TestOrigin } from '../testing/test-origin.js'
import { startTestSeeder, type TestSeeder } from '../testing/test-seeder.js'

const SINGLE = 'main|single'

let origin: TestOrigin
let folder: string
const running: TestSeeder[] = []

beforeEach(async () => {
  origin = await TestOrigin.start()
  folder = mkdtempSync(join(tmpdir(), 'shoal-seeder-'))
})

afterEach(async () => {
  for (const { seeder } of running.splice(0)) await seeder.close()
  await origin.stop()
  rmSync(folder, { recursive: true })
})

/** A seeder of the live stream with its cache in the folder, once it holds so many segments. */
async function start(segments: number): Promise<TestSeeder> {
  const seeder = await startTestSeeder({ source: origin.url('/live.m3u8'), cache: { folder } })
  running.push(seeder)
  await vi.waitFor(() => expect(seeder.swarm.published.size).toBe(segments), {
    timeout: 10_000,
    interval: 10,
  })
  return seeder
}

test('a cache of a live stream with dates is found again', async () => {
  const live = (sequence: number, since: number) => {
    const date = new Date(1.7e12 + since + sequence * 1000).toISOString()
    const names = [0, 1, 2].map((i) => `s${sequence + i}.ts`)
    const [first = '', ...others] = names
    const segments = [`#EXT-X-PROGRAM-DATE-TIME:${date}\n${first}`, ...others]
    origin.put('/live.m3u8', mediaText({ target: 1, sequence, live: true, segments }))
    for (const [i, name] of names.entries()) origin.put(`/${name}`, mediaBytes(900, sequence + i))
  }
  live(0, 0)
  const first = await start(3)
  await first.seeder.close()
  live(1, 0)
  const second = await start(3)
  expect(origin.served('/s1.ts') + origin.served('/s2.ts')).toBe(2)
  expect(await second.bytesOf(SINGLE, 2)).toEqual(mediaBytes(900, 2))
  await second.seeder.close()
  // Another run of the encoder: the same names and numbers, another time.
  live(1, 50_000)
  await start(3)
  expect(origin.served('/s2.ts')).toBe(2)
})

test('a cache of a live stream without dates is found again once one segment proves to be the same', async () => {
  const live = (sequence: number, count: number, run: number) => {
    const names = Array.from({ length: count }, (_, i) => `s${sequence + i}.ts`)
    origin.put('/live.m3u8', mediaText({ target: 1, sequence, live: true, segments: names }))
    for (const [i, name] of names.entries()) origin.put(`/${name}`, mediaBytes(900, 50 * run + sequence + i))
  }
  const fetched = () => origin.seen.filter(({ path }) => path.endsWith('.ts')).map(({ path }) => path)
  live(0, 4, 0)
  const first = await start(4)
  await first.seeder.close()
  origin.seen.length = 0
  live(1, 4, 0)
  const second = await start(4)
  expect(fetched().sort()).toEqual(['/s3.ts', '/s4.ts'])
  expect(await second.bytesOf(SINGLE, 1)).toEqual(mediaBytes(900, 1))
  await second.seeder.close()
  origin.seen.length = 0
  live(1, 4, 1)
  const third = await start(4)
  expect(fetched().sort()).toEqual(['/s1.ts', '/s2.ts', '/s3.ts', '/s4.ts'])
  expect(await third.bytesOf(SINGLE, 1)).toEqual(mediaBytes(900, 51))
})

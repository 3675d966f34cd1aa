import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { mediaBytes, mediaText, TestOrigin } from '../testing/test-origin.js'
import { startTestSeeder, type TestSeeder } from '../testing/test-seeder.js'
import type { SeederOptions } from './options.js'

const SINGLE = 'main|single'
const HIGH = 'main|2000|640x360|25|avc1,mp4a|'
const LOW = 'main|1000|320x180|25|avc1,mp4a|'

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

async function start(options: Partial<SeederOptions> & { source: string }): Promise<TestSeeder> {
  const seeder = await startTestSeeder(options)
  running.push(seeder)
  return seeder
}

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 10_000, interval: 10 })
const held = (seeder: TestSeeder, count: number) =>
  until(() => expect(seeder.swarm.published.size).toBe(count))

function putVod(count: number): void {
  const stream = (bandwidth: number, size: string, uri: string) =>
    `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},RESOLUTION=${size},FRAME-RATE=25.000,CODECS="avc1,mp4a"\n${uri}\n`
  origin.put(
    '/vod/master.m3u8',
    `#EXTM3U\n${stream(2000, '640x360', 'hi/v.m3u8')}${stream(1000, '320x180', 'lo/v.m3u8')}`,
  )
  for (const rendition of ['hi', 'lo']) {
    const names = Array.from({ length: count }, (_, i) => `s${i}.ts`)
    origin.put(`/vod/${rendition}/v.m3u8`, mediaText({ segments: names }))
    for (const [i, name] of names.entries()) {
      origin.put(`/vod/${rendition}/${name}`, mediaBytes(20_000 + i, rendition === 'hi' ? i : 100 + i))
    }
  }
}

describe('a title on demand', () => {
  test('is mirrored with one origin request for each segment, all renditions in turn', async () => {
    putVod(5)
    const seeder = await start({ source: origin.url('/vod/master.m3u8?token=1') })
    await held(seeder, 10)
    expect(seeder.seeder.contentId).toBe(origin.url('/vod/master.m3u8'))
    const media = origin.seen.filter(({ path }) => path.endsWith('.ts')).map(({ path }) => path)
    expect(new Set(media).size).toBe(10)
    expect(media).toHaveLength(10)
    for (const rendition of ['hi', 'lo']) {
      const order = media.filter((path) => path.includes(rendition)).map((path) => path.slice(-4, -3))
      expect(order).toEqual(['0', '1', '2', '3', '4'])
    }
    expect(Buffer.from((await seeder.bytesOf(HIGH, 3)) ?? [])).toEqual(origin.files.get('/vod/hi/s3.ts'))
    expect(Buffer.from((await seeder.bytesOf(LOW, 4)) ?? [])).toEqual(origin.files.get('/vod/lo/s4.ts'))
  })

  test('is signed, announced before it is fetched, and published after', async () => {
    putVod(1)
    const seeder = await start({ source: origin.url('/vod/lo/v.m3u8') })
    await held(seeder, 1)
    const manifest = seeder.manifestOf(SINGLE, 0)
    if (manifest === undefined) throw new Error('no manifest')
    const body = origin.files.get('/vod/lo/s0.ts') ?? Buffer.alloc(0)
    const first = createHash('sha256').update(body.subarray(0, manifest.pieceSize)).digest()
    expect(manifest).toMatchObject({ offset: 0, size: body.byteLength, pieceSize: 16_384 })
    expect(Buffer.from(manifest.hashes[0] ?? [])).toEqual(first)
    const { crypto } = seeder.swarm.ports
    expect(await crypto.verifyManifest(seeder.swarm.options.swarmId.bytes, manifest)).toBe('trusted')
    expect(seeder.swarm.log.map((line) => line.split(' ')[0])).toEqual(['fetching', 'publish'])
  })

  test('in byte ranges is fetched by ranges, also from a server that ignores them', async () => {
    const bytes = mediaBytes(50_000, 1)
    for (const honour of [true, false]) {
      origin.honourRanges = honour
      const path = `/range-${honour}.m3u8`
      origin.put(`/all-${honour}.mp4`, bytes)
      const range = (text: string) => `#EXT-X-BYTERANGE:${text}\nall-${honour}.mp4`
      origin.put(path, mediaText({ segments: [range('20000@0'), range('20000'), range('10000@40000')] }))
      const seeder = await start({ source: origin.url(path) })
      await held(seeder, 3)
      expect(seeder.manifestOf(SINGLE, 1)).toMatchObject({ offset: 20_000, size: 20_000 })
      expect(
        Buffer.from((await seeder.bytesOf(SINGLE, 1)) ?? []).equals(bytes.subarray(20_000, 40_000)),
      ).toBe(true)
      const ranges = origin.seen
        .filter((seen) => seen.path === `/all-${honour}.mp4`)
        .map(({ range }) => range)
      expect(ranges.sort()).toEqual(['bytes=0-19999', 'bytes=20000-39999', 'bytes=40000-49999'])
    }
  })

  test('leaves out what is empty or missing, and mirrors the rest', async () => {
    putVod(3)
    origin.put('/vod/lo/s1.ts', '')
    const seeder = await start({ source: origin.url('/vod/lo/v.m3u8') })
    await held(seeder, 2)
    expect(seeder.log.count('left out')).toBe(1)
    expect(seeder.swarm.fetching.size).toBe(0)
  })

  test('one playlist under two variants is fetched once and offered under both', async () => {
    putVod(2)
    origin.put(
      '/vod/two.m3u8',
      '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlo/v.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nlo/v.m3u8\n',
    )
    const seeder = await start({ source: origin.url('/vod/two.m3u8') })
    await held(seeder, 4)
    expect(origin.served('/vod/lo/s0.ts')).toBe(1)
    expect(await seeder.bytesOf('main|1||||', 1)).toEqual(await seeder.bytesOf('main|2||||', 1))
  })

  test('larger than its memory is mirrored from the beginning as far as there is room', async () => {
    putVod(20)
    const seeder = await start({ source: origin.url('/vod/lo/v.m3u8'), memoryBytes: 200_000 })
    await until(() => expect(seeder.log.count('the cache is full')).toBe(1))
    await until(() => expect(seeder.swarm.fetching.size).toBe(0))
    expect(seeder.seeder.snapshot().bytes).toBeLessThanOrEqual(200_000)
    expect(seeder.manifestOf(SINGLE, 0)).toBeDefined()
    expect(seeder.swarm.published.size).toBe(9)
  })

  test('survives an outage in the middle and then completes', async () => {
    putVod(6)
    origin.redirects.set('/vod/lo/s3.ts', 'http://127.0.0.1:1/refused')
    const seeder = await start({ source: origin.url('/vod/lo/v.m3u8') })
    await until(() => expect(seeder.swarm.published.size).toBe(5))
    origin.redirects.clear()
    await held(seeder, 6)
    expect(origin.served('/vod/lo/s2.ts')).toBe(1)
  })
})

describe('a cache on disk', () => {
  const cached = (bytes?: number) => start({ source: origin.url('/vod/lo/v.m3u8'), cache: { folder, bytes } })
  const files = (seeder: TestSeeder) => join(folder, seeder.seeder.infoHash)

  test('is found again, and only what is damaged is fetched again', async () => {
    putVod(4)
    const first = await cached()
    await held(first, 4)
    await first.seeder.close()
    const names = readdirSync(files(first)).sort()
    expect(names).toHaveLength(8)
    const seg = (sequence: number) => {
      const name = names.find((other) => other.includes(`-${sequence}-`) && other.endsWith('.seg')) ?? ''
      return join(files(first), name)
    }
    truncateSync(seg(1), 10_000)
    writeFileSync(seg(2), mediaBytes(20_002, 77))
    origin.seen.length = 0
    const second = await cached()
    await held(second, 4)
    const fetched = origin.seen.filter(({ path }) => path.endsWith('.ts')).map(({ path }) => path)
    expect(fetched.sort()).toEqual(['/vod/lo/s1.ts', '/vod/lo/s2.ts'])
    for (let i = 0; i < 4; i++) {
      const wanted = origin.files.get(`/vod/lo/s${i}.ts`)
      expect(Buffer.from((await second.bytesOf(SINGLE, i)) ?? [])).toEqual(wanted)
      const manifest = second.manifestOf(SINGLE, i)
      const { ports, options } = second.swarm
      expect(manifest && (await ports.crypto.verifyManifest(options.swarmId.bytes, manifest))).toBe('trusted')
    }
  })

  test('of a live stream is not believed: numbers come again', async () => {
    putVod(1)
    const text = (live: boolean) => mediaText({ target: 1, live, segments: ['s0.ts'] })
    origin.put('/vod/lo/v.m3u8', text(true))
    const first = await cached()
    await held(first, 1)
    await first.seeder.close()
    origin.put('/vod/lo/s0.ts', mediaBytes(500, 9))
    const second = await cached()
    await held(second, 1)
    expect(origin.served('/vod/lo/s0.ts')).toBe(2)
    expect(second.manifestOf(SINGLE, 0)?.size).toBe(500)
  })
})

describe('a live stream', () => {
  const put = (sequence: number, ...names: string[]) => {
    origin.put('/live.m3u8', mediaText({ target: 0.2, sequence, live: true, segments: names }))
    for (const name of names) {
      if (!origin.files.has(`/${name}`)) origin.put(`/${name}`, mediaBytes(1_000, name.charCodeAt(0)))
    }
  }
  const sequences = (seeder: TestSeeder) =>
    [...seeder.swarm.published.values()].map(({ segment }) => segment.sequence).sort((a, b) => a - b)

  test('is followed: new segments once, old ones dropped, a reset survived', async () => {
    put(10, 'a.ts', 'b.ts')
    const seeder = await start({ source: origin.url('/live.m3u8') })
    await until(() => expect(sequences(seeder)).toEqual([10, 11]))
    put(12, 'c.ts', 'd.ts')
    await until(() => expect(sequences(seeder)).toEqual([12, 13]))
    expect(origin.served('/c.ts')).toBe(1)
    expect(origin.seen.some(({ status }) => status === 304)).toBe(true)
    put(0, 'e.ts')
    await until(() => expect(sequences(seeder)).toEqual([0]))
    expect(await seeder.bytesOf(SINGLE, 12)).toBeNull()
  })

  test('goes on after its origin was down', async () => {
    put(0, 'a.ts', 'b.ts')
    const seeder = await start({ source: origin.url('/live.m3u8') })
    await held(seeder, 2)
    origin.failWith = 503
    await until(() => expect(seeder.log.count('the origin is down')).toBe(1))
    expect(seeder.seeder.snapshot().origin).toMatchObject({ state: 'down' })
    expect(await seeder.bytesOf(SINGLE, 1)).not.toBeNull()
    put(1, 'b.ts', 'c.ts')
    origin.failWith = null
    await until(() => expect(seeder.manifestOf(SINGLE, 2)).toBeDefined())
    expect(seeder.log.count('the origin is back')).toBe(1)
    expect(seeder.seeder.snapshot().origin).toEqual({ state: 'up', error: null })
  })

  test('gives way in a memory that is too small: the newest stay', async () => {
    put(0, 'a.ts')
    const seeder = await start({ source: origin.url('/live.m3u8'), memoryBytes: 2_500 })
    for (const names of [
      ['a.ts', 'b.ts'],
      ['a.ts', 'b.ts', 'c.ts'],
      ['a.ts', 'b.ts', 'c.ts', 'd.ts'],
    ]) {
      put(0, ...names)
      await until(() => expect(seeder.manifestOf(SINGLE, names.length - 1)).toBeDefined())
    }
    expect(sequences(seeder)).toEqual([2, 3])
  })
})

describe('a folder', () => {
  test('is served from its own files', async () => {
    const title = join(folder, 'title')
    mkdirSync(title)
    writeFileSync(join(title, 'a.ts'), mediaBytes(30_000, 1))
    writeFileSync(join(title, 'v.m3u8'), mediaText({ segments: ['a.ts', '../secret.ts'] }))
    writeFileSync(join(folder, 'secret.ts'), 'secret')
    const seeder = await start({ source: title, contentId: 'http://cdn.test/v.m3u8' })
    await held(seeder, 1)
    const bytes = Buffer.from((await seeder.bytesOf(SINGLE, 0)) ?? [])
    expect(bytes.equals(mediaBytes(30_000, 1))).toBe(true)
    expect(seeder.seeder.contentId).toBe('http://cdn.test/v.m3u8')
    expect(seeder.seeder.infoHash).toBe(
      createHash('sha256').update('http://cdn.test/v.m3u8').digest('hex').slice(0, 40),
    )
  })

  test('without content id is a clear error', async () => {
    await expect(start({ source: folder })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('a folder needs --content-id: viewers find the swarm by the URL'),
    })
  })
})

test('the join token goes to the swarm, and that of a file anew each time it is asked', async () => {
  putVod(1)
  const source = origin.url('/vod/master.m3u8')
  expect((await start({ source, token: 'abc' })).swarm.options.token).toBe('abc')
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, 'first\n')
  const { token } = (await start({ source, tokenFile })).swarm.options
  if (typeof token !== 'function') throw new Error('not asked for')
  expect(await token()).toBe('first')
  writeFileSync(tokenFile, 'second\n')
  expect(await token()).toBe('second')
})

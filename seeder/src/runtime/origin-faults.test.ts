import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { mediaBytes, mediaText, TestOrigin } from '../testing/test-origin.js'
import { startTestSeeder, type TestSeeder } from '../testing/test-seeder.js'
import type { SeederOptions } from './options.js'

const SINGLE = 'main|single'
const VARIANT = 'main|1000||||'

let first: TestOrigin
let second: TestOrigin
const running: TestSeeder[] = []

/** An origin without a fault. */
const HEALTHY = { failWith: null, resets: null, cutBytes: 0, pages: null, hangs: null, stalls: false }

beforeEach(async () => {
  first = await TestOrigin.start()
  second = await TestOrigin.start()
})

afterEach(async () => {
  for (const { seeder } of running.splice(0)) await seeder.close()
  await first.stop()
  await second.stop()
})

async function start(options: Partial<SeederOptions> & { source: string }): Promise<TestSeeder> {
  const seeder = await startTestSeeder(options)
  running.push(seeder)
  return seeder
}

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 20_000, interval: 10 })

/** Puts a live window of 0.2 s segments at each origin. */
function live(origins: readonly TestOrigin[], sequence: number, count: number, folder = ''): void {
  const names = Array.from({ length: count }, (_, i) => `s${sequence + i}.ts`)
  const text = mediaText({ target: 0.2, sequence, live: true, segments: names })
  for (const origin of origins) {
    for (const [i, name] of names.entries()) origin.put(`${folder}/${name}`, mediaBytes(2_000, sequence + i))
    origin.put(`${folder}/live.m3u8`, text)
  }
}

const hold = (seeder: TestSeeder, sequence: number, identity = SINGLE) =>
  until(() => expect(seeder.manifestOf(identity, sequence)).toBeDefined())

describe('with a second origin', () => {
  const both = () => start({ source: first.url('/live.m3u8'), origins: [second.url('/live.m3u8')] })

  test.each<[string, () => void]>([
    ['fails', () => (first.failWith = 503)],
    ['resets connections', () => (first.resets = /./)],
    ['sends half', () => (first.cutBytes = 10)],
    ['answers with pages', () => (first.pages = /./)],
    ['has lost the playlist', () => (first.failWith = 404)],
    ['hangs', () => (first.hangs = /./)],
  ])('a first one that %s is left, and found again when the second fails', async (_name, fault) => {
    live([first, second], 0, 3)
    const seeder = await both()
    await hold(seeder, 2)
    fault()
    live([second], 1, 4)
    await hold(seeder, 4)
    expect(seeder.log.count('changed to another origin')).toBe(1)
    expect(seeder.log.count('the origin is down')).toBe(0)
    expect(await seeder.bytesOf(SINGLE, 2)).toEqual(mediaBytes(2_000, 2))
    Object.assign(first, HEALTHY)
    second.failWith = 500
    live([first], 2, 5)
    await hold(seeder, 6)
    expect(await seeder.bytesOf(SINGLE, 6)).toEqual(mediaBytes(2_000, 6))
    expect(seeder.log.count('began anew')).toBe(0)
  })

  test('a first one whose playlist stands still is left', async () => {
    live([first, second], 0, 2)
    const seeder = await both()
    await hold(seeder, 1)
    live([second], 0, 3)
    await hold(seeder, 2)
    expect(seeder.log.count('brings nothing new')).toBe(1)
  })

  test('one that is behind does not take back what is held', async () => {
    live([first, second], 0, 4)
    const seeder = await both()
    await hold(seeder, 3)
    live([second], 0, 2)
    first.failWith = 503
    await until(() => expect(seeder.log.count('changed to another origin')).toBe(1))
    live([second], 0, 3)
    live([second], 0, 5)
    await hold(seeder, 4)
    expect(seeder.log.count('began anew')).toBe(0)
    expect(first.served('/s2.ts') + second.served('/s2.ts')).toBe(1)
  })

  test('the first may be down from the beginning', async () => {
    live([second], 0, 2)
    first.failWith = 502
    const seeder = await both()
    await hold(seeder, 1)
    expect(seeder.seeder.contentId).toBe(first.url('/live.m3u8'))
  })
})

test('a redundant stream takes over where the first fails', async () => {
  const stream = (url: string) => `#EXT-X-STREAM-INF:BANDWIDTH=1000\n${url}\n`
  first.put('/master.m3u8', `#EXTM3U\n${stream('a/live.m3u8')}${stream(second.url('/b/live.m3u8'))}`)
  live([first], 0, 2, '/a')
  live([second], 0, 2, '/b')
  const seeder = await start({ source: first.url('/master.m3u8') })
  await hold(seeder, 1, VARIANT)
  first.failWith = 503
  live([second], 1, 3, '/b')
  await hold(seeder, 3, VARIANT)
  expect(await seeder.bytesOf(VARIANT, 3)).toEqual(mediaBytes(2_000, 3))
  expect(seeder.log.count('changed to another origin')).toBe(1)
})

describe('with one origin', () => {
  const down = 'the origin is down'

  test.each<[string, () => void, string]>([
    ['fails', () => (first.failWith = 503), down],
    ['resets connections', () => (first.resets = /./), down],
    ['sends half', () => (first.cutBytes = 10), down],
    ['hangs', () => (first.hangs = /./), down],
    ['hangs in the middle', () => (first.stalls = true), down],
    ['answers with pages', () => (first.pages = /./), 'cannot use this playlist'],
  ])(
    'one that %s is named once, what is held is served, and the rest comes later',
    async (_name, fault, said) => {
      live([first], 0, 3)
      const seeder = await start({ source: first.url('/live.m3u8') })
      await hold(seeder, 2)
      fault()
      live([first], 1, 4)
      await until(() => expect(seeder.log.count(said)).toBe(1))
      expect(seeder.seeder.snapshot().origin.state).toBe(said === down ? 'down' : 'up')
      expect(seeder.manifestOf(SINGLE, 4)).toBeUndefined()
      expect(await seeder.bytesOf(SINGLE, 2)).toEqual(mediaBytes(2_000, 2))
      Object.assign(first, HEALTHY)
      for (const sequence of [1, 2, 3, 4]) {
        // Which of two that failed is tried first again is chance.
        await hold(seeder, sequence)
        expect(await seeder.bytesOf(SINGLE, sequence)).toEqual(mediaBytes(2_000, sequence))
      }
      expect(seeder.log.count(said)).toBe(1)
      expect(seeder.log.count('the origin is back')).toBe(said === down ? 1 : 0)
      expect(seeder.log.count('began anew')).toBe(0)
    },
  )

  test('one that starts anew with other numbers is followed, and nothing of before is served', async () => {
    live([first], 40, 3)
    const seeder = await start({ source: first.url('/live.m3u8') })
    await hold(seeder, 42)
    first.failWith = 503
    await until(() => expect(seeder.log.count('the origin is down')).toBe(1))
    const names = ['n0.ts', 'n1.ts']
    for (const [i, name] of names.entries()) first.put(`/${name}`, mediaBytes(1_500, 900 + i))
    first.put('/live.m3u8', mediaText({ target: 0.2, sequence: 41, live: true, segments: names }))
    first.failWith = null
    await until(() => expect(seeder.manifestOf(SINGLE, 41)?.size).toBe(1_500))
    expect(seeder.log.count('began anew')).toBe(1)
    expect(await seeder.bytesOf(SINGLE, 41)).toEqual(mediaBytes(1_500, 900))
    await until(() => expect(seeder.manifestOf(SINGLE, 40)).toBeUndefined())
  })

  test('one whose numbers jump ahead is followed, and what they left behind is not served for long', async () => {
    live([first], 5, 3)
    const seeder = await start({ source: first.url('/live.m3u8') })
    await hold(seeder, 7)
    live([first], 1_005, 2)
    await hold(seeder, 1_006)
    expect(await seeder.bytesOf(SINGLE, 1_005)).toEqual(mediaBytes(2_000, 1_005))
    await until(() => expect(seeder.manifestOf(SINGLE, 7)).toBeUndefined())
  })

  test('a page in place of a segment is never shared, and the segment comes later', async () => {
    live([first], 0, 2)
    first.pages = /s1\.ts/
    const seeder = await start({ source: first.url('/live.m3u8') })
    await hold(seeder, 0)
    await until(() => expect(first.seen.filter(({ path }) => path === '/s1.ts').length).toBeGreaterThan(1))
    expect(seeder.manifestOf(SINGLE, 1)).toBeUndefined()
    expect(await seeder.bytesOf(SINGLE, 1)).toBeNull()
    first.pages = null
    await hold(seeder, 1)
    expect(await seeder.bytesOf(SINGLE, 1)).toEqual(mediaBytes(2_000, 1))
  })

  test('a gap is not asked for, and asked for when it is none any more', async () => {
    live([first], 0, 2)
    const text = first.files.get('/live.m3u8')?.toString() ?? ''
    first.put('/live.m3u8', text.replace('s1.ts', '#EXT-X-GAP\ns1.ts'))
    const seeder = await start({ source: first.url('/live.m3u8') })
    await hold(seeder, 0)
    expect(first.served('/s1.ts')).toBe(0)
    first.put('/live.m3u8', text)
    await hold(seeder, 1)
  })

  test('parts are announced, fetched and signed as parts', async () => {
    const lines = (parts: number) =>
      [
        '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1',
        '#EXT-X-PART-INF:PART-TARGET=0.2\n#EXT-X-MEDIA-SEQUENCE:4\n#EXTINF:1,\ns4.ts',
        ...Array.from({ length: parts }, (_, i) => `#EXT-X-PART:DURATION=0.2,URI="s5.${i}.ts"`),
      ].join('\n')
    first.put('/s4.ts', mediaBytes(3_000, 4))
    for (let i = 0; i < 3; i++) first.put(`/s5.${i}.ts`, mediaBytes(700, 50 + i))
    first.put('/live.m3u8', lines(1))
    const seeder = await start({ source: first.url('/live.m3u8') })
    await until(() => expect(seeder.partOf(SINGLE, 5, 0)?.size).toBe(700))
    first.put('/live.m3u8', lines(3))
    await until(() => expect(seeder.partOf(SINGLE, 5, 2)?.size).toBe(700))
    const manifest = seeder.partOf(SINGLE, 5, 2)
    const { crypto } = seeder.swarm.ports
    expect(manifest && (await crypto.verifyManifest(seeder.swarm.options.swarmId.bytes, manifest))).toBe(
      'trusted',
    )
    const read = manifest && (await seeder.swarm.ports.pieces?.read(manifest.segment, 0, 700))
    expect(read).toEqual(mediaBytes(700, 52))
    expect(first.seen.some(({ path }) => path.includes('_HLS_msn=5&_HLS_part=1'))).toBe(true)
    expect(first.served('/s5.0.ts')).toBe(1)
  })
})

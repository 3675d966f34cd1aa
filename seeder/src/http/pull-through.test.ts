import { Agent, get as httpGet } from 'node:http'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { SeederOptions } from '../runtime/options.js'
import { mediaBytes, mediaText, TestOrigin } from '../testing/test-origin.js'
import { startTestSeeder, type TestSeeder } from '../testing/test-seeder.js'

let origin: TestOrigin
let seeder: TestSeeder

beforeEach(async () => {
  origin = await TestOrigin.start()
})

afterEach(async () => {
  await seeder.seeder.close()
  await origin.stop()
})

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 10_000, interval: 10 })

async function start(options: Partial<SeederOptions> = {}): Promise<void> {
  const http = { port: 0, host: '127.0.0.1' }
  seeder = await startTestSeeder({ source: origin.url('/vod/v.m3u8'), http, ...options })
}

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`${seeder.seeder.url}${path}`, { headers, method })

describe('a title that does not fit', () => {
  const names = Array.from({ length: 12 }, (_, i) => `s${i}.ts`)

  beforeEach(async () => {
    origin.put('/vod/v.m3u8', mediaText({ segments: names }))
    for (const [i, name] of names.entries()) origin.put(`/vod/${name}`, mediaBytes(20_000, i))
    origin.put('/vod/secret.ts', 'not listed')
    await start({ memoryBytes: 100_000 })
    await until(() => expect(seeder.log.count('the cache is full')).toBe(1))
    await until(() => expect(seeder.swarm.fetching.size).toBe(0))
  })

  test('is fetched on demand, once for all who ask, and offered to the swarm', async () => {
    expect(origin.served('/vod/s11.ts')).toBe(0)
    const answers = await Promise.all([
      ...Array.from({ length: 6 }, () => get('/s11.ts')),
      get('/s11.ts', { range: 'bytes=5-9' }),
    ])
    const bodies = await Promise.all(answers.map((answer) => answer.arrayBuffer()))
    const media = Buffer.from(mediaBytes(20_000, 11))
    expect(bodies.map((body) => media.includes(Buffer.from(body)))).toEqual(Array(7).fill(true))
    expect(bodies.map((body) => body.byteLength)).toEqual([...Array(6).fill(20_000), 5])
    expect(answers[6]?.status).toBe(206)
    expect(origin.served('/vod/s11.ts')).toBe(1)
    expect(seeder.manifestOf('main|single', 11)).toBeDefined()
    const { headers } = await get('/s11.ts', {}, 'HEAD')
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(origin.served('/vod/s11.ts')).toBe(1)
  })

  test('is not fetched where no playlist lists it', async () => {
    expect((await get('/secret.ts')).status).toBe(404)
    expect(origin.seen.some(({ path }) => path.includes('secret'))).toBe(false)
  })

  test('is a 404 where the origin has not got it, and comes when it has', async () => {
    origin.files.delete('/vod/s10.ts')
    expect((await get('/s10.ts')).status).toBe(404)
    origin.put('/vod/s10.ts', mediaBytes(300, 10))
    expect((await get('/s10.ts')).status).toBe(200)
  })

  test('is served over one connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number | undefined>()
    for (const name of ['s0.ts', 's9.ts', 'v.m3u8', 'nothing']) {
      await new Promise<void>((resolve) => {
        httpGet(`${seeder.seeder.url}/${name}`, { agent }, (answer) => {
          ports.add(answer.socket.localPort)
          answer.resume().once('end', resolve)
        })
      })
    }
    agent.destroy()
    expect(ports.size).toBe(1)
  })
})

test('byte ranges of one file are fetched as far as they are asked for', async () => {
  const bytes = mediaBytes(60_000, 1)
  origin.put('/vod/all.mp4', bytes)
  const ranges = [0, 20_000, 40_000].map((at) => `#EXT-X-BYTERANGE:20000@${at}\nall.mp4`)
  origin.put('/vod/v.m3u8', mediaText({ segments: ranges }))
  await start({ memoryBytes: 25_000 })
  await until(() => expect(seeder.swarm.published.size).toBe(1))
  await until(() => expect(seeder.swarm.fetching.size).toBe(0))
  for (const at of [0, 20_000, 40_000]) {
    const answer = await get('/all.mp4', { range: `bytes=${at}-${at + 19_999}` })
    expect(answer.status).toBe(206)
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(at, at + 20_000))).toBe(true)
  }
})

describe('a live playlist', () => {
  const text = (parts: number) =>
    [
      '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1',
      '#EXT-X-PART-INF:PART-TARGET=0.2\n#EXT-X-MEDIA-SEQUENCE:4\n#EXTINF:2,\ns4.ts',
      ...Array.from({ length: parts }, (_, i) => `#EXT-X-PART:DURATION=0.2,URI="s5.${i}.ts"`),
    ].join('\n')

  beforeEach(async () => {
    for (const name of ['s4.ts', 's5.0.ts', 's5.1.ts']) origin.put(`/vod/${name}`, mediaBytes(900, 1))
    origin.put('/vod/v.m3u8', text(1))
    await start()
    await until(() => expect(seeder.swarm.published.size).toBe(2))
  })

  test('may be cached for a second, and is asked for on condition of a change', async () => {
    const { headers } = await get('/v.m3u8', {}, 'HEAD')
    expect(headers.get('cache-control')).toBe('public, max-age=1')
    expect((await get('/v.m3u8', { 'if-none-match': headers.get('etag') ?? '' })).status).toBe(304)
    const segment = await get('/s4.ts')
    expect(segment.headers.get('cache-control')).toBe('public, max-age=60, immutable')
  })

  test('is held for who asks for the next part, and has it then', async () => {
    let answered = false
    const held = get('/v.m3u8?_HLS_msn=5&_HLS_part=1').then((answer) => {
      answered = true
      return answer.text()
    })
    const there = await get('/v.m3u8?_HLS_msn=5&_HLS_part=0')
    expect(await there.text()).not.toContain('s5.1.ts')
    expect(answered).toBe(false)
    origin.put('/vod/v.m3u8', text(2))
    expect(await held).toContain('s5.1.ts')
    expect((await get('/s5.1.ts')).status).toBe(200)
  })

  test('is refused to who asks for what is far ahead', async () => {
    expect((await get('/v.m3u8?_HLS_msn=50')).status).toBe(503)
  })
})

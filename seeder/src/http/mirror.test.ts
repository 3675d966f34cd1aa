import { get as httpGet, type IncomingMessage } from 'node:http'
import { decodeSidecar } from '@shoal/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { mediaBytes, mediaText, TestOrigin } from '../testing/test-origin.js'
import { startTestSeeder, type TestSeeder } from '../testing/test-seeder.js'

let origin: TestOrigin
let seeder: TestSeeder

const bytes = mediaBytes(50_000, 1)

async function start(path: string, segments: number): Promise<void> {
  seeder = await startTestSeeder({ source: origin.url(path), http: { port: 0, host: '127.0.0.1' } })
  await vi.waitFor(() => expect(seeder.swarm.published.size).toBe(segments))
}

beforeEach(async () => {
  origin = await TestOrigin.start()
  origin.put('/vod/hi/a.m4s', bytes)
  origin.put('/shared/init.mp4', mediaBytes(100, 2))
  origin.put('/vod/hi/all.mp4', bytes)
})

afterEach(async () => {
  await seeder.seeder.close()
  await origin.stop()
})

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`${seeder.seeder.url}${path}`, { headers, method })

describe('a mirror of whole segments', () => {
  beforeEach(async () => {
    origin.put('/vod/master.m3u8', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhi/v.m3u8\n')
    const init = '#EXT-X-MAP:URI="../../shared/init.mp4"\n'
    origin.put('/vod/hi/v.m3u8', mediaText({ segments: [`${init}a.m4s`] }))
    await start('/vod/master.m3u8', 1)
  })

  test('is told to viewers through the tracker', () => {
    expect(seeder.swarm.options.http).toBe(`${seeder.seeder.url}/master.m3u8`)
  })

  test('has playlists beside the source, and at the paths of the source', async () => {
    for (const path of ['/master.m3u8', '/vod/master.m3u8', '/hi/v.m3u8', '/vod/hi/v.m3u8?token=1']) {
      const response = await get(path)
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('application/vnd.apple.mpegurl')
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(await response.text()).toContain('#EXTM3U')
    }
  })

  test('has segments and initialisation sections', async () => {
    const response = await get('/hi/a.m4s')
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
    const init = await vi.waitFor(async () => {
      const response = await get('/shared/init.mp4')
      expect(response.status).toBe(200)
      return response
    })
    expect((await init.arrayBuffer()).byteLength).toBe(100)
  })

  test.each([
    ['bytes=10-19', 206, 'bytes 10-19/50000', 10, 20],
    ['bytes=49990-', 206, 'bytes 49990-49999/50000', 49_990, 50_000],
    ['bytes=-5', 206, 'bytes 49995-49999/50000', 49_995, 50_000],
    ['bytes=40000-99999', 206, 'bytes 40000-49999/50000', 40_000, 50_000],
    ['bytes=0-1,5-6', 200, null, 0, 50_000],
    ['lines=1-2', 200, null, 0, 50_000],
  ])('answers %s with %i', async (range, status, contentRange, from, to) => {
    const response = await get('/hi/a.m4s', { range })
    expect(response.status).toBe(status)
    expect(response.headers.get('content-range')).toBe(contentRange)
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes.subarray(from, to))).toBe(true)
  })

  test('has the signed manifests of a segment beside it', async () => {
    const response = await get('/hi/a.m4s.shoal?token=1')
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    const [manifest, ...others] = decodeSidecar(new Uint8Array(await response.arrayBuffer()))
    expect(others).toEqual([])
    expect([...seeder.swarm.published.values()]).toEqual([manifest])
    const etag = response.headers.get('etag') ?? ''
    expect((await get('/hi/a.m4s.shoal', { 'if-none-match': etag })).status).toBe(304)
    expect((await get('/shared/init.mp4.shoal')).status).toBe(404)
    expect((await get('/hi/b.m4s.shoal')).status).toBe(404)
  })

  test('refuses a range beyond the end', async () => {
    const response = await get('/hi/a.m4s', { range: 'bytes=50000-' })
    expect(response.status).toBe(416)
    expect(response.headers.get('content-range')).toBe('bytes */50000')
  })

  test('knows its ETag, and answers HEAD, OPTIONS and the rest', async () => {
    const head = await get('/hi/a.m4s', {}, 'HEAD')
    const etag = head.headers.get('etag') ?? ''
    expect(head.headers.get('content-length')).toBe('50000')
    expect((await get('/hi/a.m4s', { 'if-none-match': `"x", ${etag}` })).status).toBe(304)
    expect((await get('/hi/a.m4s', { range: 'bytes=0-1', 'if-range': '"other"' })).status).toBe(200)
    expect((await get('/hi/a.m4s', {}, 'OPTIONS')).status).toBe(204)
    expect((await get('/hi/a.m4s', {}, 'DELETE')).status).toBe(405)
    expect((await get('/hi/b.m4s')).status).toBe(404)
    expect((await get('//%/..%2f..%2fetc/passwd')).status).toBe(404)
  })

  test('says how it is at /health', async () => {
    const response = await get('/health')
    expect(await response.json()).toMatchObject({
      contentId: origin.url('/vod/master.m3u8'),
      infoHash: seeder.seeder.infoHash,
      tracker: 'connected',
      segments: 1,
      bytes: 50_000,
      live: false,
      origin: { state: 'up', error: null },
    })
  })
})

test('says what it has done at /metrics', async () => {
  origin.put('/vod/hi/v.m3u8', mediaText({ segments: ['a.m4s'] }))
  await start('/vod/hi/v.m3u8', 1)
  await (await get('/a.m4s')).arrayBuffer()
  const response = await get('/metrics')
  expect(response.headers.get('content-type')).toContain('version=0.0.4')
  const text = await response.text()
  const values = Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split(' ')),
  )
  expect(values).toMatchObject({
    shoal_seeder_segments: '1',
    shoal_seeder_held_bytes: '50000',
    shoal_seeder_http_requests_total: '2',
    shoal_seeder_origin_bytes_total: '50000',
    shoal_seeder_origin_up: '1',
  })
  expect(Number(values['shoal_seeder_http_bytes_total'])).toBeGreaterThan(50_000)
  expect(text.match(/^# TYPE /gm)).toHaveLength(Object.keys(values).length)
})

test('a mirror of byte ranges answers what its ranges cover', async () => {
  const range = (text: string) => `#EXT-X-BYTERANGE:${text}\nall.mp4`
  origin.put('/vod/hi/v.m3u8', mediaText({ segments: [range('10000@5000'), range('10000')] }))
  await start('/vod/hi/v.m3u8', 2)
  const response = await get('/all.mp4', { range: 'bytes=6000-20999' })
  expect(response.status).toBe(206)
  expect(response.headers.get('content-range')).toBe('bytes 6000-20999/*')
  expect(Buffer.from(await response.arrayBuffer()).equals(bytes.subarray(6_000, 21_000))).toBe(true)
  expect((await get('/all.mp4', { range: 'bytes=24000-25000' })).status).toBe(404)
  expect((await get('/all.mp4')).status).toBe(404)
})

test('a slow reader gets everything, and one that leaves holds nothing up', async () => {
  const large = mediaBytes(8_000_000, 3)
  origin.put('/vod/hi/large.ts', large)
  origin.put('/vod/hi/v.m3u8', mediaText({ segments: ['large.ts'] }))
  await start('/vod/hi/v.m3u8', 1)
  const warnings: string[] = []
  const onWarning = (warning: Error) => warnings.push(warning.message)
  process.on('warning', onWarning)
  const open = () =>
    new Promise<IncomingMessage>((resolve) => httpGet(`${seeder.seeder.url}/large.ts`, resolve))
  const leaver = await open()
  leaver.once('data', () => leaver.destroy())
  const slow = await open()
  const chunks: Buffer[] = []
  for await (const chunk of slow) {
    chunks.push(chunk)
    if (chunks.length % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(Buffer.concat(chunks).equals(large)).toBe(true)
  process.off('warning', onWarning)
  expect(warnings).toEqual([])
})

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Origin, startOrigin } from './origin.js'

const SEGMENT = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251))
const MEDIA_PLAYLIST = `#EXTM3U
#EXT-X-TARGETDURATION:4
#EXTINF:4.0,
a.ts
#EXTINF:4.0,
b.ts
#EXT-X-ENDLIST
`

let folder: string
let origin: Origin
let now = 0

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-origin-'))
  const root = join(folder, 'root')
  await mkdir(join(root, 'vod/v0'), { recursive: true })
  await writeFile(join(folder, 'secret.ts'), 'secret')
  await writeFile(join(root, 'vod/.stamp'), 'hidden')
  await writeFile(join(root, 'vod/master.m3u8'), '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv0/index.m3u8\n')
  await writeFile(join(root, 'vod/v0/index.m3u8'), MEDIA_PLAYLIST)
  await writeFile(join(root, 'vod/v0/a.ts'), SEGMENT)
  await writeFile(join(root, 'vod/v0/b.ts'), 'b')
  now = Date.UTC(2026, 0, 1)
  origin = await startOrigin({ root, now: () => now, random: () => 0.5 })
})

afterEach(async () => {
  await origin.close()
  await rm(folder, { recursive: true })
})

const get = (path: string, init: RequestInit = {}) => fetch(`${origin.url}${path}`, init)

/** `fetch` tidies paths up before it sends them: this does not. */
function rawStatus(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(origin.url, { path }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

describe('files', () => {
  it('are served with type, length, ETag and CORS', async () => {
    const response = await get('/vod/v0/a.ts')
    expect(response.status).toBe(200)
    expect(Buffer.from(await response.arrayBuffer())).toEqual(SEGMENT)
    expect(response.headers.get('content-type')).toBe('video/mp2t')
    expect(response.headers.get('content-length')).toBe('100000')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    const exposed = response.headers.get('access-control-expose-headers')
    expect(exposed).toContain('Content-Length')
    expect(exposed).toContain('Content-Range')
    expect(exposed).toContain('ETag')
    const again = await get('/vod/v0/a.ts', {
      headers: { 'If-None-Match': response.headers.get('etag') ?? '' },
    })
    expect(again.status).toBe(304)
  })

  it('answer Range', async () => {
    const response = await get('/vod/v0/a.ts', { headers: { Range: 'bytes=1000-1009' } })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe('bytes 1000-1009/100000')
    expect(Buffer.from(await response.arrayBuffer())).toEqual(SEGMENT.subarray(1000, 1010))
    const beyond = await get('/vod/v0/a.ts', { headers: { Range: 'bytes=100000-' } })
    expect(beyond.status).toBe(416)
    expect(beyond.headers.get('content-range')).toBe('bytes */100000')
    const changed = await get('/vod/v0/a.ts', { headers: { Range: 'bytes=0-1', 'If-Range': '"other"' } })
    expect(changed.status).toBe(200)
    await changed.arrayBuffer()
  })

  it('answer HEAD and OPTIONS, and no other method', async () => {
    const head = await get('/vod/v0/a.ts', { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe('100000')
    expect(await head.text()).toBe('')
    const preflight = await get('/vod/v0/a.ts', { method: 'OPTIONS' })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Range')
    expect((await get('/vod/v0/a.ts', { method: 'PUT', body: 'x' })).status).toBe(405)
  })

  it.each([
    '/../secret.ts',
    '/vod/../../secret.ts',
    '/%2e%2e/secret.ts',
    '/vod/..%2f..%2fsecret.ts',
    '/vod/.stamp',
    '/vod',
    '/vod/v0/a.ts%00',
    '/vod/v0/none.ts',
  ])('are not found at %s', async (path) => {
    expect(await rawStatus(path)).toBe(404)
  })

  it('refuse broken percent-encoding', async () => {
    expect(await rawStatus('/vod/%zz')).toBe(400)
  })
})

describe('the live stream', () => {
  it('serves its playlists and the segments of the moment', async () => {
    expect(await (await get('/live/master.m3u8')).text()).toContain('v0/index.m3u8')
    const playlist = await get('/live/v0/index.m3u8?token=1')
    expect(playlist.headers.get('content-type')).toBe('application/vnd.apple.mpegurl')
    expect(await playlist.text()).toContain('seg-7.ts')
    expect((await get('/live/v0/seg-8.ts')).status).toBe(404)
    now += 4000
    const segment = await get('/live/v0/seg-8.ts')
    expect(Buffer.from(await segment.arrayBuffer())).toEqual(SEGMENT)
    expect(await (await get('/live/v0/seg-7.ts')).text()).toBe('b')
  })
})

describe('measuring', () => {
  it('counts requests and body bytes by kind and path', async () => {
    await (await get('/vod/v0/index.m3u8')).text()
    await (await get('/vod/v0/a.ts?token=1', { headers: { Range: 'bytes=0-9' } })).arrayBuffer()
    await (await get('/vod/v0/a.ts')).arrayBuffer()
    await (await get('/vod/v0/a.ts', { method: 'HEAD' })).arrayBuffer()
    expect(origin.requests.totals('segment')).toEqual({ count: 3, bytes: 100_010 })
    expect(origin.requests.totals()).toEqual({ count: 4, bytes: 100_010 + MEDIA_PLAYLIST.length })
    expect(origin.requests.byPath().get('/vod/v0/a.ts')).toEqual({ count: 3, bytes: 100_010 })
    expect(origin.requests.list[1]).toMatchObject({ status: 206, query: 'token=1', range: 'bytes=0-9' })
    origin.requests.reset()
    expect(origin.requests.totals()).toEqual({ count: 0, bytes: 0 })
  })
})

describe('faults', () => {
  it('fail matching requests as often as asked', async () => {
    origin.faults.fail({ match: /a\.ts$/, answer: 503, times: 1 })
    expect((await get('/vod/v0/a.ts')).status).toBe(503)
    expect((await get('/vod/v0/a.ts', { method: 'HEAD' })).status).toBe(200)
    const remove = origin.faults.fail({ match: 'b.ts', answer: 500, rate: 0.6 })
    expect((await get('/vod/v0/b.ts')).status).toBe(500)
    remove()
    expect((await get('/vod/v0/b.ts')).status).toBe(200)
    origin.faults.fail({ match: 'b.ts', answer: 500, rate: 0.4 })
    expect((await get('/vod/v0/b.ts')).status).toBe(200)
  })

  it('cut connections', async () => {
    origin.faults.fail({ match: 'b.ts', answer: 'reset' })
    await expect(get('/vod/v0/b.ts')).rejects.toThrow()
  })

  it('hang', async () => {
    origin.faults.fail({ match: 'b.ts', answer: 'hang' })
    await expect(get('/vod/v0/b.ts', { signal: AbortSignal.timeout(100) })).rejects.toThrow()
    expect(origin.requests.list[0]).toMatchObject({ status: 0, complete: false })
  })

  it('delay, and cap the bandwidth that all responses share', async () => {
    origin.faults.latencyMs = 50
    origin.faults.limitBandwidth(400_000)
    const start = performance.now()
    await Promise.all([1, 2].map(async () => (await get('/vod/v0/a.ts')).arrayBuffer()))
    const seconds = (performance.now() - start) / 1000
    expect(seconds).toBeGreaterThan(0.5)
    expect(seconds).toBeLessThan(2)
  })

  it('take Range away', async () => {
    origin.faults.ranges = false
    const response = await get('/vod/v0/a.ts', { headers: { Range: 'bytes=0-1' } })
    expect(response.status).toBe(200)
    expect(response.headers.get('accept-ranges')).toBe('none')
    await response.arrayBuffer()
  })

  it('redirect, and say when to come back', async () => {
    origin.faults.fail({
      match: '/vod/v0/a.ts',
      answer: { status: 307, to: `${origin.url}/other` },
      times: 1,
    })
    origin.faults.fail({ match: 'b.ts', answer: { status: 503, headers: { 'Retry-After': '3' } } })
    const redirected = await get('/vod/v0/a.ts?token=1', { redirect: 'manual' })
    expect(redirected.headers.get('location')).toBe(`${origin.url}/other/vod/v0/a.ts?token=1`)
    expect((await get('/vod/v0/b.ts')).headers.get('retry-after')).toBe('3')
  })

  it('put a page in place of the content', async () => {
    origin.faults.fail({ match: 'a.ts', answer: { page: '<html>' } })
    const response = await get('/vod/v0/a.ts')
    expect(response.headers.get('content-type')).toBe('text/html')
    expect(await response.text()).toBe('<html>')
  })

  it('encode a body, or leave its length out', async () => {
    const remove = origin.faults.fail({ match: 'a.ts', answer: { body: 'gzip' } })
    const coded = await get('/vod/v0/a.ts')
    expect(Number(coded.headers.get('content-length'))).toBeLessThan(SEGMENT.length)
    expect(Buffer.from(await coded.arrayBuffer())).toEqual(SEGMENT)
    remove()
    origin.faults.fail({ match: 'a.ts', answer: { body: 'chunked' } })
    const chunked = await get('/vod/v0/a.ts')
    expect(chunked.headers.get('content-length')).toBeNull()
    expect(Buffer.from(await chunked.arrayBuffer())).toEqual(SEGMENT)
  })

  it('cut a body, or let it fall silent', async () => {
    origin.faults.fail({ match: 'a.ts', answer: { cutAfter: 5_000, ending: 'reset' }, times: 1 })
    await expect((await get('/vod/v0/a.ts')).arrayBuffer()).rejects.toThrow()
    expect(origin.requests.list[0]).toMatchObject({ bytes: 5_000, complete: false })
    origin.faults.fail({ match: 'a.ts', answer: { cutAfter: 10, ending: 'silence' } })
    const init = { headers: { Range: 'bytes=100-199' }, signal: AbortSignal.timeout(1_500) }
    const silent = await get('/vod/v0/a.ts', init)
    expect(silent.headers.get('content-range')).toBe('bytes 100-199/100000')
    await expect(silent.arrayBuffer()).rejects.toThrow()
  })

  it('send another part than was asked for', async () => {
    origin.faults.fail({ match: 'a.ts', answer: { shift: 7, total: 1 } })
    const response = await get('/vod/v0/a.ts', { headers: { Range: 'bytes=100-199' } })
    expect(response.headers.get('content-range')).toBe('bytes 107-206/100001')
    expect(Buffer.from(await response.arrayBuffer())).toEqual(SEGMENT.subarray(107, 207))
  })

  it('ask segments for the token that playlists give', async () => {
    origin.faults.token = 'one'
    expect(await (await get('/vod/v0/index.m3u8')).text()).toContain('\na.ts?token=one\n#EXTINF')
    expect((await get('/vod/v0/a.ts?token=one')).status).toBe(200)
    origin.faults.token = 'two'
    expect((await get('/vod/v0/a.ts?token=one')).status).toBe(403)
    expect((await get('/vod/v0/a.ts')).status).toBe(403)
  })

  it('refuse connections until the origin is up again', async () => {
    await origin.down()
    await expect(get('/vod/v0/b.ts')).rejects.toThrow()
    await origin.up()
    expect((await get('/vod/v0/b.ts')).status).toBe(200)
  })
})

it('says clearly that a port is in use', async () => {
  const second = startOrigin({ root: join(folder, 'root'), port: origin.port })
  await expect(second).rejects.toMatchObject({
    code: 'port-in-use',
    message: expect.stringContaining(`port ${origin.port} on 127.0.0.1 is in use`),
  })
})

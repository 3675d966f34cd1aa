import { VirtualClock } from '@shoal/core/testing'
import { MAX_SEGMENT_BYTES, millis } from '@shoal/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nodeClock } from '../host/node-clock.js'
import { mediaBytes, TestOrigin } from '../testing/test-origin.js'
import { HttpOrigin } from './http-origin.js'

let server: TestOrigin
const origin = new HttpOrigin(nodeClock)
const signal = new AbortController().signal

beforeEach(async () => {
  server = await TestOrigin.start()
})

afterEach(() => server.stop())

const segment = (path: string, range: { start: number; end: number } | null = null) =>
  origin.loadSegment({ url: server.url(path), range }, signal)

describe('a playlist', () => {
  test('is asked for on condition of a change', async () => {
    server.put('/a.m3u8', '#EXTM3U')
    const first = await origin.loadPlaylist(server.url('/a.m3u8'), null, signal)
    if (first.kind !== 'loaded') throw new Error('not loaded')
    expect(first).toMatchObject({ text: '#EXTM3U', url: server.url('/a.m3u8') })
    expect(await origin.loadPlaylist(server.url('/a.m3u8'), first.validators, signal)).toEqual({
      kind: 'unchanged',
    })
    expect(server.seen.map(({ status }) => status)).toEqual([200, 304])
  })

  test('says where a redirect led', async () => {
    server.put('/cdn/a.m3u8', '#EXTM3U')
    server.redirects.set('/a.m3u8', '/cdn/a.m3u8')
    const load = await origin.loadPlaylist(server.url('/a.m3u8'), null, signal)
    expect(load).toMatchObject({ url: server.url('/cdn/a.m3u8') })
  })
})

describe('a segment', () => {
  const bytes = mediaBytes(20_000, 3)

  beforeEach(() => server.put('/a.ts', bytes))

  test('is fetched whole', async () => {
    expect(await segment('/a.ts')).toEqual(bytes)
  })

  test('of a range is fetched by exactly that range', async () => {
    expect(await segment('/a.ts', { start: 1000, end: 15_000 })).toEqual(bytes.subarray(1000, 15_000))
    expect(server.seen).toEqual([{ path: '/a.ts', range: 'bytes=1000-14999', status: 206 }])
  })

  test('of a range is cut out of a whole file', async () => {
    server.honourRanges = false
    expect(await segment('/a.ts', { start: 1000, end: 15_000 })).toEqual(bytes.subarray(1000, 15_000))
  })

  test('that ends too early is an error', async () => {
    await expect(segment('/a.ts', { start: 19_000, end: 20_001 })).rejects.toMatchObject({
      kind: 'bad-response',
    })
    server.cutBytes = 10
    await expect(segment('/a.ts')).rejects.toMatchObject({ name: 'OriginFailure' })
    await expect(segment('/a.ts', { start: 0, end: 1000 })).rejects.toMatchObject({ name: 'OriginFailure' })
  })

  test('that is larger than any segment is not read', async () => {
    server.put('/big.ts', new Uint8Array(MAX_SEGMENT_BYTES + 1))
    await expect(segment('/big.ts')).rejects.toMatchObject({ kind: 'too-large' })
  })

  test('that is not there, or not now, is told with its status', async () => {
    await expect(segment('/none.ts')).rejects.toMatchObject({ status: 404, originDown: false })
    server.failWith = 503
    await expect(segment('/a.ts')).rejects.toMatchObject({ status: 503, originDown: true })
  })

  test('of an origin that is gone is told in words', async () => {
    const url = server.url('/a.ts')
    await server.stop()
    const load = origin.loadSegment({ url, range: null }, signal)
    await expect(load).rejects.toMatchObject({
      kind: 'unreachable',
      message: `${url}: the connection was refused`,
    })
    server = await TestOrigin.start()
  })

  test('of an origin that falls silent is given up', async () => {
    const silent = await TestOrigin.start()
    silent.put('/a.ts', 'x')
    silent.hangs = /a\.ts/
    const clock = new VirtualClock()
    const hasty = new HttpOrigin(clock)
    const load = async (afterMs: number) => {
      const loaded = hasty.loadSegment({ url: silent.url('/a.ts'), range: null }, signal)
      await expect.poll(() => silent.seen.length).toBeGreaterThan(0)
      silent.seen.length = 0
      clock.advance(afterMs)
      await expect(loaded).rejects.toMatchObject({ kind: 'silent', originDown: true })
    }
    await load(15_000)
    hasty.pace(millis(4_000))
    await load(6_000)
    hasty.pace(millis(100))
    await load(1_000)
    hasty.pace(millis(60_000))
    await load(15_000)
    await silent.stop()
  })

  test('that is no longer wanted is told so', async () => {
    const abort = new AbortController()
    const load = origin.loadSegment({ url: server.url('/a.ts'), range: null }, abort.signal)
    abort.abort()
    await expect(load).rejects.toMatchObject({ kind: 'aborted' })
  })
})

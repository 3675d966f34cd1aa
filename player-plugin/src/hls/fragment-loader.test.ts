import type { SegmentConsumer } from '@shoal/core'
import { millis } from '@shoal/protocol'
import type Hls from 'hls.js'
import type { FragmentLoaderContext, HlsConfig, LoaderCallbacks, LoaderConfiguration } from 'hls.js'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Mirrors } from '../http/mirrors.js'
import type { Sidecars } from '../http/sidecars.js'
import type { ShoalSegmentStats } from '../stats.js'
import { type FakeLoader, fakeLoaders } from '../testing/fake-loader.js'
import { deliverFromOrigin, deliverFromPeers, EMPTY_SNAPSHOT, FakeSwarm } from '../testing/fake-swarm.js'
import { createFragmentLoader } from './fragment-loader.js'
import type { LoaderHost } from './loader-host.js'
import { PartPrefetcher } from './part-prefetch.js'

beforeEach(() => {
  vi.useFakeTimers()
  // hls.js takes a time of 0 for "not yet".
  vi.advanceTimersByTime(60_000)
})
afterEach(() => void vi.useRealTimers())

const BYTES = Uint8Array.from({ length: 1000 }, (_, i) => i % 251)

const LOADER_CONFIG: LoaderConfiguration = {
  loadPolicy: { maxTimeToFirstByteMs: 10_000, maxLoadTimeMs: 120_000, timeoutRetry: null, errorRetry: null },
  timeout: 120_000,
  maxRetry: 0,
  retryDelay: 0,
  maxRetryDelay: 0,
  highWaterMark: 400,
}

interface SceneOptions {
  readonly swarm?: FakeSwarm | null
  readonly answer?: (loader: FakeLoader) => void
  readonly config?: object
  readonly media?: EventTarget
  readonly signed?: boolean
  readonly parts?: PartPrefetcher
  readonly suspect?: boolean
  readonly sidecars?: Sidecars
}

/** One loader over a fake swarm and a fake HTTP loader, and what hls.js heard of it. */
function scene(options: SceneOptions = {}) {
  const swarm = options.swarm === undefined ? new FakeSwarm() : options.swarm
  const { Loader: Delegate, made } = fakeLoaders(options.answer ?? ((loader) => loader.succeed(BYTES, 200)))
  const config = { loader: Delegate, ...options.config } as unknown as HlsConfig
  const delivered: ShoalSegmentStats[] = []
  const left = new Set<() => void>()
  const counters = { plainHttp: 0, failures: 0 }
  const host: LoaderHost = {
    hls: {
      config,
      levels: [{ attrs: { BANDWIDTH: '1000' }, details: { live: false } }],
      audioTracks: [],
      media: options.media ?? null,
      bandwidthEstimate: 8000,
      ttfbEstimate: 50,
    } as unknown as Hls,
    swarm,
    sidecars: options.sidecars ?? null,
    signed: options.signed ?? false,
    mirrors: new Mirrors({
      playlists: () => [],
      manifestUrl: () => null,
    }),
    onSwarmLeft: (listener) => {
      left.add(listener)
      return () => left.delete(listener)
    },
    takeSuspect: () => options.suspect === true,
    swarmFailed: () => void counters.failures++,
    delegateFor: () => Delegate,
    delivered: (segment) => delivered.push(segment),
    plainHttp: (bytes) => {
      counters.plainHttp += bytes
    },
    seederHttp: () => {},
  }
  const loader = new (createFragmentLoader(host, options.parts ?? new PartPrefetcher(host)))(config)
  const told: string[] = []
  const payloads: ArrayBuffer[] = []
  const chunks: ArrayBuffer[] = []
  const callbacks: LoaderCallbacks<FragmentLoaderContext> = {
    onSuccess: (response, stats) => {
      told.push(`success ${response.code} ${stats === loader.stats}`)
      if (response.data instanceof ArrayBuffer) payloads.push(response.data)
    },
    onError: ({ code }, _context, _details, stats) => told.push(`error ${code} ${stats === loader.stats}`),
    onTimeout: () => told.push('timeout'),
    onAbort: (stats) => told.push(`abort ${stats.aborted}`),
  }
  const load = (frag: object = {}, withProgress = false, part: object | null = null) => {
    const fragment = { type: 'main', sn: 7, level: 0, start: 28, duration: 4, ...frag }
    const context = { url: 'https://cdn/7.ts', frag: fragment, part, rangeStart: 0, rangeEnd: 0 }
    const onProgress = (_stats: unknown, _context: unknown, data: string | ArrayBuffer) => {
      if (data instanceof ArrayBuffer) chunks.push(data)
    }
    const given = withProgress ? { ...callbacks, onProgress } : callbacks
    loader.load(context as unknown as FragmentLoaderContext, LOADER_CONFIG, given)
  }
  const leave = () => [...left].forEach((listener) => void listener())
  return {
    loader,
    swarm: swarm ?? new FakeSwarm(),
    made,
    told,
    payloads,
    chunks,
    delivered,
    counters,
    load,
    leave,
    left,
  }
}

test('a segment of peers comes as a copy, with stats of the same identity', () => {
  const { loader, swarm, told, payloads, delivered, load } = scene()
  const { stats } = loader
  load()
  expect(told).toEqual([])
  deliverFromPeers(swarm.last, BYTES)
  expect(told).toEqual(['success 200 true'])
  expect(loader.stats).toBe(stats)
  expect(stats).toMatchObject({ loaded: 1000, total: 1000, aborted: false })
  expect(new Uint8Array(payloads[0] ?? new ArrayBuffer(0))).toEqual(BYTES)
  expect(payloads[0]).not.toBe(BYTES.buffer)
  expect(delivered).toMatchObject([{ track: 'main|1000||||', sequence: 7, http: 0, peers: 1000, seeders: 0 }])
})

test('the swarm may look for a signed manifest beside the segment, where the site says that there are any', async () => {
  const find = vi.fn(async () => null)
  const { swarm, load } = scene({ sidecars: { find } as unknown as Sidecars })
  load()
  expect(await swarm.last.origin.manifest?.()).toBeNull()
  expect(find).toHaveBeenCalledExactlyOnceWith('https://cdn/7.ts', swarm.last.wanted.segment)
})

test('what hls.js could not parse is loaded past the swarm', async () => {
  const { swarm, told, counters, load } = scene({ suspect: true })
  load()
  await vi.advanceTimersByTimeAsync(10)
  expect(swarm.fetches).toEqual([])
  expect(told).toEqual(['success 200 true'])
  expect(counters.plainHttp).toBe(1000)
})

test('the estimator hears the measured rate', () => {
  const swarm = new FakeSwarm()
  swarm.state = { ...EMPTY_SNAPSHOT, httpRate: 2000, peerRate: 500 }
  const { loader, load } = scene({ swarm })
  load()
  deliverFromPeers(swarm.last, BYTES)
  const { start, first, end } = loader.stats.loading
  expect(end - first).toBeCloseTo(500)
  expect(first - start).toBeCloseTo(50)
})

test('before any measurement the estimator hears its own opinion', () => {
  const { loader, swarm, load } = scene()
  load()
  deliverFromPeers(swarm.last, BYTES)
  expect(loader.stats.loading.end - loader.stats.loading.first).toBeCloseTo(1000)
})

test('stats move while bytes arrive, and never look finished before the end', () => {
  const { loader, swarm, load } = scene()
  load()
  expect(loader.stats.loading.first).toBe(0)
  swarm.last.consumer.onProgress(400, 1000)
  expect(loader.stats).toMatchObject({ loaded: 400, total: 1000 })
  expect(loader.stats.loading.first).toBeGreaterThan(0)
  swarm.last.consumer.onProgress(1000, 1000)
  expect(loader.stats.loaded).toBe(999)
})

test('the progress of a delegate that hands out bytes at the end is seen', async () => {
  const { loader, swarm, made, load } = scene({ answer: () => {} })
  load()
  deliverFromOrigin(swarm.last)
  await vi.advanceTimersByTimeAsync(10)
  const http = made.at(-1)
  if (http === undefined) throw new Error('no delegate')
  http.stats.loaded = 300
  http.stats.total = 1000
  await vi.advanceTimersByTimeAsync(100)
  expect(loader.stats).toMatchObject({ loaded: 300, total: 1000 })
})

test('bytes that came by HTTP are timed from their request', async () => {
  const { loader, swarm, told, load } = scene()
  load()
  await vi.advanceTimersByTimeAsync(3000)
  const requestedAt = performance.now()
  deliverFromOrigin(swarm.last)
  await vi.advanceTimersByTimeAsync(10)
  expect(told).toEqual(['success 200 true'])
  expect(loader.stats.loading.start).toBe(requestedAt)
})

test('progressive: what comes by HTTP is handed on when it comes, and not again at the end', async () => {
  const { swarm, told, chunks, load } = scene()
  load({}, true)
  deliverFromOrigin(swarm.last, false)
  await vi.advanceTimersByTimeAsync(1)
  expect(chunks.map((chunk) => chunk.byteLength)).toEqual([1000])
  expect(told).toEqual([])
  deliverFromPeers(swarm.last, BYTES)
  vi.advanceTimersByTime(0)
  expect(chunks).toHaveLength(1)
  expect(told).toEqual(['success 200 true'])
})

test('progressive: what comes from peers is handed on a task before success', () => {
  const { swarm, told, chunks, load } = scene()
  load({}, true)
  deliverFromPeers(swarm.last, BYTES)
  expect(chunks.map((chunk) => chunk.byteLength)).toEqual([1000])
  expect(told).toEqual([])
  vi.advanceTimersByTime(0)
  expect(told).toEqual(['success 200 true'])
})

test('progressive: an abort between the last bytes and success', () => {
  const { loader, swarm, told, load } = scene()
  load({}, true)
  deliverFromPeers(swarm.last, BYTES)
  loader.abort()
  vi.advanceTimersByTime(1000)
  expect(told).toEqual(['abort true'])
})

test('without a swarm everything goes to the delegate, with the same stats', () => {
  const { loader, made, told, counters, delivered, load } = scene({ swarm: null })
  load()
  expect(made).toHaveLength(1)
  expect(made[0]?.stats).toBe(loader.stats)
  expect(told).toEqual(['success 200 true'])
  expect(counters.plainHttp).toBe(1000)
  expect(delivered).toMatchObject([{ http: 1000, peers: 0 }])
})

test.each([
  ['an initialisation segment', { sn: 'initSegment' }],
  ['subtitles', { type: 'subtitle' }],
])('%s goes past the swarm', (_name, frag) => {
  const { swarm, told, delivered, counters, load } = scene()
  load(frag)
  expect(swarm.fetches).toHaveLength(0)
  expect(told).toEqual(['success 200 true'])
  expect(delivered).toEqual([])
  expect(counters.plainHttp).toBe(1000)
})

test('players for interstitials go past the swarm', () => {
  const { swarm, load } = scene({ config: { assetPlayerId: 'ad-1' } })
  load()
  expect(swarm.fetches).toHaveLength(0)
})

test('abort: the flag first, then the callback, then nothing', () => {
  const { loader, swarm, told, load } = scene()
  load()
  loader.abort()
  expect(told).toEqual(['abort true'])
  expect(swarm.last.cancelled).toBe(true)
  deliverFromPeers(swarm.last, BYTES)
  loader.destroy()
  expect(told).toEqual(['abort true'])
})

test('destroy is silent', () => {
  const { loader, swarm, told, left, load } = scene()
  load()
  loader.destroy()
  deliverFromPeers(swarm.last, BYTES)
  vi.advanceTimersByTime(200_000)
  expect(told).toEqual([])
  expect(swarm.last.cancelled).toBe(true)
  expect(left.size).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
})

test('abort and destroy reach the delegate', () => {
  const { loader, made, told, load } = scene({ swarm: null, answer: () => {} })
  load()
  loader.abort()
  expect(told).toEqual(['abort true'])
  loader.destroy()
  expect(made[0]?.destroyed).toBe(true)
})

test('one load per instance', () => {
  const { load } = scene()
  load()
  expect(() => load()).toThrow('Loader can only be used once.')
})

test('an HTTP status is passed on', () => {
  const { swarm, told, load } = scene()
  load()
  swarm.last.consumer.onError({ kind: 'http-status', status: 404, message: 'Not Found' })
  expect(told).toEqual(['error 404 true'])
})

test('a timeout is passed on', () => {
  const { swarm, told, load } = scene()
  load()
  swarm.last.consumer.onError({ kind: 'timeout', status: 0, message: '' })
  expect(told).toEqual(['timeout'])
})

test.each(['network', 'bad-response'] as const)(
  'a %s error is tried again by the site’s own loader',
  (kind) => {
    const { loader, swarm, told, load } = scene()
    load()
    swarm.last.consumer.onProgress(400, 1000)
    swarm.last.consumer.onError({ kind, status: 0, message: '' })
    expect(told).toEqual(['success 200 true'])
    expect(loader.stats.loaded).toBe(1000)
  },
)

test('what the site’s own loader finds is the truth', () => {
  const { swarm, told, load } = scene({ answer: (loader) => loader.fail(502) })
  load()
  swarm.last.consumer.onError({ kind: 'network', status: 0, message: '' })
  expect(told).toEqual(['error 502 true'])
})

test('a swarm that is left in the middle of a load', () => {
  const { swarm, told, leave, load } = scene()
  load()
  leave()
  expect(swarm.last.cancelled).toBe(true)
  expect(told).toEqual(['success 200 true'])
})

test('after a fall-back, bytes that were handed on are left out', async () => {
  const { swarm, told, chunks, leave, load } = scene()
  load({}, true)
  deliverFromOrigin(swarm.last, false)
  await vi.advanceTimersByTimeAsync(1)
  leave()
  expect(chunks.map((chunk) => chunk.byteLength)).toEqual([1000])
  expect(told).toEqual(['success 200 true'])
})

test('a swarm that throws costs nothing but the swarm', () => {
  const swarm = new FakeSwarm()
  swarm.throwing = new Error('broken')
  const { told, counters, load } = scene({ swarm })
  load()
  expect(told).toEqual(['success 200 true'])
  expect(counters.failures).toBe(1)
})

test('no byte in time is a timeout', () => {
  const { swarm, told, load } = scene()
  load()
  vi.advanceTimersByTime(9900)
  expect(told).toEqual([])
  vi.advanceTimersByTime(300)
  expect(told).toEqual(['timeout'])
  expect(swarm.last.cancelled).toBe(true)
})

test('a load that never ends is a timeout', () => {
  const { swarm, told, load } = scene()
  load()
  swarm.last.consumer.onProgress(1, 1000)
  vi.advanceTimersByTime(119_000)
  expect(told).toEqual([])
  vi.advanceTimersByTime(1200)
  expect(told).toEqual(['timeout'])
})

/** A media element that plays, with media buffered up to `end`. */
function playing(currentTime: number, end: number) {
  const buffered = { length: 1, start: () => 0, end: () => end }
  return Object.assign(new EventTarget(), { currentTime, playbackRate: 1, buffered })
}

const deadlinesFromNow = (swarm: FakeSwarm) =>
  swarm.last.deadlines.map((at) => Math.round(at - performance.now()))

test('the deadline is when playback reaches the segment', () => {
  const { swarm, load } = scene({ media: playing(20, 28) })
  load()
  expect(deadlinesFromNow(swarm)).toEqual([8000])
})

test('without media the segment is wanted now, without waiting for peers', () => {
  const { swarm, load } = scene()
  load()
  expect(deadlinesFromNow(swarm)).toEqual([0])
})

test('a seek and a change of pace move the deadline, both ways', () => {
  const media = playing(20, 28)
  const { swarm, loader, load } = scene({ media })
  load()
  media.playbackRate = 2
  media.dispatchEvent(new Event('ratechange'))
  media.currentTime = 10
  media.dispatchEvent(new Event('seeking'))
  media.currentTime = 40
  media.dispatchEvent(new Event('seeking'))
  expect(deadlinesFromNow(swarm)).toEqual([8000, 4000, 9000, 0])
  loader.destroy()
  media.currentTime = 20
  media.dispatchEvent(new Event('seeking'))
  expect(swarm.last.deadlines).toHaveLength(4)
})

test('a paused viewer’s segment does not wait for ever', () => {
  const { swarm, load } = scene({ media: playing(20, 28) })
  load()
  vi.advanceTimersByTime(5000)
  expect(deadlinesFromNow(swarm)).toEqual([3000])
})

test('playback that runs dry wants its segment now', () => {
  const media = playing(20, 28)
  const { swarm, load } = scene({ media })
  load()
  media.currentTime = 28
  vi.advanceTimersByTime(100)
  expect(deadlinesFromNow(swarm).at(-1)).toBe(0)
})

test('however far ahead the player buffers, the wait stays well within its timeout', () => {
  const { swarm, told, load } = scene({ media: playing(20, 500) })
  load({ start: 500 })
  expect(deadlinesFromNow(swarm)).toEqual([60_000])
  vi.advanceTimersByTime(69_000)
  expect(told).toEqual([])
})

const PART = { index: 2, start: 29, duration: 0.5 }

test('a low-latency part goes through the swarm under its own name', () => {
  const { swarm, told, delivered, load } = scene()
  load({}, false, PART)
  expect(swarm.last.wanted).toMatchObject({ segment: { sequence: 7, part: 2 }, duration: 500 })
  deliverFromPeers(swarm.last, BYTES)
  expect(told).toEqual(['success 200 true'])
  expect(delivered).toMatchObject([{ sequence: 7, part: 2, peers: 1000 }])
})

test('so does one where manifests must be signed: a seeder signs those of parts too', () => {
  const { swarm, told, delivered, load } = scene({ signed: true })
  load({}, false, PART)
  expect(swarm.last.wanted).toMatchObject({ segment: { sequence: 7, part: 2 } })
  deliverFromPeers(swarm.last, BYTES)
  expect(told).toEqual(['success 200 true'])
  expect(delivered).toMatchObject([{ sequence: 7, part: 2, peers: 1000 }])
})

test('a part that HTTP brought before it was asked for is no slow network', () => {
  const swarm = new FakeSwarm()
  swarm.state = { ...EMPTY_SNAPSHOT, httpRate: 2000 }
  const parts = Object.create(PartPrefetcher.prototype, {
    follow: { value: () => {} },
    take: {
      value: () => ({
        tap: { timing: { start: performance.now() - 5000, first: performance.now() - 4900 } },
        takeOver: (consumer: SegmentConsumer) => {
          const now = millis(performance.now())
          const sources = { http: 1000, peers: 0, seeders: 0 }
          const times = { startedAt: now, firstByteAt: now, finishedAt: now }
          queueMicrotask(() => consumer.onDone({ bytes: BYTES, sources, ...times }))
          return { setDeadline: () => {}, cancel: () => {} }
        },
      }),
    },
  })
  const { loader, told, load } = scene({ swarm, parts })
  load({}, false, PART)
  return Promise.resolve().then(() => {
    expect(told).toEqual(['success 200 true'])
    const { first, end } = loader.stats.loading
    expect(end - first).toBe(500)
    expect(swarm.fetches).toEqual([])
  })
})

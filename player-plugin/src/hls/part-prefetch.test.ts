import type Hls from 'hls.js'
import type { FragmentLoaderContext, HlsConfig, LevelDetails, LoaderConfiguration } from 'hls.js'
import { expect, test, vi } from 'vitest'
import { Mirrors } from '../http/mirrors.js'
import { fakeLoaders } from '../testing/fake-loader.js'
import { deliverFromPeers, FakeSwarm } from '../testing/fake-swarm.js'
import type { LoaderHost } from './loader-host.js'
import { PartPrefetcher } from './part-prefetch.js'

const PART_SECONDS = 0.5
const PARTS_PER_SEGMENT = 4
const BYTES = new Uint8Array(500).fill(3)
const LOADER_CONFIG = { loadPolicy: { maxTimeToFirstByteMs: 10_000, maxLoadTimeMs: 20_000 } }

interface Changes {
  readonly gap?: number
  readonly bufferedTo?: number
  readonly level?: number
}

/** A playlist that names `count` parts from the first of segment 10 on; the segment begins at 40 s. */
function playlist(count: number, { gap = -1, level = 0 }: Changes = {}): LevelDetails {
  const partList = Array.from({ length: count }, (_, at) => {
    const sn = 10 + Math.floor(at / PARTS_PER_SEGMENT)
    const index = at % PARTS_PER_SEGMENT
    return {
      fragment: { type: 'main', sn, level, start: 40, duration: 2 },
      index,
      start: 40 + at * PART_SECONDS,
      duration: PART_SECONDS,
      url: `https://cdn/${sn}.${index}.ts`,
      gap: at === gap,
    }
  })
  return { partList } as unknown as LevelDetails
}

/** Playback at 38 s with media up to `bufferedTo`. */
function scene({ bufferedTo = 40.5 }: Changes = {}) {
  const swarm = new FakeSwarm()
  const { Loader: Delegate } = fakeLoaders(() => {})
  const config = { loader: Delegate } as unknown as HlsConfig
  const media = {
    currentTime: 38,
    playbackRate: 1,
    buffered: { length: 1, start: () => 30, end: () => bufferedTo },
  }
  const host: LoaderHost = {
    hls: {
      config,
      levels: [{ attrs: { BANDWIDTH: '1000' } }, { attrs: { BANDWIDTH: '2000' } }],
      audioTracks: [],
      media,
    } as unknown as Hls,
    swarm,
    sidecars: null,
    signed: false,
    mirrors: new Mirrors({ playlists: () => [], manifestUrl: () => null }),
    seederHttp: () => {},
    onSwarmLeft: () => () => {},
    takeSuspect: () => false,
    swarmFailed: vi.fn(),
    delegateFor: () => Delegate,
    delivered: () => {},
    plainHttp: () => {},
  }
  const parts = new PartPrefetcher(host)
  /** hls.js loads the part at this place of `details`, as the fragment loader tells it. */
  const load = (details: LevelDetails, at: number, from = swarm) => {
    const part = details.partList?.[at]
    const context = { frag: part?.fragment, part, url: part?.url, rangeStart: 0, rangeEnd: 0, headers: {} }
    const taken = parts.take(from, context as unknown as FragmentLoaderContext)
    parts.follow(from, {
      context: context as unknown as FragmentLoaderContext,
      config,
      loaderConfig: LOADER_CONFIG as unknown as LoaderConfiguration,
    })
    return taken
  }
  const asked = () => swarm.fetches.map(({ wanted: { segment } }) => `${segment.sequence}.${segment.part}`)
  return { swarm, parts, load, asked, host }
}

const consumer = () => ({ onProgress: vi.fn(), onDone: vi.fn(), onError: vi.fn() })

test('parts that the playlist names after the one that hls.js loads are loaded with it', () => {
  const { swarm, parts, load, asked } = scene()
  const details = playlist(3)
  parts.playlistUpdated('main', details)
  expect(asked()).toEqual([])
  const before = performance.now()
  load(details, 0)
  expect(asked()).toEqual(['10.1', '10.2'])
  const [first] = swarm.fetches
  expect(first?.wanted).toMatchObject({ range: null, duration: 500, live: true })
  // It begins at 40.5 s and playback is at 38 s.
  const left = (first?.wanted.deadline ?? 0) - before
  expect(left).toBeGreaterThanOrEqual(2500)
  expect(left).toBeLessThan(12_500)
  parts.playlistUpdated('main', playlist(5))
  expect(asked()).toEqual(['10.1', '10.2', '10.3', '11.0'])
})

test('six at most, and no gap', () => {
  const { parts, load, asked } = scene()
  const details = playlist(12, { gap: 2 })
  parts.playlistUpdated('main', details)
  load(details, 0)
  expect(asked()).toEqual(['10.1', '10.3', '11.0', '11.1', '11.2'])
})

test('nothing is loaded ahead while the viewer waits, or for another rendition', () => {
  const waiting = scene({ bufferedTo: 38.1 })
  waiting.parts.playlistUpdated('main', playlist(3))
  waiting.load(playlist(3), 0)
  expect(waiting.asked()).toEqual([])
  const switching = scene()
  switching.parts.playlistUpdated('main', playlist(3, { level: 1 }))
  switching.load(playlist(3), 0)
  expect(switching.asked()).toEqual([])
})

test('hls.js takes over what is under way, and hears of it', async () => {
  const { swarm, parts, load } = scene()
  const details = playlist(3)
  parts.playlistUpdated('main', details)
  load(details, 0)
  const [first] = swarm.fetches
  first?.consumer.onProgress(100, 500)
  const taken = load(details, 1)
  const told = consumer()
  const fetch = taken?.takeOver(told)
  expect(told.onProgress).not.toHaveBeenCalled()
  await Promise.resolve()
  expect(told.onProgress).toHaveBeenCalledExactlyOnceWith(100, 500)
  if (first !== undefined) deliverFromPeers(first, BYTES)
  expect(told.onDone).toHaveBeenCalledOnce()
  fetch?.cancel()
  expect(first?.cancelled).toBe(true)
})

test('a part that is here already is told after the load has begun, and once', async () => {
  const { swarm, parts, load } = scene()
  const details = playlist(3)
  parts.playlistUpdated('main', details)
  load(details, 0)
  deliverFromPeers(swarm.fetches[0] ?? swarm.last, BYTES)
  const taken = load(details, 1)
  const told = consumer()
  taken?.takeOver(told)
  expect(told.onDone).not.toHaveBeenCalled()
  await Promise.resolve()
  expect(told.onDone).toHaveBeenCalledOnce()
  expect(told.onDone.mock.calls[0]?.[0]).toMatchObject({ bytes: BYTES })
  expect(load(details, 1)).toBeNull()
})

test('a part that hls.js cancelled right after is not told', async () => {
  const { swarm, parts, load } = scene()
  const details = playlist(2)
  parts.playlistUpdated('main', details)
  load(details, 0)
  deliverFromPeers(swarm.last, BYTES)
  const told = consumer()
  load(details, 1)?.takeOver(told).cancel()
  await Promise.resolve()
  expect(told.onDone).not.toHaveBeenCalled()
})

test('after a failure hls.js asks by itself', () => {
  const { swarm, parts, load, asked } = scene()
  const details = playlist(2)
  parts.playlistUpdated('main', details)
  load(details, 0)
  swarm.last.consumer.onError({ kind: 'http-status', status: 404, message: 'gone' })
  parts.playlistUpdated('main', details)
  expect(asked()).toEqual(['10.1'])
  expect(load(details, 1)).toBeNull()
})

test('what hls.js passes over, or leaves for another swarm, is cancelled', () => {
  const { swarm, parts, load } = scene()
  const details = playlist(4)
  parts.playlistUpdated('main', details)
  load(details, 0)
  load(details, 3)
  expect(swarm.fetches.map(({ cancelled }) => cancelled)).toEqual([true, true, false])
  const other = scene()
  other.parts.playlistUpdated('main', details)
  other.load(details, 0)
  const next = new FakeSwarm()
  expect(other.load(details, 1, next)).toBeNull()
  expect(other.swarm.fetches.every(({ cancelled }) => cancelled)).toBe(true)
  expect(next.fetches.length).toBe(2)
  other.parts.clear()
  expect(next.fetches.every(({ cancelled }) => cancelled)).toBe(true)
})

test('a swarm that throws is told of, and nothing else breaks', () => {
  const { swarm, parts, load, host } = scene()
  parts.playlistUpdated('main', playlist(2))
  swarm.throwing = new Error('broken')
  expect(load(playlist(2), 0)).toBeNull()
  expect(host.swarmFailed).toHaveBeenCalledOnce()
})

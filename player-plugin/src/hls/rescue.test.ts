import type { OriginError } from '@shoal/core'
import type Hls from 'hls.js'
import type {
  FragmentLoaderContext,
  HlsConfig,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderContext,
  LoaderResponse,
  PlaylistLoaderConstructor,
  PlaylistLoaderContext,
} from 'hls.js'
import { afterEach, expect, test, vi } from 'vitest'
import { Mirrors } from '../http/mirrors.js'
import type { ShoalSegmentStats } from '../stats.js'
import { type FakeLoader, fakeLoaders } from '../testing/fake-loader.js'
import { deliverFromPeers, FakeSwarm } from '../testing/fake-swarm.js'
import { createFragmentLoader } from './fragment-loader.js'
import type { LoaderHost } from './loader-host.js'
import { PartPrefetcher } from './part-prefetch.js'
import { createPlaylistLoader } from './playlist-loader.js'

afterEach(() => void vi.unstubAllGlobals())

const BYTES = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251)
const SEEDER = 'https://seeder.test/m/index.m3u8'
const LOADER_CONFIG: LoaderConfiguration = {
  loadPolicy: { maxTimeToFirstByteMs: 10_000, maxLoadTimeMs: 120_000, timeoutRetry: null, errorRetry: null },
  timeout: 120_000,
  maxRetry: 0,
  retryDelay: 0,
  maxRetryDelay: 0,
}

/** What mirrors answer; the result lists what they were asked for. */
function stubFetch(answer: () => Response | Promise<Response>): string[] {
  const asked: string[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    asked.push(request.url)
    expect(request).toMatchObject({ credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer' })
    return answer()
  })
  return asked
}

/** What hls.js heard. */
function listener<Context extends LoaderContext>() {
  const told: string[] = []
  const responses: LoaderResponse[] = []
  const callbacks: LoaderCallbacks<Context> = {
    onSuccess: (response) => {
      told.push(`success ${response.code}`)
      responses.push(response)
    },
    onError: ({ code }) => void told.push(`error ${code}`),
    onTimeout: () => void told.push('timeout'),
    onAbort: () => void told.push('abort'),
  }
  return { told, responses, callbacks }
}

interface SceneOptions {
  readonly signed?: boolean
  readonly verdict?: FakeSwarm['verdict']
  readonly seederUrls?: readonly string[]
  readonly answer?: (loader: FakeLoader) => void
  readonly suspect?: boolean
}

function scene(options: SceneOptions = {}) {
  const swarm = new FakeSwarm()
  swarm.verdict = options.verdict ?? 'unknown'
  swarm.seederUrls = options.seederUrls ?? [SEEDER]
  const { Loader: Delegate } = fakeLoaders(options.answer ?? ((loader) => loader.fail(503)))
  const config = { loader: Delegate } as unknown as HlsConfig
  const delivered: ShoalSegmentStats[] = []
  let seederBytes = 0
  const levels = [{ attrs: { BANDWIDTH: '1000' }, details: { live: true } }]
  const host: LoaderHost = {
    hls: { config, levels, audioTracks: [], media: null } as unknown as Hls,
    swarm,
    sidecars: null,
    signed: options.signed ?? false,
    mirrors: new Mirrors({
      playlists: () => swarm.seederUrls,
      manifestUrl: () => 'https://origin.test/title/index.m3u8',
    }),
    onSwarmLeft: () => () => {},
    takeSuspect: () => options.suspect === true,
    swarmFailed: () => {},
    delegateFor: () => Delegate,
    delivered: (segment) => delivered.push(segment),
    plainHttp: () => {},
    seederHttp: (bytes) => {
      seederBytes += bytes
    },
  }
  const loader = new (createFragmentLoader(host, new PartPrefetcher(host)))(config)
  const heard = listener<FragmentLoaderContext>()
  const load = (sn: number | string = 7) => {
    const frag = { type: 'main', sn, level: 0, start: 28, duration: 4 }
    const context = {
      url: 'https://origin.test/title/7.ts?t=1',
      frag,
      part: null,
      rangeStart: 0,
      rangeEnd: 0,
    }
    loader.load(context as unknown as FragmentLoaderContext, LOADER_CONFIG, heard.callbacks)
  }
  const fail = (error: Partial<OriginError>) =>
    swarm.last.consumer.onError({ kind: 'http-status', status: 503, message: 'no', ...error })
  return { loader, swarm, delivered, seederBytes: () => seederBytes, load, fail, ...heard }
}

const media = () => new Response(BYTES)

test('a segment that the origin does not give comes from a seeder, and counts as its', async () => {
  const asked = stubFetch(media)
  const { loader, told, responses, delivered, seederBytes, load, fail } = scene()
  load()
  fail({})
  await vi.waitFor(() => expect(told).toEqual(['success 200']))
  expect(asked).toEqual(['https://seeder.test/m/7.ts'])
  expect(responses[0]).toMatchObject({ url: 'https://origin.test/title/7.ts?t=1', data: BYTES.buffer })
  expect(seederBytes()).toBe(1000)
  expect(delivered).toMatchObject([{ sequence: 7, http: 0, peers: 0, seeders: 1000 }])
  expect(loader.stats).toMatchObject({ loaded: 1000, total: 1000, aborted: false })
  expect(loader.stats.loading.end).toBeGreaterThanOrEqual(loader.stats.loading.first)
})

test.each<[string, Partial<OriginError>, string]>([
  ['a timeout', { kind: 'timeout', status: 0 }, 'success 200'],
  ['no connection, after the plain loader has tried too', { kind: 'network', status: 0 }, 'success 200'],
  ['what is not there', { status: 404 }, 'error 404'],
  ['what is not allowed', { status: 403 }, 'error 403'],
])('%s', async (_what, error, outcome) => {
  const asked = stubFetch(media)
  const { told, load, fail } = scene({ answer: (loader) => loader.fail(0) })
  load()
  fail(error)
  await vi.waitFor(() => expect(told).toEqual([outcome]))
  expect(asked).toHaveLength(outcome === 'success 200' ? 1 : 0)
})

test.each<[string, SceneOptions, boolean, number]>([
  ['open: bytes that a manifest has', { verdict: 'verified' }, true, 1],
  ['open: bytes that a manifest has not', { verdict: 'wrong' }, false, 1],
  ['signed: bytes that a manifest has not', { signed: true, verdict: 'wrong' }, false, 1],
  ['signed: nothing is loaded without a manifest', { signed: true, verdict: 'unknown' }, false, 0],
  ['no seeder', { seederUrls: [] }, false, 0],
  ['plain http where the origin has https', { seederUrls: ['http://seeder.test/i.m3u8'] }, false, 0],
  ['what hls.js could not parse', { suspect: true }, false, 0],
])('%s', async (_what, options, taken, requests) => {
  const asked = stubFetch(media)
  const { told, swarm, load, fail } = scene(options)
  load()
  if (swarm.fetches.length > 0) fail({})
  await vi.waitFor(() => expect(told).toEqual([taken ? 'success 200' : 'error 503']))
  expect(asked).toHaveLength(requests)
})

test('signed: bytes that the manifest has', async () => {
  stubFetch(media)
  const { swarm, told, load, fail } = scene({ signed: true })
  swarm.verify = async (_segment?: unknown, bytes?: Uint8Array) =>
    bytes?.byteLength === BYTES.byteLength ? 'verified' : 'wrong'
  load()
  fail({})
  await vi.waitFor(() => expect(told).toEqual(['success 200']))
})

test('an initialisation segment has no manifest: it is taken only where none is wanted', async () => {
  stubFetch(media)
  for (const signed of [false, true]) {
    const { told, seederBytes, delivered, load } = scene({ signed, verdict: 'verified' })
    load('initSegment')
    await vi.waitFor(() => expect(told).toEqual([signed ? 'error 503' : 'success 200']))
    expect(seederBytes()).toBe(signed ? 0 : 1000)
    expect(delivered).toEqual([])
  }
})

test('the origin’s own error is told where no seeder has it either, and nothing where hls.js gave up', async () => {
  stubFetch(() => new Response(null, { status: 404 }))
  const failing = scene()
  failing.load()
  failing.fail({})
  await vi.waitFor(() => expect(failing.told).toEqual(['error 503']))
  let give: (response: Response) => void = () => {}
  const promise = new Promise<Response>((resolve) => {
    give = resolve
  })
  const pending = stubFetch(() => promise)
  const gone = scene()
  gone.load()
  gone.fail({})
  await vi.waitFor(() => expect(pending).toHaveLength(1))
  gone.loader.destroy()
  give(media())
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(gone.told).toEqual([])
})

test('no seeder is asked while the origin or peers deliver', () => {
  const asked = stubFetch(media)
  const { swarm, told, load } = scene()
  load()
  deliverFromPeers(swarm.last, BYTES)
  expect(told).toEqual(['success 200'])
  expect(asked).toEqual([])
})

const PLAYLIST =
  '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:11\n#EXTINF:4,\n11.ts\n#EXTINF:4,\n12.ts\n'

/** Loads a live playlist of a track that hls.js has at segments 10 to 12, as often as there are codes. */
async function playlists(codes: readonly number[], mirrored: string, live = true) {
  const asked = stubFetch(() => new Response(mirrored))
  const left = [...codes]
  const { Loader: Delegate } = fakeLoaders((loader) => {
    const code = left.shift() ?? 0
    if (code === 200) loader.succeed(new TextEncoder().encode(PLAYLIST), 200)
    else if (code === 408) loader.timeOut()
    else loader.fail(code)
  })
  const details = { live, startSN: 10, endSN: 12, url: 'https://cdn.test/v/live.m3u8' }
  const config = {} as HlsConfig
  const hls = { config, levels: [{ details }], audioTracks: [] } as unknown as Hls
  const source = { playlists: () => [SEEDER], manifestUrl: () => 'https://origin.test/title/index.m3u8' }
  const delegate = Delegate as unknown as PlaylistLoaderConstructor
  const Loader = createPlaylistLoader(hls, new Mirrors(source), delegate)
  const told: string[] = []
  const responses: LoaderResponse[] = []
  const context = { url: 'https://origin.test/title/v/live.m3u8', type: 'level', level: 0, id: 0 }
  for (const [index] of codes.entries()) {
    const heard = listener<PlaylistLoaderContext>()
    new Loader(config).load(context as unknown as PlaylistLoaderContext, LOADER_CONFIG, heard.callbacks)
    await vi.waitFor(() => expect(heard.told).toHaveLength(1))
    told.push(`${index} ${heard.told}`)
    responses.push(...heard.responses)
  }
  return { told, asked, responses }
}

test('a live playlist comes from a seeder once the origin has failed twice in a row', async () => {
  const { told, asked, responses } = await playlists([200, 503, 200, 408, 503], PLAYLIST)
  expect(told).toEqual(['0 success 200', '1 error 503', '2 success 200', '3 timeout', '4 success 200'])
  expect(asked).toEqual(['https://seeder.test/m/v/live.m3u8'])
  expect(responses.at(-1)).toEqual({ url: 'https://cdn.test/v/live.m3u8', data: PLAYLIST, code: 200 })
})

test.each<[string, string]>([
  ['is no playlist', '<html>'],
  ['ends the stream', `${PLAYLIST}#EXT-X-ENDLIST\n`],
  ['goes back', PLAYLIST.replace('SEQUENCE:11', 'SEQUENCE:9')],
  ['leaves a gap', PLAYLIST.replace('SEQUENCE:11', 'SEQUENCE:14')],
  ['names another host', PLAYLIST.replace('12.ts', 'https://evil.test/12.ts')],
  ['names another host without a scheme', PLAYLIST.replace('12.ts', '//evil.test/12.ts')],
  ['names another host with the wrong slashes', PLAYLIST.replace('12.ts', 'https:\\\\evil.test/12.ts')],
  ['hides its scheme', PLAYLIST.replace('12.ts', 'ht\ttps:evil.test/12.ts')],
  ['has a key elsewhere', `${PLAYLIST}#EXT-X-KEY:METHOD=AES-128,URI="http://evil.test/k"\n`],
])('a playlist of a seeder that %s is not used', async (_what, text) => {
  const { told, asked } = await playlists([200, 503, 503], text)
  expect(told.slice(1)).toEqual(['1 error 503', '2 error 503'])
  expect(asked).toHaveLength(1)
})

test('what is no outage, and what is not live, is the origin’s alone', async () => {
  expect((await playlists([404, 404, 404], PLAYLIST)).asked).toEqual([])
  expect((await playlists([503, 503, 503], PLAYLIST, false)).asked).toEqual([])
})

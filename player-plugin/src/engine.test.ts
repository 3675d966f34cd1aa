import { webcrypto } from 'node:crypto'
import { swarmIdOf } from '@shoal/protocol'
import type Hls from 'hls.js'
import type { ErrorData, ManifestLoadedData } from 'hls.js'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { browserClock } from './browser/clock.js'
import { sha256With } from './browser/crypto-port.js'
import type { DeviceHints } from './browser/device.js'
import type { Environment } from './browser/environment.js'
import { Engine } from './engine.js'
import type { ShoalOptions } from './options/options.js'
import { resolveOptions } from './options/validate.js'
import type { ShoalStats, ShoalWarning } from './stats.js'
import { CountingTarget } from './testing/counting-target.js'
import { EMPTY_SNAPSHOT, fakeSwarms } from './testing/fake-swarm.js'
import { installHlsGlobals, silentLoader } from './testing/hls-in-node.js'

let library: typeof import('hls.js')

beforeAll(async () => {
  installHlsGlobals()
  library = await import('hls.js')
})
beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

const subtle = webcrypto.subtle as SubtleCrypto
const TRACKER = { tracker: 'wss://tracker.example' }
const URL_A = 'https://cdn.example/a/main.m3u8?token=1#t'

function scene(options: ShoalOptions = TRACKER, world: Partial<Environment> = {}) {
  const { made, createSwarm } = fakeSwarms()
  const page = new CountingTarget()
  const environment: Environment = {
    createSwarm,
    clock: browserClock,
    random: Math.random,
    subtle,
    device: {},
    openSocket: (_url, events) => {
      queueMicrotask(() => events.onClose('none here'))
      return { send: () => false, close: () => {} }
    },
    createLinks: () => ({ create: () => ({}) as never }),
    page,
    ...world,
  }
  const engine = new Engine(resolveOptions(options), environment)
  const warnings: ShoalWarning[] = []
  engine.events.on('warning', (warning) => warnings.push(warning))
  return { engine, made, page, warnings }
}

/** An hls.js whose playlist loads never end. */
function newHls(config: object = {}): Hls {
  return new library.default({ loader: silentLoader(library), ...config })
}

function manifestLoaded(hls: Hls): void {
  const playlist = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=400000\nl.m3u8\n'
  const url = hls.url ?? ''
  const parsed = library.M3U8Parser.parseMasterPlaylist(playlist, url)
  hls.trigger(library.Events.MANIFEST_LOADED, { ...parsed, url, stats: {} } as unknown as ManifestLoadedData)
}

const REFUSED: ShoalOptions = { ...TRACKER, p2p: () => false }
const CONSENT_FAILS: ShoalOptions = { ...TRACKER, p2p: () => Promise.reject(new Error('no')) }

/** More round trips to WebCrypto's thread than a session makes before it joins. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await subtle.digest('SHA-256', new Uint8Array(1))
}

/** WebCrypto answers from another thread. */
const joined = (made: readonly unknown[], count: number) => vi.waitFor(() => expect(made).toHaveLength(count))

test('joins when the manifest is there, under the URL without query and fragment', async () => {
  const { engine, made } = scene()
  const hls = newHls()
  engine.attach(hls)
  hls.loadSource(URL_A)
  await settled()
  expect(made).toHaveLength(0)
  manifestLoaded(hls)
  await joined(made, 1)
  const { bytes } = await swarmIdOf('https://cdn.example/a/main.m3u8', sha256With(subtle))
  expect(made[0]?.options).toMatchObject({
    swarmId: { bytes },
    role: 'viewer',
    trackers: ['wss://tracker.example/'],
    uploads: true,
    integrity: 'auto',
    maxLinks: 16,
  })
  expect(made[0]?.options?.peerId).toMatch(/^-SH0100-\w{12}$/)
  hls.destroy()
  expect(made[0]?.closed).toBe(true)
})

test('a content id, as text and as a function', async () => {
  for (const contentId of ['title-1', (url: string) => `title-${new URL(url).searchParams.get('token')}`]) {
    const { engine, made } = scene({ ...TRACKER, contentId })
    const hls = newHls()
    engine.attach(hls)
    hls.loadSource(URL_A)
    manifestLoaded(hls)
    await joined(made, 1)
    expect(made[0]?.options?.swarmId).toEqual(await swarmIdOf('title-1', sha256With(subtle)))
    hls.destroy()
  }
})

test('attached in the middle of playback, and detached again', async () => {
  const { engine, made, page } = scene()
  const hls = newHls()
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  engine.attach(hls)
  engine.attach(hls)
  await joined(made, 1)
  expect(hls.config).toMatchObject({ maxBufferLength: 20, maxMaxBufferLength: 20 })
  expect(hls.config.fLoader).toBeDefined()
  engine.detach()
  expect(made[0]?.closed).toBe(true)
  expect(hls.config).toMatchObject({ maxBufferLength: 30, maxMaxBufferLength: 600 })
  expect(hls.config.fLoader).toBeUndefined()
  expect(page.count).toBe(0)
  hls.destroy()
})

test('another source is another swarm', async () => {
  const { engine, made } = scene()
  const hls = newHls()
  engine.attach(hls)
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  await joined(made, 1)
  hls.loadSource('https://cdn.example/b/main.m3u8')
  expect(made[0]?.closed).toBe(true)
  manifestLoaded(hls)
  await joined(made, 2)
  expect(made[1]?.options?.swarmId).not.toEqual(made[0]?.options?.swarmId)
  hls.destroy()
})

test('twenty viewers come and go and leave nothing behind', async () => {
  const { engine, made, page } = scene()
  for (let i = 1; i <= 20; i++) {
    const hls = newHls()
    const before = hls.listenerCount(library.Events.ERROR)
    engine.attach(hls)
    hls.loadSource(URL_A)
    manifestLoaded(hls)
    await joined(made, i)
    if (i % 2 === 0) {
      engine.detach()
      expect(hls.listenerCount(library.Events.ERROR)).toBe(before)
      expect(hls.config.fLoader).toBeUndefined()
    }
    hls.destroy()
    expect(made.every(({ closed }) => closed)).toBe(true)
    expect(page.count).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  }
})

test('the loader of the site comes back, and a later one is left alone', () => {
  class Own {}
  class Later {}
  const { engine } = scene()
  const hls = newHls({ fLoader: Own })
  engine.attach(hls)
  expect(hls.config.fLoader).not.toBe(Own)
  engine.detach()
  expect(hls.config.fLoader).toBe(Own)
  engine.attach(hls)
  Object.assign(hls.config, { fLoader: Later })
  engine.detach()
  expect(hls.config.fLoader).toBe(Later)
  hls.destroy()
})

test('hls.js can put its config into a message for its worker', () => {
  const { engine } = scene()
  const hls = newHls()
  engine.attach(hls)
  expect(() => JSON.stringify(hls.config)).not.toThrow()
  hls.destroy()
})

test('goodbye when the page goes, back again when it comes from the cache', async () => {
  const { engine, made, page } = scene()
  const hls = newHls()
  engine.attach(hls)
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  await joined(made, 1)
  page.dispatchEvent(new Event('pagehide'))
  expect(made[0]?.closed).toBe(true)
  expect(engine.stats.degraded).toBe('suspended')
  page.dispatchEvent(new Event('pageshow'))
  expect(made).toHaveLength(2)
  expect(engine.stats.degraded).toBeNull()
  hls.destroy()
})

/** A player whose swarm has been joined, by an engine with these options on this device. */
async function watching(options: ShoalOptions, device: DeviceHints = {}) {
  const world = scene({ ...TRACKER, ...options }, { device })
  const hls = newHls()
  world.engine.attach(hls)
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  await joined(world.made, 1)
  const [swarm] = world.made
  if (swarm === undefined) throw new Error('no swarm')
  return { ...world, hls, swarm }
}

test.each([
  ['the data saver', { saveData: true }],
  ['a cellular connection', { type: 'cellular' }],
])('%s: nothing is uploaded unless the site says so', async (_name, connection) => {
  for (const [enabled, ever, told] of [
    ['auto', true, ['off']],
    [true, true, []],
    [false, false, ['off']],
  ] as const) {
    const { swarm, hls } = await watching({ upload: { enabled } }, { connection })
    expect(swarm.options?.uploads).toBe(ever)
    expect(swarm.uploads).toEqual(told)
    hls.destroy()
  }
})

test('a viewer who walks out of the Wi-Fi stops uploading, and stays in the swarm', async () => {
  const connection = Object.assign(new CountingTarget(), { type: 'wifi' })
  const { swarm, made, hls } = await watching({}, { connection })
  for (const type of ['cellular', 'wifi']) {
    connection.type = type
    connection.dispatchEvent(new Event('change'))
  }
  expect(swarm.uploads).toEqual(['off', 'on'])
  expect(made).toHaveLength(1)
  hls.destroy()
  expect(connection.count).toBe(0)
})

test('the site stops uploads during a call, for this source and the next', async () => {
  const { engine, swarm, made, hls } = await watching({})
  engine.setUploadAllowed(false)
  expect(swarm.uploads).toEqual(['off'])
  hls.loadSource('https://cdn.example/b/main.m3u8')
  manifestLoaded(hls)
  await joined(made, 2)
  expect(made[1]?.uploads).toEqual(['off'])
  engine.setUploadAllowed(true)
  expect(made[1]?.uploads).toEqual(['off', 'on'])
  hls.destroy()
  expect(engine.stats.uploads).toBe('off')
})

test('the mode is the swarm’s, and the site spares the origin for this source and the next', async () => {
  const { engine, swarm, made, hls } = await watching({ mode: 'peer-friendly' })
  expect(swarm.options?.mode).toBe('peer-friendly')
  expect(swarm.spared).toBe(false)
  engine.spareOrigin(true)
  expect(swarm.spared).toBe(true)
  hls.loadSource('https://cdn.example/b/main.m3u8')
  manifestLoaded(hls)
  await joined(made, 2)
  expect(made[1]?.spared).toBe(true)
  engine.spareOrigin(false)
  expect(made[1]?.spared).toBe(false)
  hls.destroy()
})

test('the bytes of a session are those of all sources together', async () => {
  const { engine, swarm, made, hls } = await watching({ upload: { maxBytesPerSession: 10_000_000 } })
  expect(swarm.options?.uploadBytesPerSession).toBe(10_000_000)
  swarm.state = { ...EMPTY_SNAPSHOT, uploadedBytes: 4_000_000 }
  for (const [index, left] of [6_000_000, 2_000_000, 0].entries()) {
    hls.loadSource(`https://cdn.example/${index}/main.m3u8`)
    manifestLoaded(hls)
    await joined(made, index + 2)
    const next = made.at(-1)
    expect(next?.options?.uploadBytesPerSession).toBe(left)
    if (next !== undefined) next.state = { ...EMPTY_SNAPSHOT, uploadedBytes: 4_000_000 }
  }
  expect(engine.stats.uploadedBytes).toBe(16_000_000)
  hls.destroy()
})

test('a phone takes and gives less', async () => {
  const { swarm, hls } = await watching({}, { userAgentData: { mobile: true } })
  expect(swarm.options).toMatchObject({
    maxLinks: 8,
    memoryBytes: 64 * 1024 * 1024,
    uploadBytesPerSession: 500_000_000,
  })
  hls.destroy()
  const told = { network: { maxPeers: 20 }, memory: { maxBytes: 2e6 }, upload: { maxBytesPerSession: 7 } }
  const other = await watching(told, { userAgentData: { mobile: true } })
  expect(other.swarm.options).toMatchObject({ maxLinks: 20, memoryBytes: 2e6, uploadBytesPerSession: 7 })
  other.hls.destroy()
})

test.each([
  ['no-tracker', {}, {}, []],
  ['p2p-off', { ...TRACKER, p2p: false }, {}, []],
  ['p2p-off', REFUSED, {}, []],
  ['p2p-off', CONSENT_FAILS, {}, ['consent-failed']],
  ['insecure-context', TRACKER, { subtle: undefined }, ['insecure-context']],
] as const)('%s: plain hls.js', async (degraded, options, world, codes) => {
  const { engine, made, warnings } = scene(options, world)
  const hls = newHls()
  engine.attach(hls)
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  await settled()
  vi.advanceTimersByTime(5000)
  expect(made).toHaveLength(0)
  expect(engine.stats).toMatchObject({ degraded, tracker: 'none' })
  expect(hls.config).toMatchObject({ maxBufferLength: 30, maxMaxBufferLength: 600 })
  expect(warnings.map(({ code }) => code)).toEqual(codes)
  hls.destroy()
})

test('seeders of the page are dialled with no tracker', async () => {
  const dial = `shoal-dial://203.0.113.5:40000/${'ab'.repeat(32)}`
  const { engine, made } = scene({ network: { seeders: [dial] } })
  const hls = newHls()
  engine.attach(hls)
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  await joined(made, 1)
  expect(made[0]?.options).toMatchObject({ trackers: [], seeders: [{ host: '203.0.113.5', port: 40_000 }] })
  expect(made[0]?.ports?.dialMemory?.recall()).toEqual([])
  engine.destroy()
})

test('what a tracker once told of is remembered', async () => {
  const store = new Map<string, string>()
  const storage = () => ({
    getItem: (key: string) => store.get(key) ?? null,
    setItem: (key: string, value: string) => void store.set(key, value),
  })
  const seeder = { host: '203.0.113.5', port: 40_000, fingerprint: Array(32).fill('AB').join(':') }
  const first = scene(TRACKER, { storage })
  const hls = newHls()
  first.engine.attach(hls)
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  await joined(first.made, 1)
  first.made[0]?.ports?.dialMemory?.worked(seeder)
  first.engine.destroy()
  const second = scene(TRACKER, { storage })
  const again = newHls()
  second.engine.attach(again)
  again.loadSource(URL_A)
  manifestLoaded(again)
  await joined(second.made, 1)
  expect(second.made[0]?.ports?.dialMemory?.recall()).toEqual([seeder])
  second.engine.destroy()
})

test('a join token goes to the swarm, and a tracker that refuses it is told with its code', async () => {
  const joinToken = () => 'token'
  const { engine, swarm, hls, warnings } = await watching({ joinToken })
  expect(swarm.options?.token).toBe(joinToken)
  swarm.state = { ...swarm.state, degraded: 'refused', refusal: 'token-expired' }
  vi.advanceTimersByTime(3000)
  expect(engine.stats.degraded).toBe('refused')
  expect(warnings).toEqual([
    { code: 'refused', message: 'everything comes by HTTP: refused (token-expired)' },
  ])
  hls.destroy()
})

test('consent is asked once, and given late is still good', async () => {
  let agree: (yes: boolean) => void = () => {}
  const answer = new Promise<boolean>((resolve) => {
    agree = resolve
  })
  const ask = vi.fn(() => answer)
  const { engine, made } = scene({ ...TRACKER, p2p: ask })
  const hls = newHls()
  engine.attach(hls)
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  expect(engine.stats.degraded).toBe('p2p-off')
  agree(true)
  await joined(made, 1)
  expect(ask).toHaveBeenCalledTimes(1)
  hls.destroy()
})

test('a swarm that cannot be made is told once', async () => {
  const createSwarm = () => {
    throw new Error('broken')
  }
  const { engine, warnings } = scene(TRACKER, { createSwarm })
  const hls = newHls()
  engine.attach(hls)
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  await vi.waitFor(() => expect(warnings).toHaveLength(1))
  expect(warnings[0]).toMatchObject({ code: 'swarm-failed' })
  expect(engine.stats.degraded).toBe('swarm-failed')
  hls.destroy()
})

test('without WebRTC the swarm is told, hls.js keeps its buffers, and one warning says it', async () => {
  const { engine, made, warnings } = scene(TRACKER, { createLinks: () => null })
  const hls = newHls()
  engine.attach(hls)
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  await joined(made, 1)
  expect(made[0]?.ports?.links).toBeNull()
  expect(hls.config.maxMaxBufferLength).toBe(600)
  Object.assign(made[0] ?? {}, { state: { ...EMPTY_SNAPSHOT, degraded: 'no-webrtc' } })
  vi.advanceTimersByTime(3000)
  expect(warnings.map(({ code }) => code)).toEqual(['no-webrtc'])
  hls.destroy()
})

test('two Shoals on one player: the second stays away', () => {
  const first = scene()
  const second = scene()
  const hls = newHls()
  first.engine.attach(hls)
  const { fLoader } = hls.config
  second.engine.attach(hls)
  expect(hls.config.fLoader).toBe(fLoader)
  expect(second.warnings.map(({ code }) => code)).toEqual(['already-attached'])
  first.engine.detach()
  second.engine.attach(hls)
  expect(hls.config.fLoader).toBeDefined()
  hls.destroy()
})

test('stats each second, over all swarms', async () => {
  const { engine, made } = scene()
  const heard: ShoalStats[] = []
  engine.events.on('stats', (stats) => heard.push(stats))
  const hls = newHls()
  engine.attach(hls)
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  await joined(made, 1)
  const link = { peerId: '' as never, receivedBytes: 0, sentBytes: 0, rtt: null }
  Object.assign(made[0] ?? {}, {
    state: {
      ...EMPTY_SNAPSHOT,
      httpBytes: 100,
      peerBytes: 200,
      seederBytes: 100,
      uploadedBytes: 50,
      wastedBytes: 1,
      links: [
        { ...link, role: 'viewer' },
        { ...link, role: 'viewer' },
        { ...link, role: 'seeder' },
      ],
    },
  })
  const totals = { httpBytes: 100, peerBytes: 200, seederBytes: 100, uploadedBytes: 50, wastedBytes: 1 }
  vi.advanceTimersByTime(2000)
  expect(heard.at(-1)).toEqual({
    ...totals,
    uploads: 'on',
    integrity: 'off',
    checks: 'off',
    checkedBytes: 0,
    checksFailed: 0,
    sidecarBytes: 0,
    peers: 2,
    seeders: 1,
    degraded: null,
    tracker: 'connected',
    offload: 0.75,
    segments: [],
    stalls: 0,
  })
  engine.detach()
  expect(engine.stats).toMatchObject({ ...totals, peers: 0, offload: 0.75 })
  const { length } = heard
  vi.advanceTimersByTime(5000)
  expect(heard).toHaveLength(length)
  hls.destroy()
})

test('a listener that throws harms nobody', () => {
  const { engine } = scene()
  const report = vi.fn()
  vi.stubGlobal('reportError', report)
  const heard = vi.fn()
  engine.events.on('stats', () => {
    throw new Error('mine')
  })
  engine.events.on('stats', heard)
  const hls = newHls()
  engine.attach(hls)
  vi.advanceTimersByTime(1000)
  expect(heard).toHaveBeenCalledTimes(1)
  expect(report).toHaveBeenCalledTimes(1)
  engine.destroy()
  engine.attach(hls)
  vi.advanceTimersByTime(1000)
  expect(heard).toHaveBeenCalledTimes(1)
  vi.unstubAllGlobals()
  hls.destroy()
})

test('a segment that hls.js cannot parse is no longer passed on', async () => {
  const { engine, made } = scene()
  const hls = newHls()
  engine.attach(hls)
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  await joined(made, 1)
  const frag = { type: 'main', sn: 7, level: 0 }
  for (const details of ['fragLoadError', 'fragParsingError', 'fragDecryptError']) {
    hls.trigger(library.Events.ERROR, { details, frag } as unknown as ErrorData)
  }
  hls.trigger(library.Events.ERROR, { details: 'fragParsingError' } as unknown as ErrorData)
  expect(made[0]?.dropped).toMatchObject([{ sequence: 7 }, { sequence: 7 }])
  hls.destroy()
})

test('the swarm is told where playback is, for as long as there is a media element', async () => {
  const { engine, made } = scene()
  const hls = newHls()
  engine.attach(hls)
  hls.loadSource(URL_A)
  manifestLoaded(hls)
  await joined(made, 1)
  const playhead = made[0]?.ports?.playhead
  expect(playhead?.()).toBeNull()
  const media = { currentTime: 42, buffered: { length: 0 }, paused: false, ended: false }
  vi.spyOn(hls, 'media', 'get').mockReturnValue(media as unknown as HTMLMediaElement)
  vi.spyOn(hls, 'levels', 'get').mockReturnValue([{ details: { live: false } }] as unknown as Hls['levels'])
  expect(playhead?.()).toBe(42)
  hls.destroy()
})

test('an error of hls.js that is no stall counts nothing', () => {
  const { engine } = scene()
  const hls = newHls()
  engine.attach(hls)
  hls.trigger(library.Events.ERROR, { details: 'bufferStalledError' } as unknown as ErrorData)
  expect(engine.stats.stalls).toBe(0)
  hls.destroy()
})

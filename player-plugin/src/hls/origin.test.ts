import type { FragmentLoaderConstructor, FragmentLoaderContext, HlsConfig, LoaderConfiguration } from 'hls.js'
import { beforeAll, expect, test } from 'vitest'
import { fakeLoaders } from '../testing/fake-loader.js'
import { installHlsGlobals } from '../testing/hls-in-node.js'
import { canStream, streamingSource } from './origin.js'

let library: typeof import('hls.js')

beforeAll(async () => {
  installHlsGlobals()
  library = await import('hls.js')
})

const asFragmentLoader = (Loader: unknown) => Loader as FragmentLoaderConstructor
const config = (more: object = {}) => more as HlsConfig

test('hls.js’s own loaders are replaced by fetch, unless requests are set up', () => {
  const stock = asFragmentLoader(new library.default().config.loader)
  expect(canStream(stock, config())).toBe(true)
  expect(canStream(asFragmentLoader(library.FetchLoader), config())).toBe(true)
  expect(canStream(stock, config({ xhrSetup: () => {} }))).toBe(false)
})

test('the minified builds are recognised too', async () => {
  const { default: Minified } = await import('hls.js/dist/hls.light.min.mjs' as 'hls.js')
  expect(canStream(asFragmentLoader(new Minified().config.loader), config())).toBe(true)
})

test('loaders of the site are kept', () => {
  class Extended extends library.XhrLoader {}
  expect(canStream(asFragmentLoader(Extended), config())).toBe(false)
  expect(canStream(fakeLoaders(() => {}).Loader, config())).toBe(false)
})

const CONTEXT = {
  url: 'https://cdn.example/a.ts',
  headers: { 'X-A': '1' },
} as unknown as FragmentLoaderContext
const LIMITS = { loadPolicy: { maxTimeToFirstByteMs: 10_000, maxLoadTimeMs: 20_000 } } as LoaderConfiguration
const { signal } = new AbortController()

test('requests are as hls.js makes them', async () => {
  const source = streamingSource(CONTEXT, config(), LIMITS, null)
  expect(source).toMatchObject({ firstByteTimeoutMs: 10_000, loadTimeoutMs: 20_000 })
  const request = await source.request({ start: 10, end: 20 }, signal)
  expect(request).toMatchObject({ url: 'https://cdn.example/a.ts', credentials: 'same-origin', mode: 'cors' })
  expect(Object.fromEntries(request.headers)).toEqual({ range: 'bytes=10-19', 'x-a': '1' })
  expect((await source.request(null, signal)).headers.has('Range')).toBe(false)
})

test('fetchSetup is asked, with the range of this request', async () => {
  const seen: unknown[] = []
  const fetchSetup: NonNullable<HlsConfig['fetchSetup']> = ({ url, rangeStart, rangeEnd }, init) => {
    seen.push([rangeStart, rangeEnd])
    return Promise.resolve(new Request(`${url}?token=1`, { ...init, credentials: 'include' }))
  }
  const request = await streamingSource(CONTEXT, config({ fetchSetup }), LIMITS, null).request(
    { start: 10, end: 20 },
    signal,
  )
  expect(request).toMatchObject({ url: 'https://cdn.example/a.ts?token=1', credentials: 'include' })
  expect(seen).toEqual([[10, 20]])
})

test('without a limit for the first byte, the limit for all counts', () => {
  const policy = { loadPolicy: { maxTimeToFirstByteMs: Infinity, maxLoadTimeMs: 20_000 } }
  expect(streamingSource(CONTEXT, config(), policy as LoaderConfiguration, null).firstByteTimeoutMs).toBe(
    20_000,
  )
})

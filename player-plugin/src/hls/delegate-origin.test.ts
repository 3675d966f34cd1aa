import type { FragmentLoaderConstructor, FragmentLoaderContext, HlsConfig, LoaderConfiguration } from 'hls.js'
import { expect, test } from 'vitest'
import { type FakeLoader, fakeLoaders } from '../testing/fake-loader.js'
import { recordOrigin, spanOf } from '../testing/record-origin.js'
import { DelegateOrigin } from './delegate-origin.js'

const RESOURCE = Uint8Array.from({ length: 100 }, (_, i) => i)
const bytesOf = (start: number, end: number) => [...RESOURCE.subarray(start, end)]

function originOf(Loader: FragmentLoaderConstructor, range: { start: number; end: number } | null = null) {
  const context = { url: 'https://cdn.example/a.ts', headers: { X: '1' } } as unknown as FragmentLoaderContext
  const config = {} as HlsConfig
  return new DelegateOrigin({ Loader, config, context, loaderConfig: {} as LoaderConfiguration, range })
}

/** Answers as a server that knows Range. */
function honest(loader: FakeLoader): void {
  const { rangeStart = 0, rangeEnd = 0 } = loader.request
  const whole = rangeEnd === 0
  loader.succeed(whole ? RESOURCE : RESOURCE.slice(rangeStart, rangeEnd), whole ? 200 : 206)
}

test('spans of a byte range are asked for at their place in the resource', async () => {
  const { Loader, made } = fakeLoaders(honest)
  const recorded = await recordOrigin(originOf(Loader, { start: 20, end: 60 }), { start: 5, end: 10 })
  expect(made[0]?.request).toMatchObject({ rangeStart: 25, rangeEnd: 30, headers: { X: '1' } })
  expect(recorded).toMatchObject({ totals: [40], error: null })
  expect(spanOf(recorded, 5, 10)).toEqual(bytesOf(25, 30))
  expect(made[0]?.destroyed).toBe(true)
})

test('the whole resource is asked for without Range', async () => {
  const { Loader, made } = fakeLoaders(honest)
  const recorded = await recordOrigin(originOf(Loader), null)
  expect(made[0]?.request).toMatchObject({ rangeStart: 0, rangeEnd: 0 })
  expect(spanOf(recorded, 0, 100)).toEqual(bytesOf(0, 100))
})

test('a loader that calls a part 200 is believed by the length', async () => {
  const { Loader } = fakeLoaders((loader) => loader.succeed(RESOURCE.slice(10, 20), 200))
  const recorded = await recordOrigin(originOf(Loader), { start: 10, end: 20 })
  expect(recorded.error).toBeNull()
  expect(spanOf(recorded, 10, 20)).toEqual(bytesOf(10, 20))
})

test('a server that ignores Range', async () => {
  const { Loader } = fakeLoaders((loader) => loader.succeed(RESOURCE, 200))
  const span = await recordOrigin(originOf(Loader), { start: 10, end: 20 })
  expect(spanOf(span, 0, 100)).toEqual(bytesOf(0, 100))
  const inRange = await recordOrigin(originOf(Loader, { start: 40, end: 60 }), { start: 0, end: 10 })
  expect(inRange.bytes.size).toBe(20)
  expect(spanOf(inRange, 0, 10)).toEqual(bytesOf(40, 50))
})

test('too little is a bad response', async () => {
  const { Loader } = fakeLoaders((loader) => loader.succeed(RESOURCE.slice(10, 15), 206))
  const { error } = await recordOrigin(originOf(Loader), { start: 10, end: 20 })
  expect(error).toMatchObject({ kind: 'bad-response' })
})

test('errors are told apart', async () => {
  const failing = (answer: (loader: FakeLoader) => void) =>
    recordOrigin(originOf(fakeLoaders(answer).Loader), null).then(({ error }) => error)
  expect(await failing((loader) => loader.fail(503))).toMatchObject({ kind: 'http-status', status: 503 })
  expect(await failing((loader) => loader.fail(0))).toMatchObject({ kind: 'network', status: 0 })
  expect(await failing((loader) => loader.timeOut())).toMatchObject({ kind: 'timeout' })
  expect(
    await failing(() => {
      throw new Error('no')
    }),
  ).toMatchObject({ kind: 'network' })
})

test('a cancel destroys the loader and nothing follows', async () => {
  const { Loader, made } = fakeLoaders(() => {})
  const told: string[] = []
  const tell = (what: string) => () => void told.push(what)
  const origin = originOf(Loader)
  const cancel = origin.fetch(null, {
    onResponse: tell('response'),
    onData: tell('data'),
    onDone: tell('done'),
    onError: tell('error'),
  })
  await Promise.resolve()
  const [loader] = made
  expect(origin.partial).toEqual({ loaded: 0, total: 0 })
  cancel()
  loader?.succeed(RESOURCE, 200)
  expect(told).toEqual([])
  expect(loader?.destroyed).toBe(true)
  expect(origin.partial).toBeNull()
})

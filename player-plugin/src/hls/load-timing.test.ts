import { expect, test } from 'vitest'
import { type FinishedLoad, type LoadTiming, timingForEstimator } from './load-timing.js'

const MEGABYTE = 1_000_000

/** What hls.js's estimator reads from timings, in bytes per second (abr-controller, onFragBuffered). */
function sampledRate({ start, first, end }: LoadTiming, bytes: number, ttfb: number): number {
  return (bytes / (end - start - Math.min(first - start, ttfb))) * 1000
}

const fromPeers: FinishedLoad = {
  bytes: MEGABYTE,
  real: { start: 9990, first: 9995, end: 10_000 },
  httpOnly: false,
  http: null,
  rate: 500_000,
  ttfb: 60,
}

test('a hit from memory is sampled at the sustainable rate', () => {
  const timing = timingForEstimator(fromPeers)
  expect(sampledRate(timing, MEGABYTE, 60)).toBeCloseTo(500_000)
  expect(timing.first - timing.start).toBe(60)
  expect(timing.end).toBe(10_000)
})

test('a wait for peers that HTTP could have cut short is no slow network', () => {
  const waited = { ...fromPeers, real: { start: 1000, first: 8000, end: 10_000 } }
  expect(sampledRate(timingForEstimator(waited), MEGABYTE, 60)).toBeCloseTo(500_000)
})

test('HTTP alone counts from its own request', () => {
  const load = {
    ...fromPeers,
    httpOnly: true,
    real: { start: 1000, first: 8050, end: 10_000 },
    http: { start: 8000, first: 8050 },
  }
  expect(timingForEstimator(load)).toEqual({ start: 8000, first: 8050, end: 10_000 })
})

test('without any measurement the real timings stay', () => {
  expect(timingForEstimator({ ...fromPeers, rate: null })).toEqual(fromPeers.real)
})

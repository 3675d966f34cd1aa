// biome-ignore lint/correctness/noUndeclaredDependencies: the repository's own test runner
import { expect, it } from 'vitest'
import type { SwarmRow } from './swarm-result.js'
import { judge } from './swarm-targets.js'

/** A row of ten viewers, of whom the last stalled so often. */
function rowOf(system: string, values: Partial<SwarmRow>, lastStalls = 0): SwarmRow {
  const viewers = Array.from({ length: 10 }, (_, index) => ({ stalls: index === 9 ? lastStalls : 0 }))
  return {
    system,
    scenario: 'steady',
    startupP50Ms: 300,
    startupP95Ms: 400,
    latencySeconds: 12,
    peerShare: 0.85,
    peerShareSteady: 0.89,
    httpCopiesPerSegment: 1,
    cpuMsPerMegabyte: 700,
    peakMemoryMiB: 120,
    pluginGzipBytes: 29_000,
    detail: { viewers, origin: { all: { mean: 1.5 } } },
    ...values,
  } as SwarmRow
}

const missed = (rows: readonly SwarmRow[]) => judge(rows).filter(({ met }) => !met)

it('judges nothing without the control', () => {
  expect(judge([rowOf('shoal', {})])).toEqual([])
})

it('finds what keeps its promises so, beside both', () => {
  const rows = [rowOf('hls.js', {}), rowOf('shoal', {}), rowOf('p2p-media-loader-live3-no-worker', {})]
  expect(judge(rows)).toHaveLength(11)
  expect(missed(rows)).toEqual([])
})

it.each<[string, Partial<SwarmRow>]>([
  ['share from peers, in all', { peerShare: 0.79 }],
  ['share from peers after start-up', { peerShareSteady: 0.87 }],
  ['HTTP copies per segment after start-up', { httpCopiesPerSegment: 1.2 }],
  ['start-up p50 beyond hls.js, ms', { startupP50Ms: 351 }],
  ['start-up p95 beyond hls.js, ms', { startupP95Ms: 451 }],
  ['latency beyond hls.js, s', { latencySeconds: 12.6 }],
  ['plugin, gzip, kB', { pluginGzipBytes: 30_001 }],
  ['CPU ms per MB, beside p2p-media-loader-no-worker', { cpuMsPerMegabyte: 701 }],
  ['MiB per viewer, beside p2p-media-loader-no-worker', { peakMemoryMiB: 121 }],
])('misses: %s', (what, values) => {
  const rows = [rowOf('hls.js', {}), rowOf('shoal', values), rowOf('p2p-media-loader-no-worker', {})]
  expect(missed(rows)).toMatchObject([{ scenario: 'steady', row: 'shoal', what }])
})

it('compares stalls viewer by viewer', () => {
  expect(missed([rowOf('hls.js', {}, 2), rowOf('shoal', {}, 2)])).toEqual([])
  expect(missed([rowOf('hls.js', {}, 1), rowOf('shoal', {}, 2)])).toMatchObject([
    { what: 'viewers with more stalls than in hls.js', value: 1 },
  ])
})

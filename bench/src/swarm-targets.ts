import type { SwarmRow } from './swarm-result.js'
import { PLAIN, RIVALS_AT_THEIR_BEST } from './swarm-rows.js'

/** A promise of the product, beside a row of the same run. */
export interface Target {
  readonly scenario: string
  readonly row: string
  readonly what: string
  readonly limit: string
  readonly value: number
  readonly met: boolean
}

/**
 * Shares from peers, of what is possible: of N viewers without a seeder one has to ask the origin, so
 * that peers bring 1 - 1/N at most. 88 % and 80 % of all bytes where there are ten.
 */
const STEADY_OF_BOUND = 0.88 / 0.9
const ALL_OF_BOUND = 0.8 / 0.9
const MAX_STEADY_COPIES = 1.1
const MAX_COPIES = 2
const MAX_STARTUP_MS = 50
const MAX_LATENCY_SECONDS = 0.5
const MAX_PLUGIN_BYTES = 30_000

/** What is promised of a row beside another one; null where it says nothing of the measure. */
interface Promised {
  readonly what: string
  readonly limit: number
  /** Whether the value may not be below the limit; otherwise it may not be above. */
  readonly atLeast?: true
  readonly value: number | null
}

/**
 * Shoal's rows beside hls.js, and beside the other program's best at the same latency where it ran in
 * the same cell; empty where the control did not run.
 */
export function judge(rows: readonly SwarmRow[]): readonly Target[] {
  const control = rows.find(({ system }) => system === PLAIN.name)
  if (control === undefined) return []
  const rival = RIVALS_AT_THEIR_BEST.flatMap((name) => rows.filter(({ system }) => system === name))[0]
  return rows
    .filter(({ system }) => system.startsWith('shoal'))
    .flatMap((row) => [
      ...besideControl(row, control),
      ...(rival === undefined ? [] : besideRival(row, rival)),
    ])
    .filter((target) => target !== null)
}

function besideControl(row: SwarmRow, control: SwarmRow): (Target | null)[] {
  const { detail } = row
  const bound = 1 - 1 / Math.max(1, detail.viewers.length)
  const stalledMore = detail.viewers.filter(
    ({ stalls }, index) => stalls > (control.detail.viewers[index]?.stalls ?? 0),
  )
  const share = { atLeast: true } as const
  const promised: readonly Promised[] = [
    { what: 'share from peers, in all', limit: ALL_OF_BOUND * bound, value: row.peerShare, ...share },
    {
      what: 'share from peers after start-up',
      limit: STEADY_OF_BOUND * bound,
      value: row.peerShareSteady,
      ...share,
    },
    {
      what: 'HTTP copies per segment after start-up',
      limit: MAX_STEADY_COPIES,
      value: row.httpCopiesPerSegment,
    },
    { what: 'HTTP copies per segment, in all', limit: MAX_COPIES, value: detail.origin.all.mean },
    { what: 'viewers with more stalls than in hls.js', limit: 0, value: stalledMore.length },
    {
      what: 'start-up p50 beyond hls.js, ms',
      limit: MAX_STARTUP_MS,
      value: less(row.startupP50Ms, control.startupP50Ms),
    },
    {
      what: 'start-up p95 beyond hls.js, ms',
      limit: MAX_STARTUP_MS,
      value: less(row.startupP95Ms, control.startupP95Ms),
    },
    {
      what: 'latency beyond hls.js, s',
      limit: MAX_LATENCY_SECONDS,
      value: less(row.latencySeconds, control.latencySeconds),
    },
    { what: 'plugin, gzip, kB', limit: MAX_PLUGIN_BYTES / 1000, value: row.pluginGzipBytes / 1000 },
  ]
  return promised.map((one) => target(row, one))
}

function besideRival(row: SwarmRow, rival: SwarmRow): (Target | null)[] {
  const promised: readonly Promised[] = [
    {
      what: `CPU ms per MB, beside ${rival.system}`,
      limit: rival.cpuMsPerMegabyte,
      value: row.cpuMsPerMegabyte,
    },
    { what: `MiB per viewer, beside ${rival.system}`, limit: rival.peakMemoryMiB, value: row.peakMemoryMiB },
  ]
  return promised.map((one) => target(row, one))
}

function less(own: number | null, other: number | null): number | null {
  return own === null || other === null ? null : own - other
}

function target(row: SwarmRow, { what, limit, atLeast, value }: Promised): Target | null {
  if (value === null) return null
  const sign = atLeast ? '>=' : '<='
  const { scenario, system } = row
  const met = atLeast ? value >= limit : value <= limit
  return { scenario, row: system, what, limit: `${sign} ${Number(limit.toFixed(3))}`, value, met }
}

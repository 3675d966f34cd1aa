import { barChart, short } from './report-chart.js'
import type { SwarmRow } from './swarm-result.js'
import { ROWS } from './swarm-rows.js'
import { SCENARIOS } from './swarm-scenarios.js'
import { spread } from './swarm-statistics.js'

/** Rows of one scenario with so many viewers, by program; each with a result for every seed. */
export interface Cell {
  readonly scenario: string
  readonly title: string
  readonly viewers: number
  readonly systems: readonly { readonly system: string; readonly runs: readonly SwarmRow[] }[]
}

type Value = (row: SwarmRow) => number | null

interface Measure {
  readonly label: string
  readonly value: Value
  readonly show: (value: number) => string
}

const percent = (value: number) => `${(value * 100).toFixed(1)} %`
const MEASURES: readonly Measure[] = [
  { label: 'start-up p50, ms', value: (row) => row.startupP50Ms, show: (value) => value.toFixed(0) },
  { label: 'start-up p95, ms', value: (row) => row.startupP95Ms, show: (value) => value.toFixed(0) },
  { label: 'stalls', value: (row) => row.stalls, show: short },
  { label: 'stalled, s', value: (row) => row.stallSeconds, show: short },
  { label: 'time played', value: ({ detail }) => detail.playedShare, show: percent },
  { label: 'hls.js errors', value: ({ detail }) => detail.playerErrors, show: short },
  { label: 'fatal', value: ({ detail }) => detail.fatalErrors, show: short },
  { label: 'latency, s', value: (row) => row.latencySeconds, show: (value) => value.toFixed(1) },
  { label: 'from peers', value: (row) => row.peerShare, show: percent },
  { label: 'after start-up', value: (row) => row.peerShareSteady, show: percent },
  { label: 'HTTP copies', value: (row) => row.httpCopiesPerSegment, show: (value) => value.toFixed(2) },
  {
    label: 'requests',
    value: ({ detail }) => detail.origin.steady.requestsPerSegment,
    show: (value) => value.toFixed(2),
  },
  { label: 'first peer byte, ms', value: (row) => row.firstPeerByteP50Ms, show: (value) => value.toFixed(0) },
  {
    label: 'first, p95',
    value: ({ detail }) => detail.firstPeerByteMs.p95,
    show: (value) => value.toFixed(0),
  },
  { label: 'level changes', value: ({ detail }) => detail.levelSwitches, show: short },
  {
    label: 'kbit/s shown',
    value: ({ detail }) => detail.shownBitsPerSecond.median,
    show: (value) => (value / 1000).toFixed(0),
  },
  { label: 'MB uploaded', value: ({ detail }) => detail.megabytes.uploaded, show: short },
  { label: 'Gini', value: ({ detail }) => detail.uploadGini, show: (value) => value.toFixed(2) },
  { label: 'twice or in vain', value: (row) => row.duplicateShare, show: percent },
  { label: 'spoiled played', value: ({ detail }) => detail.pollutedSegments, show: short },
  { label: 'CPU ms/MB', value: (row) => row.cpuMsPerMegabyte, show: (value) => value.toFixed(0) },
  { label: 'MiB/viewer', value: (row) => row.peakMemoryMiB, show: (value) => value.toFixed(0) },
]

/** In the order of scenarios, viewers and rows. */
export function cellsOf(rows: readonly SwarmRow[]): readonly Cell[] {
  const sizes = [...new Set(rows.map(({ viewers }) => viewers))].sort((a, b) => a - b)
  return SCENARIOS.flatMap(({ name, title }) =>
    sizes.flatMap((viewers) => {
      const inCell = rows.filter((row) => row.scenario === name && row.viewers === viewers)
      const systems = ROWS.map((row) => ({
        system: row.name,
        runs: inCell.filter(({ system }) => system === row.name),
      })).filter(({ runs }) => runs.length > 0)
      return systems.length === 0 ? [] : [{ scenario: name, title, viewers, systems }]
    }),
  )
}

/** Medians of the seeds. A star: the machine was the limit in one of them at least. */
export function cellTable({ systems }: Cell): readonly string[] {
  const shown = MEASURES.filter(({ value }) =>
    systems.some(({ runs }) => runs.some((run) => (value(run) ?? 0) !== 0)),
  )
  const lines = systems.map(({ system, runs }) => {
    const star = runs.some(({ machineWasLimit }) => machineWasLimit) ? ' *' : ''
    const cells = shown.map(({ value, show }) => {
      const middle = spread(runs.map(value)).median
      return middle === null ? '-' : show(middle)
    })
    return `| ${system}${star} | ${cells.join(' | ')} |`
  })
  const heads = shown.map(({ label }) => label)
  return [`| | ${heads.join(' | ')} |`, `|---|${heads.map(() => '---:').join('|')}|`, ...lines]
}

const CHARTS: readonly {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly value: Value
}[] = [
  {
    name: 'copies',
    title: 'HTTP copies of each segment, start-ups apart',
    unit: '',
    value: (row) => row.httpCopiesPerSegment,
  },
  { name: 'stalls', title: 'Seconds of stalls, all viewers', unit: 's', value: (row) => row.stallSeconds },
  {
    name: 'latency',
    title: 'Seconds behind the live edge, median viewer',
    unit: 's',
    value: (row) => row.latencySeconds,
  },
  {
    name: 'cpu',
    title: 'CPU of the browsers per MB played',
    unit: 'ms',
    value: (row) => row.cpuMsPerMegabyte,
  },
]

/** One chart for each measure, over the scenarios at the largest number of viewers that each has. */
export function charts(cells: readonly Cell[]): readonly { name: string; title: string; svg: string }[] {
  const largest = cells.filter(
    (cell) => !cells.some((other) => other.scenario === cell.scenario && other.viewers > cell.viewers),
  )
  if (largest.length === 0) return []
  return CHARTS.map(({ name, title, unit, value }) => {
    const groups = largest.map(({ scenario, viewers, systems }) => ({
      label: `${scenario}, ${viewers} viewers`,
      bars: systems.map(({ system, runs }) => ({ label: system, value: spread(runs.map(value)).median })),
    }))
    return { name, title, svg: barChart({ title, unit, groups }) }
  })
}

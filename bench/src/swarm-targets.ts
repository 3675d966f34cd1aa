import type { SwarmRow } from './swarm-result.js'
import type { RowSummary } from './swarm-summary.js'

/** A promise of the product, beside the control row of the same run. */
export interface Target {
  readonly scenario: string
  readonly row: string
  readonly what: string
  readonly limit: string
  readonly value: number
  readonly met: boolean
}

const MIN_PEER_SHARE = 0.85
/** Of N viewers without a seeder one has to ask the origin: of what peers can bring at most, 1 - 1/N. */
const MIN_OF_BOUND = 0.95
const MAX_COPIES = 1.1
const MAX_STARTUP_MS = 50
const MAX_LATENCY_SECONDS = 0.5

/** Shoal's rows against hls.js on the same origin; empty where the control did not run. */
export function judge(rows: readonly SwarmRow[]): readonly Target[] {
  const control = rows.find(({ system }) => system === 'hls.js')
  if (control === undefined) return []
  return rows
    .filter(({ system }) => system.startsWith('shoal'))
    .flatMap(({ scenario, detail }) => judgeRow(scenario, detail, control.detail))
}

function judgeRow(scenario: string, row: RowSummary, control: RowSummary): Target[] {
  const more = (own: number | null, other: number | null) => (own ?? Number.NaN) - (other ?? Number.NaN)
  const startup = more(row.startupMs.median, control.startupMs.median)
  const latency = more(row.latencySeconds.median, control.latencySeconds.median)
  const worse = row.viewers.filter(({ stalls }, index) => stalls > (control.viewers[index]?.stalls ?? 0))
  const target = (what: string, limit: string, value: number, met: boolean): Target => ({
    ...{ scenario, row: row.row, what, limit, value, met },
  })
  const bound = MIN_OF_BOUND * (1 - 1 / Math.max(1, row.viewers.length))
  const peerShare = row.row.includes('seeder') ? MIN_PEER_SHARE : Math.min(MIN_PEER_SHARE, bound)
  return [
    target(
      'share from peers after start-up',
      `>= ${peerShare.toFixed(3)}`,
      row.peerShareSteady,
      row.peerShareSteady >= peerShare,
    ),
    target(
      'HTTP copies per segment after start-up',
      `<= ${MAX_COPIES}`,
      row.origin.steady.mean,
      row.origin.steady.mean <= MAX_COPIES,
    ),
    target('viewers with more stalls than in hls.js', '0', worse.length, worse.length === 0),
    target('start-up beyond hls.js, ms', `<= ${MAX_STARTUP_MS}`, startup, startup <= MAX_STARTUP_MS),
    ...(Number.isNaN(latency)
      ? []
      : [
          target(
            'latency beyond hls.js, s',
            `<= ${MAX_LATENCY_SECONDS}`,
            latency,
            latency <= MAX_LATENCY_SECONDS,
          ),
        ]),
  ]
}

import type { RowSummary } from './swarm-summary.js'

/** A promise of the product, beside the control row of the same run. */
export interface Target {
  readonly row: string
  readonly what: string
  readonly limit: string
  readonly value: number
  readonly met: boolean
}

const MIN_PEER_SHARE = 0.85
const MAX_COPIES = 1.1
const MAX_STARTUP_MS = 50
const MAX_LATENCY_SECONDS = 0.5

/** Shoal's rows against hls.js on the same origin; empty where the control did not run. */
export function judge(rows: readonly RowSummary[]): readonly Target[] {
  const control = rows.find(({ row }) => row === 'plain')
  if (control === undefined) return []
  return rows.filter(({ row }) => row.startsWith('shoal')).flatMap((row) => judgeRow(row, control))
}

function judgeRow(row: RowSummary, control: RowSummary): Target[] {
  const more = (own: number | null, other: number | null) => (own ?? Number.NaN) - (other ?? Number.NaN)
  const startup = more(row.startupMs.median, control.startupMs.median)
  const latency = more(row.latencySeconds.median, control.latencySeconds.median)
  const worse = row.viewers.filter(({ stalls }, index) => stalls > (control.viewers[index]?.stalls ?? 0))
  const target = (what: string, limit: string, value: number, met: boolean): Target => ({
    ...{ row: row.row, what, limit, value, met },
  })
  return [
    target(
      'share from peers after start-up',
      `>= ${MIN_PEER_SHARE}`,
      row.peerShareSteady,
      row.peerShareSteady >= MIN_PEER_SHARE,
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

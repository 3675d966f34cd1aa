import type { SwarmRow } from './swarm-result.js'
import type { Spread } from './swarm-statistics.js'
import type { RowSummary } from './swarm-summary.js'
import type { Target } from './swarm-targets.js'

const LINES: readonly (readonly [label: string, value: (row: RowSummary) => string])[] = [
  ['start-up, ms (median / p95)', ({ startupMs }) => pair(startupMs, 0)],
  ['viewers that never started', ({ notStarted }) => String(notStarted)],
  ['stalls (count / seconds)', (row) => `${row.stalls} / ${row.stallSeconds.toFixed(1)}`],
  ['viewers that stalled', ({ viewersStalled }) => String(viewersStalled)],
  ['share of the time played', ({ playedShare }) => percent(playedShare)],
  ['errors of hls.js / fatal', (row) => `${row.playerErrors} / ${row.fatalErrors}`],
  ['latency, s (median / p95)', ({ latencySeconds }) => pair(latencySeconds, 1)],
  [
    'MB by HTTP / peers / seeder',
    ({ megabytes: { http, peers, seeders } }) => list([http, peers, seeders], 1),
  ],
  ['not from the origin, in all', ({ offload }) => percent(offload)],
  ['… after start-up', ({ offloadSteady }) => percent(offloadSteady)],
  ['share from peers as the program counts', ({ peerShare }) => percent(peerShare)],
  ['… after start-up', ({ peerShareSteady }) => percent(peerShareSteady)],
  ['brought and not played', ({ overheadShare }) => percent(overheadShare)],
  ['HTTP copies a segment, in all', ({ origin }) => origin.all.mean.toFixed(2)],
  ['… after start-up (mean / most)', ({ origin: { steady } }) => list([steady.mean, steady.max], 2)],
  ['requests a segment, after start-up', ({ origin }) => origin.steady.requestsPerSegment.toFixed(2)],
  ['first peer byte, ms (median / p95)', ({ firstPeerByteMs }) => pair(firstPeerByteMs, 0)],
  ['MB uploaded (Gini)', (row) => `${row.megabytes.uploaded.toFixed(1)} (${row.uploadGini.toFixed(2)})`],
  ['MB received in vain', ({ megabytes }) => megabytes.duplicate?.toFixed(2) ?? '-'],
  ['HTTP counted / sent, / sent in full', (row) => list([row.countedOverSent, row.countedOverComplete], 3)],
  ['peer bytes, reported / counted', ({ reportedOverCounted }) => reportedOverCounted?.toFixed(3) ?? '-'],
  ['changes of level', ({ levelSwitches }) => String(levelSwitches)],
  ['kbit/s shown (median)', (row) => ((row.shownBitsPerSecond.median ?? 0) / 1000).toFixed(0)],
  ['spoiled segments played', ({ pollutedSegments }) => pollutedSegments?.toFixed(0) ?? '-'],
  ['errors that nobody caught', ({ viewers }) => String(viewers.flatMap(({ errors }) => errors).length)],
  ['browser CPU s per MB', (row) => row.browserCpuSecondsPerMegabyte.toFixed(2)],
  ['… of all programs', (row) => row.allCpuSecondsPerMegabyte.toFixed(2)],
  ['peak MiB per viewer', ({ peakMiBPerViewer }) => peakMiBPerViewer.toFixed(0)],
  ['cores busy: ours + others', ({ machine }) => `${machine.ours.toFixed(2)} + ${machine.others.toFixed(2)}`],
  ['frames dropped', ({ machine }) => percent(machine.droppedFrameShare)],
  ['browser waited for a core', ({ machine }) => percent(machine.browserWaitShare)],
  ['page late at most, ms (median / p95)', ({ machine }) => pair(machine.mostLateMs, 0)],
  ['timers late by 100 ms (median page)', ({ machine }) => percent(machine.lateShare.median ?? 0)],
  ['the machine was the limit', ({ machine }) => (machine.wasLimit ? 'YES' : 'no')],
]

/** Rows side by side, for people. */
export function table(rows: readonly SwarmRow[], targets: readonly Target[]): string {
  const cells = [
    ['', ...rows.map(({ system }) => system)],
    ...LINES.map(([label, value]) => [label, ...rows.map(({ detail }) => value(detail))]),
  ]
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  )
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  )
  const verdicts = targets.map(
    ({ row, what, limit, value, met }) =>
      `${met ? 'met   ' : 'MISSED'} ${row}: ${what} ${limit}: ${value.toFixed(2)}`,
  )
  return [...lines, ...(verdicts.length === 0 ? [] : ['', ...verdicts])].join('\n')
}

function pair({ median, p95 }: Spread, digits: number): string {
  return median === null || p95 === null ? '-' : list([median, p95], digits)
}

function list(values: readonly number[], digits: number): string {
  return values.map((value) => value.toFixed(digits)).join(' / ')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

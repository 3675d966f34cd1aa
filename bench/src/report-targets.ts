import { short } from './report-chart.js'
import type { SwarmRow } from './swarm-result.js'
import { judge } from './swarm-targets.js'

/** What Shoal promises beside others of the same cell and seed: how often it was kept, and where it was not. */
export function targetLines(rows: readonly SwarmRow[]): readonly string[] {
  const cells = new Map<string, SwarmRow[]>()
  for (const row of rows) {
    const key = `${row.scenario}, ${row.viewers} viewers, seed ${row.seed}, ${row.seconds} s`
    cells.set(key, [...(cells.get(key) ?? []), row])
  }
  const judged = [...cells].flatMap(([cell, inCell]) => judge(inCell).map((target) => ({ cell, ...target })))
  if (judged.length === 0) return []
  const missed = judged.filter(({ met }) => !met)
  const lines = missed.map(
    ({ cell, row, what, limit, value }) => `| ${cell} | ${row} | ${what} | ${limit} | ${short(value)} |`,
  )
  return [
    '## Promises',
    '',
    'Shoal beside `hls.js`, and in CPU and memory beside p2p-media-loader, where they ran in the same cell:',
    `${judged.length - missed.length} of ${judged.length} kept.`,
    '',
    ...(missed.length === 0
      ? []
      : ['| cell | row | missed | limit | value |', '|---|---|---|---:|---:|', ...lines, '']),
  ]
}

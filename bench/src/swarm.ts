import { appendFile, writeFile } from 'node:fs/promises'
import type { BenchOptions } from './cli.js'
import { readSwarmSettings } from './swarm-arguments.js'
import { startPageServer } from './swarm-page-server.js'
import { runRow } from './swarm-run.js'
import { prepareMedia } from './swarm-scenarios.js'
import { makeSchedule } from './swarm-schedule.js'
import { type RowSummary, summarize } from './swarm-summary.js'
import { table } from './swarm-table.js'
import { judge, type Target } from './swarm-targets.js'
import { traceLines } from './swarm-trace.js'

export interface SwarmResult {
  readonly bench: 'swarm'
  readonly scenario: string
  readonly viewers: number
  readonly seconds: number
  readonly seed: number
  readonly originX: number
  readonly bitsPerSecond: number
  readonly rows: readonly RowSummary[]
  readonly targets: readonly Target[]
}

/**
 * Viewers in real Chromium pages, of an origin whose uplink does not feed them all: hls.js alone beside
 * Shoal, one row after the other, with the same arrivals.
 *
 * @throws SwarmUsageError
 */
export async function run({ quick, swarm }: BenchOptions): Promise<SwarmResult> {
  const settings = readSwarmSettings(swarm, quick)
  const { scenario, viewers, seconds, seed, originX } = settings
  const media = await prepareMedia(scenario)
  const schedule = makeSchedule(viewers, seed)
  const page = await startPageServer()
  const rows: RowSummary[] = []
  if (settings.trace !== null) await writeFile(settings.trace, '')
  try {
    for (const row of settings.rows) {
      console.error(`${row.title}: ${viewers} viewers, ${seconds} s …`)
      const happened = await runRow(row, { settings, media, schedule, pageUrl: page.url })
      rows.push(summarize(happened, media))
      if (settings.trace !== null) await appendFile(settings.trace, traceLines(happened))
    }
  } finally {
    page.close()
  }
  const targets = judge(rows)
  console.error(table(rows, targets))
  const bitsPerSecond = Math.round(media.bytesPerSecond * 8)
  return {
    bench: 'swarm',
    scenario: scenario.name,
    viewers,
    seconds,
    seed,
    originX,
    bitsPerSecond,
    rows,
    targets,
  }
}

import { appendFile, writeFile } from 'node:fs/promises'
import type { BenchOptions } from './cli.js'
import { readSwarmSettings, type SwarmSettings } from './swarm-arguments.js'
import { prepareMedia } from './swarm-media.js'
import { pluginGzipBytes } from './swarm-page.js'
import { rowOf, type SwarmRow } from './swarm-result.js'
import { runRow } from './swarm-run.js'
import type { Scenario } from './swarm-scenarios.js'
import { makeSchedule } from './swarm-schedule.js'
import { SwarmStore } from './swarm-store.js'
import { summarize } from './swarm-summary.js'
import { table } from './swarm-table.js'
import { judge, type Target } from './swarm-targets.js'
import { traceLines } from './swarm-trace.js'

export interface SwarmResult {
  readonly bench: 'swarm'
  readonly rows: readonly SwarmRow[]
  readonly targets: readonly Target[]
}

/**
 * Viewers in real Chromium pages: hls.js alone beside Shoal and others, one row after the other, with the
 * same arrivals. A cell is one scenario with so many viewers and one seed.
 *
 * @throws SwarmUsageError
 */
export async function run({ quick, swarm }: BenchOptions): Promise<SwarmResult> {
  const settings = readSwarmSettings(swarm, quick)
  const rows: SwarmRow[] = []
  const targets: Target[] = []
  if (settings.trace !== null) await writeFile(settings.trace, '')
  for (const scenario of settings.scenarios) {
    for (const viewers of settings.viewers) {
      for (const seed of settings.seeds) {
        const cell = await runCell(scenario, viewers, seed, settings)
        const judged = judge(cell)
        console.error(table(cell, judged))
        rows.push(...cell)
        targets.push(...judged)
      }
    }
  }
  return { bench: 'swarm', rows, targets }
}

async function runCell(
  scenario: Scenario,
  viewers: number,
  seed: number,
  settings: SwarmSettings,
): Promise<readonly SwarmRow[]> {
  const { seconds, trace, screenshots } = settings
  const originX = settings.originX ?? scenario.originX
  const media = await prepareMedia(scenario)
  const schedule = makeSchedule(scenario, viewers, seconds, seed)
  const bitsPerSecond = Math.round(media.bytesPerSecond * 8)
  const cell = { scenario: scenario.name, viewers, seed, seconds, originX, bitsPerSecond }
  const store = settings.results === null ? null : new SwarmStore(settings.results)
  const rows: SwarmRow[] = []
  for (const row of settings.rows) {
    // Where nothing is limited it would be the control once more.
    if (!row.limited && originX === null) continue
    const before = (await store?.read({ ...cell, system: row.name })) ?? null
    if (before !== null) {
      rows.push(before)
      continue
    }
    console.error(`${scenario.title}: ${row.title}: ${viewers} viewers, ${seconds} s, seed ${seed} …`)
    const happened = await runRow(row, { scenario, originX, media, schedule, screenshots })
    const result = rowOf(cell, summarize(happened, media), await pluginGzipBytes(row.player))
    await store?.write(result)
    rows.push(result)
    if (trace !== null) await appendFile(trace, traceLines(happened))
  }
  return rows
}

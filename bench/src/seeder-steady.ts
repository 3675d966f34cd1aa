import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { STREAM } from './seeder-messages.js'
import { measure, shoalStage, writeTitle } from './seeder-stage.js'

/** A seeder's memory while viewers play for minutes. */
export interface SteadyRow {
  readonly bench: 'seeder-memory'
  readonly viewers: number
  readonly minutes: number
  /** Each plays 1 Mbit/s in real time. */
  readonly megabytesPerSecond: number
  readonly missedDeadlines: number
  readonly askedOrigin: number
  /** Resident memory: medians of the second quarter of the time, and of the last one. */
  readonly rssSecondQuarterMiB: number
  readonly rssLastQuarterMiB: number
  readonly rssGrowthMiB: number
  readonly rssPerViewerKiB: number
}

const MIB = 2 ** 20

/** Viewers of a 1 Mbit/s stream for so many minutes; how far the seeder's resident memory grows. */
export async function steadyMemory(minutes: number, quick: boolean): Promise<SteadyRow> {
  const viewers = quick ? 10 : 50
  const folder = mkdtempSync(join(tmpdir(), 'shoal-bench-'))
  try {
    writeTitle(folder, STREAM)
    const stage = await shoalStage(folder, viewers, STREAM, null)
    const readings: number[] = []
    const sample = await measure(stage, minutes * 60, (bytes) => {
      readings.push(bytes)
      if (readings.length % 6 === 0)
        console.error(`${readings.length * 5} s: ${(bytes / MIB).toFixed(1)} MiB`)
    }).finally(() => stage.end())
    const quarter = (nth: number) =>
      median(readings.slice((nth * readings.length) / 4, ((nth + 1) * readings.length) / 4)) / MIB
    const rounded = (value: number) => Math.round(value * 100) / 100
    return {
      bench: 'seeder-memory',
      viewers,
      minutes,
      megabytesPerSecond: rounded(sample.megabytesPerSecond),
      missedDeadlines: sample.missedDeadlines,
      askedOrigin: sample.asked,
      rssSecondQuarterMiB: rounded(quarter(1)),
      rssLastQuarterMiB: rounded(quarter(3)),
      rssGrowthMiB: rounded(quarter(3) - quarter(1)),
      rssPerViewerKiB: rounded(sample.rssPerViewerBytes / 1024),
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The middle value; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

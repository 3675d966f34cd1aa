import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchOptions } from './cli.js'
import { FLAT_OUT, STREAM } from './seeder-messages.js'
import type { SeederValues } from './seeder-options.js'
import { bareStage, measure, type Sample, type Stage, shoalStage, writeTitle } from './seeder-stage.js'
import { median, type SteadyRow, steadyMemory } from './seeder-steady.js'

/** Medians of the rounds. A megabyte is 10^6 bytes. */
export interface SeederRow {
  readonly viewers: number
  readonly target: 'shoal' | 'bare'
  /**
   * `flat-out`: each viewer takes what it gets, three segments at a time. `stream`: each plays 1 Mbit/s in
   * real time, and the seeder has one core.
   */
  readonly load: 'flat-out' | 'stream'
  /** What all viewers received together: verified pieces, or payload of the bare channel. */
  readonly megabytesPerSecond: number
  /** Goodput over the bare channel's of the same round; null for the bare channel, and for a stream. */
  readonly overBare: number | null
  /** The bare sender's CPU per MB over the seeder's, of the same round: what a core serves beside it. */
  readonly perCoreOverBare: number | null
  /** CPU of the sending process, all its threads. */
  readonly cpuMsPerMegabyte: number
  /** CPU of the viewers, who share the machine with it. */
  readonly cpuMsPerMegabyteViewers: number
  /** Cores that the sending process was busy on. */
  readonly senderCores: number
  /** Segments that came later than their player wants them, at 2 Mbit/s where it takes what it gets. */
  readonly missedDeadlines: number | null
  /** What came twice or in vain, over what came. */
  readonly wastedShare: number
  /** Growth of the sender's resident memory from before the first connection to the end. */
  readonly rssPerViewerBytes: number
}

export interface SeederResult {
  readonly bench: 'seeder'
  readonly rounds: number
  readonly secondsPerRow: number
  /** Loads that turned to HTTP, which nobody answers: their segments are missing in the goodput. */
  readonly askedOrigin: number
  readonly rows: readonly SeederRow[]
}

/** A measurement of one row. */
type Kind = Pick<SeederRow, 'viewers' | 'target' | 'load'>

/** The core that a seeder of a stream is kept on. */
const CORE = 0

/** One seeder process that feeds Node viewers over real data channels, beside a bare sender. */
export async function run({ quick, seeder }: BenchOptions): Promise<SeederResult | SteadyRow> {
  const { minutes } = seeder
  if (minutes !== null) return await steadyMemory(minutes, quick)
  const rounds = quick ? 1 : 3
  const seconds = quick ? 5 : 10
  const kinds = kindsOf(quick, seeder)
  const samples = new Map<Kind, Sample[]>(kinds.map((kind) => [kind, []]))
  const folders = { 'flat-out': titleFolder(), stream: titleFolder() }
  try {
    writeTitle(folders['flat-out'], FLAT_OUT)
    writeTitle(folders.stream, STREAM)
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) {
        const stage = await open(kind, folders[kind.load])
        // Several segments of a stream, each with its deadline.
        const sample = await measure(stage, kind.load === 'stream' ? 4 * seconds : seconds).finally(() =>
          stage.end(),
        )
        samples.get(kind)?.push(sample)
        const { megabytesPerSecond, cpuMsPerMegabyte, missedDeadlines } = sample
        const figures = `${megabytesPerSecond.toFixed(1)} MB/s, ${cpuMsPerMegabyte.toFixed(1)} ms/MB`
        console.error(`${kind.viewers} ${kind.target} ${kind.load}: ${figures}, ${missedDeadlines} late`)
      }
    }
  } finally {
    for (const folder of Object.values(folders)) rmSync(folder, { recursive: true })
  }
  const askedOrigin = [...samples.values()].flat().reduce((sum, { asked }) => sum + asked, 0)
  const rows = kinds.map((kind) => {
    const bare = kinds.find((other) => other.target === 'bare' && other.viewers === kind.viewers)
    return rowOf(kind, samples.get(kind) ?? [], bare === undefined ? [] : (samples.get(bare) ?? []))
  })
  return { bench: 'seeder', rounds, secondsPerRow: seconds, askedOrigin, rows }
}

function kindsOf(quick: boolean, { viewers, load }: SeederValues): Kind[] {
  const counts = viewers ?? (quick ? [1, 10, 50] : [1, 10, 50, 200])
  const flatOut = counts.flatMap((viewers): Kind[] => [
    { viewers, target: 'bare', load: 'flat-out' },
    { viewers, target: 'shoal', load: 'flat-out' },
  ])
  const streamed = viewers ?? counts.slice(-1)
  const streams = streamed.map((viewers): Kind => ({ viewers, target: 'shoal', load: 'stream' }))
  return [...flatOut, ...streams].filter((kind) => load === null || kind.load === load)
}

function titleFolder(): string {
  return mkdtempSync(join(tmpdir(), 'shoal-bench-'))
}

async function open({ viewers, target, load }: Kind, folder: string): Promise<Stage> {
  if (target === 'bare') return await bareStage(viewers)
  if (load === 'stream') return await shoalStage(folder, viewers, STREAM, CORE)
  return await shoalStage(folder, viewers, FLAT_OUT, null)
}

function rowOf(kind: Kind, samples: readonly Sample[], bare: readonly Sample[]): SeederRow {
  const rounded = (of: (sample: Sample) => number) => Math.round(median(samples.map(of)) * 100) / 100
  const compared = kind.target === 'shoal' && kind.load === 'flat-out'
  const paired = (of: (sample: Sample, control: Sample) => number) => {
    const ratios = samples.flatMap((sample, round) =>
      bare.slice(round, round + 1).map((one) => of(sample, one)),
    )
    return compared ? Math.round(median(ratios) * 1000) / 1000 : null
  }
  return {
    ...kind,
    megabytesPerSecond: rounded((sample) => sample.megabytesPerSecond),
    overBare: paired((sample, control) => sample.megabytesPerSecond / control.megabytesPerSecond),
    perCoreOverBare: paired((sample, control) => control.cpuMsPerMegabyte / sample.cpuMsPerMegabyte),
    cpuMsPerMegabyte: rounded((sample) => sample.cpuMsPerMegabyte),
    cpuMsPerMegabyteViewers: rounded((sample) => sample.cpuMsPerMegabyteViewers),
    senderCores: rounded((sample) => sample.senderCores),
    missedDeadlines: kind.target === 'bare' ? null : rounded((sample) => sample.missedDeadlines),
    wastedShare: rounded((sample) => sample.wastedShare),
    rssPerViewerBytes: rounded((sample) => sample.rssPerViewerBytes),
  }
}

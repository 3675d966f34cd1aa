import type { BenchOptions } from './cli.js'
import { type ClusterRow, measureCluster } from './tracker-cluster.js'
import { measure, median, type Sample } from './tracker-measure.js'
import { SCENARIOS, type Scenario } from './tracker-scenarios.js'
import { TARGETS, type Target, TargetServer } from './tracker-targets.js'

/** Medians of the rounds. */
export interface TrackerRow extends Sample {
  readonly scenario: Scenario['name']
  readonly target: Target
  readonly connections: number
}

export interface TrackerResult {
  readonly bench: 'tracker'
  readonly rounds: number
  /** In each measurement. */
  readonly responses: number
  /** Responses per CPU second of `shoal-uws` over those of `bittorrent-tracker`: median of the rounds' ratios. */
  readonly ratios: Readonly<Record<string, number>>
  readonly rows: readonly TrackerRow[]
  /** Empty where there is no redis-server. */
  readonly cluster: readonly ClusterRow[]
}

const FULL = { rounds: 3, responses: 300_000, connections: [1000, 10_000] }
const QUICK = { rounds: 1, responses: 100_000, connections: [1000] }

interface Cell {
  readonly scenario: Scenario['name']
  readonly connections: number
}

/** What a tracker can serve with one core, beside a rival and an echo that does nothing. */
export async function run({ quick }: BenchOptions): Promise<TrackerResult> {
  const { rounds, responses, connections } = quick ? QUICK : FULL
  const cells = connections.flatMap((count) =>
    SCENARIOS.map(({ name }): Cell => ({ scenario: name, connections: count })),
  )
  const samples = new Map<string, Sample[]>()
  for (let round = 0; round < rounds; round++) {
    for (const cell of cells) {
      for (const target of TARGETS) {
        const sample = await sampleOf(target, cell, responses, round + 1)
        const key = keyOf(target, cell)
        samples.set(key, [...(samples.get(key) ?? []), sample])
        console.error(`round ${round + 1}: ${key}: ${JSON.stringify(sample)}`)
      }
    }
  }
  const of = (target: Target, cell: Cell) => samples.get(keyOf(target, cell)) ?? []
  return {
    bench: 'tracker',
    rounds,
    responses,
    ratios: Object.fromEntries(
      cells.map((cell) => [
        `${cell.scenario} ${cell.connections}`,
        ratioOf(of('shoal-uws', cell), of('bittorrent-tracker', cell)),
      ]),
    ),
    rows: cells.flatMap((cell) => TARGETS.map((target) => rowOf(target, cell, of(target, cell)))),
    cluster: await measureCluster(rounds, responses),
  }
}

async function sampleOf(target: Target, cell: Cell, responses: number, seed: number): Promise<Sample> {
  const server = await TargetServer.start(target)
  try {
    return await measure([server], { ...cell, echo: target === 'uws-echo', responses, seed })
  } catch (error) {
    throw new Error(`${keyOf(target, cell)}: ${error}`)
  } finally {
    await server.stop()
  }
}

function ratioOf(ours: readonly Sample[], theirs: readonly Sample[]): number {
  const ratios = ours.map(
    (sample, i) => sample.responsesPerCpuSecond / (theirs[i]?.responsesPerCpuSecond ?? Number.NaN),
  )
  return Number(median(ratios).toFixed(2))
}

function rowOf(target: Target, { scenario, connections }: Cell, samples: readonly Sample[]): TrackerRow {
  const of = (key: keyof Sample) => median(samples.map((sample) => sample[key]))
  return {
    scenario,
    target,
    connections,
    responsesPerCpuSecond: of('responsesPerCpuSecond'),
    rssPerPeerBytes: of('rssPerPeerBytes'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    responsesPerSecond: of('responsesPerSecond'),
    responsesPerAnnounce: of('responsesPerAnnounce'),
    lostPerMille: of('lostPerMille'),
  }
}

function keyOf(target: Target, { scenario, connections }: Cell): string {
  return `${scenario} ${target} ${connections}`
}

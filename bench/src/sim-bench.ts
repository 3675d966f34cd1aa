import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { BenchOptions } from './cli.js'

const SIM = fileURLToPath(new URL('sim-cli.js', import.meta.url))

/** One run of the simulator, and with how many seeds it is done. */
interface SimCase {
  readonly args: readonly string[]
  readonly seeds: number
}

const FIRST_SEED = 501

const FULL: readonly SimCase[] = [
  { args: steady(10), seeds: 5 },
  { args: steady(100), seeds: 3 },
  { args: [...steady(100), '--rho', '1'], seeds: 1 },
  { args: [...steady(100), '--rho', '0.5'], seeds: 1 },
  { args: ['--viewers', '30', '--seconds', '60', '--workload', 'low-latency'], seeds: 3 },
  { args: ['--viewers', '20', '--seconds', '120', '--workload', 'vod'], seeds: 3 },
  ...['polluters', 'partition', 'leader-killed', 'cdn-503', 'tracker-away'].map((fault) => ({
    args: [...steady(20), '--fault', fault],
    seeds: 1,
  })),
]
const QUICK: readonly SimCase[] = [{ args: ['--viewers', '10', '--seconds', '60'], seeds: 1 }]

/** What the report shows of a run; the simulator's own names (docs/simulator.md). */
const SHOWN = [
  'viewers',
  'rho',
  'workload',
  'fault',
  'offload',
  'offloadSteady',
  'bound',
  'httpCopiesPerSegment',
  'rebuffers',
  'twinRebuffers',
  'viewersWorseThanTwin',
  'startupP95Ms',
  'twinStartupP95Ms',
  'duplicateShare',
  'controlShare',
  'firstPeerByteP50Ms',
  'firstPeerByteP95Ms',
  'pollutedBytesPlayed',
  'coarse',
  'cpuSeconds',
] as const

export type SimRow = Readonly<Partial<Record<(typeof SHOWN)[number], unknown>>> & { readonly seeds: number }

export interface SimBenchResult {
  readonly bench: 'sim'
  readonly rows: readonly SimRow[]
}

/**
 * The simulator at several sizes, workloads and faults, each with its own seeds: medians of them.
 *
 * @throws Error where a run fails
 */
export async function run({ quick }: BenchOptions): Promise<SimBenchResult> {
  const rows: SimRow[] = []
  for (const { args, seeds } of quick ? QUICK : FULL) {
    console.error(`sim ${args.join(' ')}, ${seeds} seeds …`)
    rows.push(await runCase(args, seeds))
  }
  return { bench: 'sim', rows }
}

/** Modules are loaded according to the size of a run: each is a process of its own. */
async function runCase(args: readonly string[], seeds: number): Promise<SimRow> {
  const all = [SIM, ...args, '--seed', String(FIRST_SEED), '--seeds', String(seeds), '--json']
  const { stdout } = await promisify(execFile)(process.execPath, all)
  const { seeds: reports, median } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
    readonly seeds: readonly Readonly<Record<string, unknown>>[]
    readonly median: Readonly<Record<string, number>>
  }
  const shown = SHOWN.map((name) => [name, median[name] ?? reports[0]?.[name]])
  return { ...(Object.fromEntries(shown) as SimRow), seeds }
}

function steady(viewers: number): readonly string[] {
  return ['--viewers', String(viewers), '--seconds', '120']
}

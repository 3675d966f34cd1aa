import type { BenchOptions } from './cli.js'
import { measure, median } from './tracker-measure.js'
import { TargetServer } from './tracker-targets.js'

/** Medians of the rounds. */
export interface TrackerSwarmsRow {
  /** Peers of one swarm. */
  readonly swarm: number
  /** In all swarms together. */
  readonly peers: number
  /** CPU time of the tracker, user and system, for an announce with its nine offers, in microseconds. */
  readonly cpuUsPerAnnounce: number
  /** That over the row with the smallest swarms: the median of the rounds' ratios. */
  readonly overSmallest: number
}

export interface TrackerSwarmsResult {
  readonly bench: 'tracker-swarms'
  readonly rounds: number
  /** In each measurement. */
  readonly responses: number
  readonly rows: readonly TrackerSwarmsRow[]
}

const FULL = { rounds: 3, responses: 300_000 }
const QUICK = { rounds: 1, responses: 100_000 }

const SWARMS = [10, 100, 1_000, 10_000, 100_000]

const PEERS = 100_000

/** Of 50 peers each. */
const CONNECTIONS = PEERS / 50

/** As many as a swarm of ten has others: each goes to somebody in all rows. */
const OFFERS = 9

/** Each socket of the load names an address of its own, without limits. */
const ADDRESSES = ['--admission-trusted-proxies', '127.0.0.1', '--admission-exempt', '0.0.0.0/0']

/**
 * Does an announce cost more in a large swarm? Scenario A with as many peers in all rows, in few large swarms or
 * in many small ones; matching with prefix affinity, as without any database.
 */
export async function run({ quick }: BenchOptions): Promise<TrackerSwarmsResult> {
  const { rounds, responses } = quick ? QUICK : FULL
  const samples = SWARMS.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, swarm] of SWARMS.entries()) {
      const sample = await cpuUsPerAnnounce(swarm, responses, round + 1)
      samples[i]?.push(sample)
      console.error(`round ${round + 1}: swarms of ${swarm}: ${sample} us of CPU for an announce`)
    }
  }
  const rows = SWARMS.map((swarm, i) => {
    const own = samples[i] ?? []
    const ratios = own.map((sample, round) => sample / (samples[0]?.[round] ?? Number.NaN))
    return {
      swarm,
      peers: PEERS,
      cpuUsPerAnnounce: median(own),
      overSmallest: Number(median(ratios).toFixed(2)),
    }
  })
  return { bench: 'tracker-swarms', rounds, responses, rows }
}

async function cpuUsPerAnnounce(swarm: number, responses: number, seed: number): Promise<number> {
  const server = await TargetServer.start('shoal-uws', ADDRESSES)
  try {
    const { responsesPerCpuSecond, responsesPerAnnounce } = await measure([server], {
      scenario: 'A',
      echo: false,
      connections: CONNECTIONS,
      responses,
      seed,
      crowd: { peers: PEERS, swarm, offers: OFFERS },
    })
    return Number(((1e6 * responsesPerAnnounce) / responsesPerCpuSecond).toFixed(1))
  } finally {
    await server.stop()
  }
}

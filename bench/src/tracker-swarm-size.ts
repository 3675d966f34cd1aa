import { measure, median } from './tracker-measure.js'
import { TargetServer } from './tracker-targets.js'

/**
 * Scenario A with as many peers in all rows, in few large swarms or in many small ones: what is different is
 * the size of the swarm alone. Medians of the rounds.
 */
export interface SwarmSizeRow {
  /** Peers of one swarm. */
  readonly swarm: number
  /** In all swarms together. */
  readonly peers: number
  /** CPU time of the tracker, user and system, for an announce with its ten offers, in microseconds. */
  readonly cpuUsPerAnnounce: number
  /** That over the row with the smallest swarms: the median of the rounds' ratios. */
  readonly overSmallest: number
}

const SWARM_SIZES = [10, 100, 1_000, 10_000, 100_000]

const PEERS = 100_000

/** Of 50 peers each. */
const CONNECTIONS = PEERS / 50

/** Each socket of the load names an address of its own, without limits. */
const ADDRESSES = ['--admission-trusted-proxies', '127.0.0.1', '--admission-exempt', '0.0.0.0/0']

/** Does an announce cost more in a large swarm? Matching with prefix affinity, as without any database. */
export async function measureSwarmSizes(rounds: number, responses: number): Promise<SwarmSizeRow[]> {
  const samples = SWARM_SIZES.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, swarm] of SWARM_SIZES.entries()) {
      const sample = await cpuUsPerAnnounce(swarm, responses, round + 1)
      samples[i]?.push(sample)
      console.error(`round ${round + 1}: swarms of ${swarm}: ${sample} us of CPU for an announce`)
    }
  }
  return SWARM_SIZES.map((swarm, i) => {
    const own = samples[i] ?? []
    const ratios = own.map((sample, round) => sample / (samples[0]?.[round] ?? Number.NaN))
    return {
      swarm,
      peers: PEERS,
      cpuUsPerAnnounce: median(own),
      overSmallest: Number(median(ratios).toFixed(2)),
    }
  })
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
      crowd: { peers: PEERS, swarm },
    })
    return Number(((1e6 * responsesPerAnnounce) / responsesPerCpuSecond).toFixed(1))
  } finally {
    await server.stop()
  }
}

import type { Millis } from '@shoal/protocol'
import { NO_LOCALITY } from '../../tracker/dist/locality/place.js'
import { Matcher } from '../../tracker/dist/swarm/matching.js'
import { OffersInFlight } from '../../tracker/dist/swarm/offers-in-flight.js'
import type { Peer } from '../../tracker/dist/swarm/peer.js'
import type { BenchOptions } from './cli.js'
import { type AnnounceRow, measureAnnounces, median } from './matching-announce.js'
import { buildGraph, type Choose, type GraphRow } from './matching-graph.js'
import { atRandom } from './matching-random.js'
import { BenchSwarm, type Random, seeded } from './matching-swarm.js'

const GRAPH_SIZES = { full: [1_000, 10_000], quick: [1_000] }
const SEEDS = { full: [41, 42, 43], quick: [41] }
const COST_SIZES = [10, 100, 1_000, 10_000, 100_000]

/** Offers of one announce, as many as the tracker looks at. */
const OFFERS = 10
const CHOICES = 20_000
const ROUNDS = { full: 9, quick: 3 }

export interface CostRow {
  readonly target: 'shoal' | 'random'
  readonly swarm: number
  /** CPU time of one choice of ten receivers, in microseconds: the median of the rounds. */
  readonly microseconds: number
}

export interface MatchingResult {
  readonly bench: 'matching'
  readonly graphs: readonly GraphRow[]
  readonly costs: readonly CostRow[]
  readonly announces: readonly AnnounceRow[]
}

/** The tracker's choice of neighbours against chance: the graph that comes of it, and what it costs. */
export async function run({ quick }: BenchOptions): Promise<MatchingResult> {
  const mode = quick ? 'quick' : 'full'
  const graphs: GraphRow[] = []
  for (const peers of GRAPH_SIZES[mode]) {
    for (const seed of SEEDS[mode]) {
      for (const target of ['shoal', 'random'] as const) {
        const row = buildGraph(target, peers, seed, CHOOSERS[target])
        console.error(JSON.stringify(row))
        graphs.push(row)
      }
    }
  }
  const costs = measureCosts(ROUNDS[mode])
  for (const row of costs) console.error(JSON.stringify(row))
  const announces = measureAnnounces(ROUNDS[mode])
  for (const row of announces) console.error(JSON.stringify(row))
  return { bench: 'matching', graphs, costs, announces }
}

const CHOOSERS: Readonly<Record<'shoal' | 'random', (random: Random) => Choose>> = {
  shoal: (random) => {
    const matcher = new Matcher(NO_LOCALITY, random, new OffersInFlight())
    return (asker, count, now) => matcher.choose(asker, count, now)
  },
  random: (random) => (asker, count) => atRandom(asker, count, random),
}

function measureCosts(rounds: number): CostRow[] {
  const cases = COST_SIZES.flatMap((size) => {
    const swarm = new BenchSwarm(size, seeded(size))
    for (let i = 0; i < size; i++) swarm.join()
    const order = Array.from({ length: CHOICES }, (_, i) => swarm.peers[(i * 7919) % size] as Peer)
    return (['shoal', 'random'] as const).map((target) => ({
      target,
      size,
      order,
      choose: CHOOSERS[target](seeded(size + 1)),
      samples: [] as number[],
      now: swarm.now,
    }))
  })
  for (let round = -1; round < rounds; round++) {
    // In turn, so that what else the machine does hits all alike; the first round warms up.
    for (const { choose, order, samples, now } of cases) {
      const sample = chooseAll(choose, order, now)
      if (round >= 0) samples.push(sample)
    }
  }
  return cases.map(({ target, size, samples }) => ({
    target,
    swarm: size,
    microseconds: Number(median(samples).toFixed(2)),
  }))
}

function chooseAll(choose: Choose, order: readonly Peer[], now: Millis): number {
  const before = process.cpuUsage()
  let chosen = 0
  for (const peer of order) chosen += choose(peer, OFFERS, now).length
  const { user, system } = process.cpuUsage(before)
  if (chosen === 0) throw new Error('nobody was chosen')
  return (user + system) / order.length
}

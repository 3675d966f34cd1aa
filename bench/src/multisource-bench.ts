import { seededRandom } from '@shoal/core/testing'
import { createNodeLinkFactory } from '../../seeder/dist/links/index.js'
import type { BenchOptions } from './cli.js'
import { BarePair } from './multisource-bare.js'
import { EmulatedPath, kernelDrops, PATH_HOST } from './multisource-path.js'
import type { RelayReading } from './multisource-relay.js'
import { FanSwarm, OriginAsked } from './multisource-swarm.js'

/** Medians of the rounds. A megabyte is 10^6 bytes of the segment. */
export interface MultisourceRow {
  readonly target: 'shoal' | 'bare-relu'
  readonly loss: number
  /** Peers that hold the segment. */
  readonly holders: number
  readonly ms: number
  readonly megabytesPerSecond: number
  readonly slowestMs: number
  /** Of which the medians are. */
  readonly fetches: number
  /** Share of the segment's bytes that came in vain; null for the bare channel, where SCTP repeats. */
  readonly repeatedShare: number | null
  /** Holders that delivered something. */
  readonly sources: number
  readonly rttMs: number | null
  /** Fetches that turned to the origin and are not among the medians, over all rounds. */
  readonly inVain: number
}

export interface MultisourceResult {
  readonly bench: 'multisource'
  readonly rounds: number
  /** At the end. */
  readonly connected: number
  readonly segmentBytes: number
  /** Time from 1 peer over that from 6, both with 1 % loss. */
  readonly sixOverOne: number | null
  /** The same over one bare association; null without that row. */
  readonly sixOverBare: number | null
  readonly target: number
  /** What the relay did, and packets that the system threw away beside it. */
  readonly relay: RelayReading
  readonly kernelDrops: number | null
  readonly rows: readonly MultisourceRow[]
}

interface MultisourceOptions {
  readonly rounds: number
  readonly connected: number
  readonly segmentBytes: number
  readonly cells: readonly Cell[]
}

/** One measurement. */
export interface Cell {
  readonly target: 'shoal' | 'bare-relu'
  readonly holders: number
  readonly loss: number
}

interface Sample {
  /** Null where every try turned to the origin. */
  readonly ms: number | null
  readonly inVain: number
  readonly repeatedBytes: number | null
  readonly sources: number
  readonly rttMs: number | null
}

const LOSS = 0.01
const SEGMENT_BYTES = 2_000_000
/** One lossy association is bounded by its congestion control: six are to be this much faster. */
const TARGET = 4
const SEED = 1
/** Fetches of one round that may turn to the origin before the round goes on without this row. */
const MAX_IN_VAIN = 3
/** A peer that was silent is not asked for 5 s: time after the first such fetch, growing by as much with each. */
const REST_MS = 2_000
/** Peers of the rows without loss. */
const CLEAR_PEERS = 6

function isClear({ target, loss }: Cell): boolean {
  return target === 'shoal' && loss === 0
}

function cellsFor(counts: readonly number[]): Cell[] {
  return [
    { target: 'bare-relu', holders: 1, loss: 0 },
    { target: 'bare-relu', holders: 1, loss: LOSS },
    { target: 'shoal', holders: 1, loss: 0 },
    { target: 'shoal', holders: 6, loss: 0 },
    ...counts.map((holders): Cell => ({ target: 'shoal', holders, loss: LOSS })),
  ]
}

const FULL: MultisourceOptions = {
  rounds: 7,
  connected: 50,
  segmentBytes: SEGMENT_BYTES,
  cells: cellsFor([1, 2, 6, 50]),
}
const QUICK: MultisourceOptions = {
  rounds: 3,
  connected: 10,
  segmentBytes: SEGMENT_BYTES,
  cells: cellsFor([1, 6]),
}

/** One segment from one peer and from several, over real data channels and a path with loss. */
export function run({ quick }: BenchOptions): Promise<MultisourceResult> {
  return measure(quick ? QUICK : FULL, (line) => console.error(line))
}

/** Connects everything over a path of its own, and measures all cells in turn within each round. */
async function measure(
  options: MultisourceOptions,
  tell: (line: string) => void,
): Promise<MultisourceResult> {
  const { rounds, connected, segmentBytes, cells } = options
  const path = new EmulatedPath()
  const factory = createNodeLinkFactory({ bindAddress: PATH_HOST })
  const random = seededRandom(SEED)
  const samples = new Map<Cell, Sample[]>(cells.map((cell) => [cell, []]))
  const dropsBefore = kernelDrops()
  const closing: (() => void)[] = []
  try {
    const join = async (peers: number) => {
      const swarm = await FanSwarm.connect(path.links(factory), peers, segmentBytes, SEED)
      closing.push(() => swarm.close())
      return swarm
    }
    const lossy = await join(connected)
    // What a link has learnt of a path without loss must not be carried over to one with it.
    const clear = cells.some(isClear) ? await join(CLEAR_PEERS) : null
    tell(`${lossy.connected.length} peers connected`)
    const pairs = new Map<Cell, BarePair>()
    for (const cell of cells.filter(({ target }) => target === 'bare-relu')) {
      const pair = await BarePair.connect(path)
      closing.push(() => pair.close())
      pairs.set(cell, pair)
    }
    for (let round = 0; round < rounds; round++) {
      for (const cell of cells) {
        const swarm = isClear(cell) && clear !== null ? clear : lossy
        const pair = pairs.get(cell)
        const sample =
          pair === undefined
            ? await fetchFrom(cell, path, swarm, random)
            : await transfer(cell, path, pair, segmentBytes)
        samples.get(cell)?.push(sample)
        const { ms, sources, inVain } = sample
        tell(
          `round ${round + 1}: ${nameOf(cell)}: ${ms?.toFixed(0) ?? 'no'} ms, ${sources} sources, ${inVain} in vain`,
        )
      }
    }
    const { forwarded, lost, overflowed, lateShare } = await path.read()
    const dropsAfter = kernelDrops()
    const rows = [...samples].map(([cell, taken]) => rowOf(cell, taken, segmentBytes))
    return {
      bench: 'multisource',
      rounds,
      connected: lossy.connected.length,
      segmentBytes,
      sixOverOne: ratioOf(rows, 'shoal'),
      sixOverBare: ratioOf(rows, 'bare-relu'),
      target: TARGET,
      relay: { forwarded, lost, overflowed, lateShare: Number(lateShare.toFixed(4)) },
      kernelDrops: dropsBefore === null || dropsAfter === null ? null : dropsAfter - dropsBefore,
      rows,
    }
  } finally {
    for (const close of closing) close()
    await factory.shutdown()
    await path.close()
  }
}

async function transfer(
  { loss }: Cell,
  path: EmulatedPath,
  pair: BarePair,
  segmentBytes: number,
): Promise<Sample> {
  path.setLoss(loss)
  try {
    const ms = await pair.transfer(segmentBytes)
    return { ms, repeatedBytes: null, sources: 1, rttMs: null, inVain: 0 }
  } finally {
    path.setLoss(0)
  }
}

/** One fetch; one that turns to the origin is counted and tried again with other holders. */
async function fetchFrom(
  { holders, loss }: Cell,
  path: EmulatedPath,
  swarm: FanSwarm,
  random: () => number,
): Promise<Sample> {
  for (let inVain = 0; ; inVain++) {
    // What is published is heard of without loss: measured is the way of the bytes.
    const segment = await swarm.publish(draw(swarm.connected, holders, random))
    path.setLoss(loss)
    try {
      return { ...(await swarm.fetch(segment)), inVain }
    } catch (error) {
      if (!(error instanceof OriginAsked)) throw error
    } finally {
      path.setLoss(0)
      swarm.drop(segment)
    }
    if (inVain === MAX_IN_VAIN)
      return { ms: null, repeatedBytes: null, sources: 0, rttMs: null, inVain: inVain + 1 }
    await later((inVain + 1) * REST_MS)
  }
}

/** Others in each round: one association's luck is not the row's. */
function draw<T>(from: readonly T[], count: number, random: () => number): T[] {
  const left = [...from]
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(Math.floor(random() * left.length), 1),
  ).flat()
}

function rowOf(cell: Cell, all: readonly Sample[], segmentBytes: number): MultisourceRow {
  const samples = all.filter((sample) => sample.ms !== null)
  const times = samples.flatMap((sample) => (sample.ms === null ? [] : [sample.ms]))
  if (times.length === 0) throw new Error(`${nameOf(cell)}: nothing was measured`)
  const ms = median(times)
  const repeated = samples.flatMap(({ repeatedBytes }) => (repeatedBytes === null ? [] : [repeatedBytes]))
  const rtts = samples.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs]))
  return {
    ...cell,
    ms: Math.round(ms),
    megabytesPerSecond: Number((segmentBytes / 1000 / ms).toFixed(2)),
    slowestMs: Math.round(Math.max(...times)),
    fetches: times.length,
    repeatedShare: repeated.length === 0 ? null : Number((median(repeated) / segmentBytes).toFixed(4)),
    sources: median(samples.map((sample) => sample.sources)),
    rttMs: rtts.length === 0 ? null : Math.round(median(rtts)),
    inVain: all.reduce((sum, sample) => sum + sample.inVain, 0),
  }
}

/** Time from one source of that kind over that from 6 peers, with loss; null where a row is missing. */
function ratioOf(rows: readonly MultisourceRow[], target: Cell['target']): number | null {
  const find = (kind: Cell['target'], holders: number) =>
    rows.find((row) => row.target === kind && row.loss > 0 && row.holders === holders)
  const one = find(target, 1)
  const six = find('shoal', 6)
  return one === undefined || six === undefined ? null : Number((one.ms / six.ms).toFixed(2))
}

function nameOf({ target, holders, loss }: Cell): string {
  return `${target} from ${holders}, ${loss * 100} % loss`
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

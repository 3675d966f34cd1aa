import { seededRandom } from '../random.js'
import { lognormal } from './draw.js'
import type { SimOptions } from './sim-options.js'

/** One viewer as it was born: everything about it that chance decides before the run. */
export interface Person {
  readonly index: number
  /** When it comes and goes, in milliseconds from the start of the run. */
  readonly arrivesAt: number
  readonly leavesAt: number
  readonly uploadBytesPerSecond: number
  /** False for a leecher. */
  readonly uploads: boolean
  /** Sends corrupt Data. */
  readonly pollutes: boolean
  /** Place in the unit square from which delays follow. */
  readonly x: number
  readonly y: number
}

const LEECHER_SHARE = 0.2
const UPLINK_SIGMA = 1
const SESSION_SIGMA = 1
const POLLUTER_SHARE = 0.05
/** Time in which a flash crowd arrives. */
const FLASH_MS = 60_000
/** Share of the viewers that a tail-off leaves. */
const TAIL_SHARE = 0.1

/** All viewers of a run, in the order of their arrival. */
export function populationOf(options: SimOptions): Person[] {
  const stays = staysOf(options)
  const random = seededRandom(options.seed * 7919 + 3)
  const mixed = options.workload === 'mix'
  const shares = stays.map(() => (mixed ? lognormal(1, UPLINK_SIGMA, random) : 1))
  // The sample's own mean is brought to rho: a few viewers' luck must not decide the run.
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
  const bytesPerSecond = (options.rho * options.bitsPerSecond) / 8
  return stays.map(({ arrivesAt, leavesAt }, index) => ({
    index,
    arrivesAt,
    leavesAt,
    uploadBytesPerSecond: (bytesPerSecond * (shares[index] ?? 1)) / mean,
    uploads: !mixed || random() >= LEECHER_SHARE,
    pollutes: options.fault === 'polluters' && random() < POLLUTER_SHARE,
    x: random(),
    y: random(),
  }))
}

/** Share of all uplinks that may be used, times rho. */
export function usableRho(options: SimOptions, people: readonly Person[]): number {
  const bitrate = options.bitsPerSecond / 8
  let usable = 0
  for (const { uploads, uploadBytesPerSecond } of people) if (uploads) usable += uploadBytesPerSecond
  return usable / (bitrate * people.length)
}

interface Stay {
  readonly arrivesAt: number
  readonly leavesAt: number
}

function staysOf(options: SimOptions): Stay[] {
  const { viewers, workload, segmentSeconds } = options
  const random = seededRandom(options.seed * 104_729 + 1)
  const runMs = options.seconds * 1000
  const forEach = (make: () => Stay): Stay[] =>
    Array.from({ length: viewers }, make).sort((a, b) => a.arrivesAt - b.arrivesAt)
  const forever = Number.POSITIVE_INFINITY
  switch (workload) {
    case 'steady':
      return forEach(() => ({ arrivesAt: random() * segmentSeconds * 1000, leavesAt: forever }))
    case 'flash':
      return forEach(() => ({ arrivesAt: random() * Math.min(FLASH_MS, runMs / 2), leavesAt: forever }))
    case 'vod':
      return forEach(() => ({ arrivesAt: random() * (runMs / 2), leavesAt: forever }))
    case 'tail-off':
      return forEach(() => ({
        arrivesAt: random() * segmentSeconds * 1000,
        leavesAt: random() < TAIL_SHARE ? forever : runMs * (0.4 + 0.5 * random()),
      }))
    case 'mix':
      return churn(options, random)
  }
}

/** As many viewers all the time, on average: those of the start, and Poisson arrivals after them. */
function churn({ viewers, seconds, sessionSeconds }: SimOptions, random: () => number): Stay[] {
  const median = sessionSeconds * 1000 * Math.exp(-(SESSION_SIGMA ** 2) / 2)
  const stays: Stay[] = []
  for (let viewer = 0; viewer < viewers; viewer++) {
    // Whoever is met at some moment is in a long session more likely than in a short one.
    const session = lognormal(median * Math.exp(SESSION_SIGMA ** 2), SESSION_SIGMA, random)
    const arrivesAt = random() * 4_000
    stays.push({ arrivesAt, leavesAt: arrivesAt + session * random() })
  }
  const meanGap = (sessionSeconds * 1000) / viewers
  for (let at = gap(meanGap, random); at < seconds * 1000; at += gap(meanGap, random)) {
    stays.push({ arrivesAt: at, leavesAt: at + lognormal(median, SESSION_SIGMA, random) })
  }
  return stays.sort((a, b) => a.arrivesAt - b.arrivesAt)
}

function gap(mean: number, random: () => number): number {
  return -mean * Math.log(1 - random())
}

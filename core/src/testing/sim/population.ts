import { seededRandom } from '../random.js'
import { drawOf, lognormal } from './draw.js'
import type { Hostility } from './hostile-links.js'
import { homeOf } from './isps.js'
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
  /** What it does to others; null for an honest viewer. */
  readonly hostile: Hostility | null
  /** Its clock is ahead by this, in milliseconds, and passes so many of them in a true one. */
  readonly clockOffsetMs: number
  readonly clockRate: number
  /** Place in the unit square from which delays follow. */
  readonly x: number
  readonly y: number
  /** Its internet provider by rank in size, from 1, and a city of it, from 0; provider 0 where none are told apart. */
  readonly isp: number
  readonly city: number
}

const LEECHER_SHARE = 0.2
const UPLINK_SIGMA = 1
const SESSION_SIGMA = 1
/** Time in which a flash crowd arrives. */
const FLASH_MS = 60_000
/** A goal: in this time, from the middle of the run on, as many viewers come as were there. */
const SPIKE_MS = 10_000
/** Share of arrivals that leave within `BOUNCE_MS`, which the others do not. */
const BOUNCE_SHARE = 0.3
const BOUNCE_MS = 30_000
/** A clock that nobody sets may be this far ahead; a quartz and a daemon that slews it err by this rate. */
const MAX_OFFSET_MS = 3_600_000
const MAX_DRIFT = 500e-6
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
    hostile: hostilityOf(options, index),
    x: random(),
    y: random(),
    ...clockOf(options, index),
    ...homeOf(options, index),
  }))
}

/** Evenly among those who arrive, so that the share is what was asked for. */
function hostilityOf({ fault, hostileShare }: SimOptions, index: number): Hostility | null {
  if (fault !== 'polluters' && fault !== 'inventors' && fault !== 'slanderers') return null
  return Math.floor((index + 1) * hostileShare) > Math.floor(index * hostileShare) ? fault : null
}

function clockOf({ seed, fault }: SimOptions, index: number) {
  if (fault !== 'clock-skew') return { clockOffsetMs: 0, clockRate: 1 }
  return {
    clockOffsetMs: drawOf(seed, 31, index, 1) * MAX_OFFSET_MS,
    clockRate: 1 + (2 * drawOf(seed, 31, index, 2) - 1) * MAX_DRIFT,
  }
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
    case 'low-latency':
      return forEach(() => ({ arrivesAt: random() * segmentSeconds * 1000, leavesAt: forever }))
    case 'flash':
      return forEach(() => ({ arrivesAt: random() * Math.min(FLASH_MS, runMs / 2), leavesAt: forever }))
    case 'goal-spike': {
      let count = 0
      return forEach(() => {
        const atStart = count++ % 2 === 0
        const arrivesAt = atStart ? random() * segmentSeconds * 1000 : runMs / 2 + random() * SPIKE_MS
        return { arrivesAt, leavesAt: forever }
      })
    }
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
  const meanStay = (1 - BOUNCE_SHARE) * sessionSeconds * 1000 + (BOUNCE_SHARE * BOUNCE_MS) / 2
  const meanGap = meanStay / viewers
  for (let at = gap(meanGap, random); at < seconds * 1000; at += gap(meanGap, random)) {
    const bounces = random() < BOUNCE_SHARE
    const stay = bounces ? random() * BOUNCE_MS : lognormal(median, SESSION_SIGMA, random)
    stays.push({ arrivesAt: at, leavesAt: at + stay })
  }
  return stays.sort((a, b) => a.arrivesAt - b.arrivesAt)
}

function gap(mean: number, random: () => number): number {
  return -mean * Math.log(1 - random())
}

import { parseArgs } from 'node:util'
import {
  SIM_DEFAULTS,
  SIM_FAULTS,
  SIM_INTEGRITIES,
  SIM_MATCHINGS,
  SIM_WORKLOADS,
  type SimOptions,
} from '@shoal/core/testing'
import { MAX_COARSE, type SimScale, scaleOf } from './sim-scale.js'

/** The command line is wrong. The message says what. */
export class SimUsageError extends Error {}

/** Runs of one command at most. */
const MAX_SEEDS = 100

/** Providers of one run at most. */
const MAX_ISPS = 1_000

/** Seconds behind the live edge in workload `low-latency`: HOLD-BACK of six parts of half a second. */
const LOW_LATENCY_SECONDS = 3

export const SIM_USAGE = `usage: npm run sim -- [--viewers N] [--rho X] [--seconds S] [--seed K] [--workload NAME] [--latency L]
  [--fault NAME] [--bitrate BITS_PER_SECOND] [--loss SHARE] [--nat SHARE] [--session SECONDS] [--links N]
  [--isps N] [--matching NAME] [--integrity NAME] [--hostile SHARE]
  [--edge-errors SHARE] [--edge-slow SHARE] [--edge-capacity BITS_PER_SECOND] [--coarse K]
  [--memory own|shared] [--seeds COUNT] [--trace FILE] [--json]
workloads: ${SIM_WORKLOADS.join(', ')}
faults: ${SIM_FAULTS.join(', ')}
matchings: ${SIM_MATCHINGS.join(', ')}
levels of integrity: ${SIM_INTEGRITIES.join(', ')}`

export interface SimArguments {
  readonly options: SimOptions
  /** Runs, each with the seed after the one before; null for one, which is reported by itself. */
  readonly seeds: number | null
  /** As it was settled before the product was loaded. */
  readonly scale: SimScale
  /** Nothing on standard output but the line of JSON. */
  readonly json: boolean
  /** Where each viewer's loads are written, as lines of JSON. */
  readonly traceFile: string | null
}

const STRING = { type: 'string' } as const

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        viewers: STRING,
        rho: STRING,
        seconds: STRING,
        seed: STRING,
        workload: STRING,
        latency: STRING,
        fault: STRING,
        bitrate: STRING,
        loss: STRING,
        nat: STRING,
        session: STRING,
        links: STRING,
        isps: STRING,
        matching: STRING,
        integrity: STRING,
        hostile: STRING,
        'edge-errors': STRING,
        'edge-slow': STRING,
        'edge-capacity': STRING,
        coarse: STRING,
        memory: STRING,
        seeds: STRING,
        trace: STRING,
        json: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new SimUsageError(error instanceof Error ? error.message : String(error))
  }
}

/** @throws SimUsageError */
export function readSimArguments(args: readonly string[]): SimArguments {
  const values = parse(args)
  const number = (
    name: Exclude<keyof typeof values, 'json'>,
    fallback: number,
    { low = 0, high = Number.MAX_SAFE_INTEGER, whole = false } = {},
  ): number => {
    const text = values[name]
    if (text === undefined) return fallback
    const value = Number(text)
    const fits = text.trim() !== '' && value >= low && value <= high && (!whole || Number.isInteger(value))
    if (!fits) throw new SimUsageError(`--${name} does not take ${text}`)
    return value
  }
  const count = { low: 1, whole: true }
  const share = { high: 1 }
  const capacity = number('edge-capacity', Number.POSITIVE_INFINITY, { low: 1 })
  const workload = oneOf('workload', values.workload, SIM_WORKLOADS, SIM_DEFAULTS.workload)
  const latency = workload === 'low-latency' ? LOW_LATENCY_SECONDS : SIM_DEFAULTS.latencySeconds
  const options: SimOptions = {
    ...SIM_DEFAULTS,
    viewers: number('viewers', SIM_DEFAULTS.viewers, count),
    rho: number('rho', SIM_DEFAULTS.rho, { low: 0.01 }),
    seconds: number('seconds', SIM_DEFAULTS.seconds, count),
    seed: number('seed', SIM_DEFAULTS.seed, { whole: true }),
    latencySeconds: number('latency', latency, { low: 0.1 }),
    bitsPerSecond: number('bitrate', SIM_DEFAULTS.bitsPerSecond, { low: 1000 }),
    loss: number('loss', SIM_DEFAULTS.loss, share),
    natFailure: number('nat', SIM_DEFAULTS.natFailure, share),
    sessionSeconds: number('session', SIM_DEFAULTS.sessionSeconds, { low: 1 }),
    maxLinks: number('links', SIM_DEFAULTS.maxLinks, count),
    isps: number('isps', SIM_DEFAULTS.isps, { high: MAX_ISPS, whole: true }),
    matching: oneOf('matching', values.matching, SIM_MATCHINGS, SIM_DEFAULTS.matching),
    hostileShare: number('hostile', SIM_DEFAULTS.hostileShare, share),
    integrity: oneOf('integrity', values.integrity, SIM_INTEGRITIES, SIM_DEFAULTS.integrity),
    workload,
    fault: oneOf('fault', values.fault, SIM_FAULTS, SIM_DEFAULTS.fault),
    edge: {
      ...SIM_DEFAULTS.edge,
      errorShare: number('edge-errors', 0, share),
      slowShare: number('edge-slow', 0, share),
      totalBytesPerSecond: capacity / 8,
    },
  }
  number('coarse', 1, { ...count, high: MAX_COARSE })
  oneOf('memory', values.memory, ['own', 'shared'], 'own')
  const seeds = values.seeds === undefined ? null : number('seeds', 1, { ...count, high: MAX_SEEDS })
  return { options, seeds, scale: scaleOf(args), json: values.json, traceFile: values.trace ?? null }
}

function oneOf<T extends string>(name: string, text: string | undefined, all: readonly T[], fallback: T): T {
  if (text === undefined) return fallback
  const found = all.find((one) => one === text)
  if (found === undefined) throw new SimUsageError(`no ${name} is called ${text}`)
  return found
}

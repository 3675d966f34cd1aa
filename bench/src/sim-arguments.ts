import { parseArgs } from 'node:util'
import { SIM_DEFAULTS, SIM_FAULTS, SIM_WORKLOADS, type SimOptions } from '@shoal/core/testing'

/** The command line is wrong. The message says what. */
export class SimUsageError extends Error {}

/** Chunks of 18 kB: a few in the smallest piece but one, and in the send buffer. */
const MAX_COARSE = 16

export const SIM_USAGE = `usage: npm run sim -- [--viewers N] [--rho X] [--seconds S] [--seed K] [--workload NAME] [--latency L]
  [--fault NAME] [--bitrate BITS_PER_SECOND] [--loss SHARE] [--nat SHARE] [--session SECONDS] [--links N]
  [--edge-errors SHARE] [--edge-slow SHARE] [--edge-capacity BITS_PER_SECOND] [--coarse K]
  [--trace FILE] [--json]
workloads: ${SIM_WORKLOADS.join(', ')}
faults: ${SIM_FAULTS.join(', ')}`

export interface SimArguments {
  readonly options: SimOptions
  /** Factor by which chunks are larger than on the wire; see `coarsenChunks`. */
  readonly coarse: number
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
        'edge-errors': STRING,
        'edge-slow': STRING,
        'edge-capacity': STRING,
        coarse: STRING,
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
  const options: SimOptions = {
    ...SIM_DEFAULTS,
    viewers: number('viewers', SIM_DEFAULTS.viewers, count),
    rho: number('rho', SIM_DEFAULTS.rho, { low: 0.01 }),
    seconds: number('seconds', SIM_DEFAULTS.seconds, count),
    seed: number('seed', SIM_DEFAULTS.seed, { whole: true }),
    latencySeconds: number('latency', SIM_DEFAULTS.latencySeconds, { low: 0.1 }),
    bitsPerSecond: number('bitrate', SIM_DEFAULTS.bitsPerSecond, { low: 1000 }),
    loss: number('loss', SIM_DEFAULTS.loss, share),
    natFailure: number('nat', SIM_DEFAULTS.natFailure, share),
    sessionSeconds: number('session', SIM_DEFAULTS.sessionSeconds, { low: 1 }),
    maxLinks: number('links', SIM_DEFAULTS.maxLinks, count),
    workload: oneOf('workload', values.workload, SIM_WORKLOADS, SIM_DEFAULTS.workload),
    fault: oneOf('fault', values.fault, SIM_FAULTS, SIM_DEFAULTS.fault),
    edge: {
      ...SIM_DEFAULTS.edge,
      errorShare: number('edge-errors', 0, share),
      slowShare: number('edge-slow', 0, share),
      totalBytesPerSecond: capacity / 8,
    },
  }
  const coarse = number('coarse', 1, { ...count, high: MAX_COARSE })
  return { options, coarse, json: values.json, traceFile: values.trace ?? null }
}

function oneOf<T extends string>(name: string, text: string | undefined, all: readonly T[], fallback: T): T {
  if (text === undefined) return fallback
  const found = all.find((one) => one === text)
  if (found === undefined) throw new SimUsageError(`no ${name} is called ${text}`)
  return found
}

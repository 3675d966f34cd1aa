import { SwarmUsageError, type SwarmValues } from './swarm-options.js'
import { ROWS, type Row } from './swarm-rows.js'
import { SCENARIOS, type Scenario } from './swarm-scenarios.js'

export interface SwarmSettings {
  readonly scenario: Scenario
  readonly viewers: number
  /** That the last viewer plays; the first plays as much longer as it came earlier. */
  readonly seconds: number
  readonly seed: number
  readonly rows: readonly Row[]
  /** The origin's uplink over the bitrate. */
  readonly originX: number
  /** A file for one line of JSON for each request of a segment. */
  readonly trace: string | null
  /** A folder for a picture of each page at the end. */
  readonly screenshots: string | null
}

const FULL = { viewers: 10, seconds: 90 }
const QUICK = { viewers: 4, seconds: 30 }

/** @throws SwarmUsageError */
export function readSwarmSettings(values: SwarmValues, quick: boolean): SwarmSettings {
  const defaults = quick ? QUICK : FULL
  const number = (name: keyof SwarmValues, fallback: number, low: number, high: number, whole = true) => {
    const text = values[name]
    if (text === undefined) return fallback
    const value = Number(text)
    if (text.trim() !== '' && value >= low && value <= high && (!whole || Number.isInteger(value))) {
      return value
    }
    throw new SwarmUsageError(`--${name} does not take ${text}`)
  }
  const rows = values.rows?.split(',').map((name) => named('row', name, ROWS)) ?? ROWS
  return {
    scenario: named('scenario', values.scenario ?? 'live', SCENARIOS),
    viewers: number('viewers', defaults.viewers, 1, 100),
    seconds: number('seconds', defaults.seconds, 10, 3600),
    seed: number('seed', 1, 0, 2 ** 32 - 1),
    rows,
    originX: number('origin-x', 3, 0.1, 1000, false),
    trace: values.trace ?? null,
    screenshots: values.screenshots ?? null,
  }
}

function named<T extends { readonly name: string }>(what: string, name: string, all: readonly T[]): T {
  const found = all.find((one) => one.name === name)
  if (found === undefined) throw new SwarmUsageError(`no ${what} is called ${name}`)
  return found
}

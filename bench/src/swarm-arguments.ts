import { SwarmUsageError, type SwarmValues } from './swarm-options.js'
import { ROWS, type Row } from './swarm-rows.js'
import { SCENARIOS, type Scenario } from './swarm-scenarios.js'

export interface SwarmSettings {
  readonly scenarios: readonly Scenario[]
  /** Numbers of viewers, each of which runs. */
  readonly viewers: readonly number[]
  readonly seeds: readonly number[]
  /** That the last viewer plays; the first plays as much longer as it came earlier. */
  readonly seconds: number
  readonly rows: readonly Row[]
  /** The origin's uplink over the bitrate, in place of the scenario's; null: as the scenario has it. */
  readonly originX: number | null
  /** A folder for a file of each cell; what is there already is not run again. */
  readonly results: string | null
  /** A file for one line of JSON for each request of a segment. */
  readonly trace: string | null
  /** A folder for a picture of each page at the end. */
  readonly screenshots: string | null
}

const FULL = { viewers: '10', seconds: 90 }
const QUICK = { viewers: '4', seconds: 30 }
const MAX_SEED = 2 ** 32 - 1

/** @throws SwarmUsageError */
export function readSwarmSettings(values: SwarmValues, quick: boolean): SwarmSettings {
  const defaults = quick ? QUICK : FULL
  const rows =
    values.rows === undefined
      ? ROWS.filter(({ usual }) => usual)
      : values.rows === 'all'
        ? ROWS
        : values.rows.split(',').map((name) => named('rows', name, ROWS))
  const scenarios = (values.scenarios ?? 'steady').split(',')
  return {
    scenarios: scenarios.map((name) => named('scenarios', name, SCENARIOS)),
    viewers: numbers('viewers', values.viewers ?? defaults.viewers, 1, 100),
    seeds: numbers('seed', values.seed ?? '1', 0, MAX_SEED),
    seconds: number('seconds', values.seconds ?? String(defaults.seconds), 10, 3600),
    rows,
    originX:
      values['origin-x'] === undefined ? null : number('origin-x', values['origin-x'], 0.1, 1000, false),
    results: values.results ?? null,
    trace: values.trace ?? null,
    screenshots: values.screenshots ?? null,
  }
}

function numbers(option: keyof SwarmValues, text: string, low: number, high: number): readonly number[] {
  return text.split(',').map((one) => number(option, one, low, high))
}

function number(option: keyof SwarmValues, text: string, low: number, high: number, whole = true): number {
  const value = Number(text)
  const fits = text.trim() !== '' && value >= low && value <= high && (!whole || Number.isInteger(value))
  if (!fits) throw new SwarmUsageError(`--${option} does not take ${text}`)
  return value
}

function named<T extends { readonly name: string }>(option: string, name: string, all: readonly T[]): T {
  const found = all.find((one) => one.name === name)
  if (found !== undefined) return found
  throw new SwarmUsageError(`--${option} does not take ${name}: ${all.map((one) => one.name).join(', ')}`)
}

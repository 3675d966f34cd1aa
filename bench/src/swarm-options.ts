const STRING = { type: 'string' } as const

/** The swarm benchmark's own options, for `parseArgs`. */
export const SWARM_OPTIONS = {
  viewers: STRING,
  seconds: STRING,
  seed: STRING,
  rows: STRING,
  scenarios: STRING,
  'origin-x': STRING,
  results: STRING,
  trace: STRING,
  screenshots: STRING,
}

/** As text, as far as they were given. */
export type SwarmValues = Readonly<Partial<Record<keyof typeof SWARM_OPTIONS, string | undefined>>>

/** An option has a value that the benchmark does not take. The message says which. */
export class SwarmUsageError extends Error {}

export const SWARM_USAGE = `swarm: [--scenarios A,B] [--rows A,B|all] [--viewers N,M] [--seed K,L] [--seconds S]
  [--origin-x F] [--results FOLDER] [--trace FILE] [--screenshots FOLDER]`

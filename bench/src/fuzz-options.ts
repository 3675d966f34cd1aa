/** The fuzz campaign's own option, for `parseArgs`; it shares `--seed` with the swarm benchmark. */
export const FUZZ_OPTIONS = { messages: { type: 'string' } } as const

export const FUZZ_USAGE = 'tracker-fuzz: [--messages N] [--seed K]'

export interface FuzzValues {
  /** Hostile messages to each engine. */
  readonly messages?: number
  readonly seed?: number
}

/** @returns what is wrong, as text, when something is */
export function readFuzzValues(texts: {
  readonly messages?: string | undefined
  readonly seed?: string | undefined
}): FuzzValues | string {
  for (const [name, text] of Object.entries(texts)) {
    if (text !== undefined && !/^\d{1,9}$/.test(text)) return `--${name}: ${text} is not a whole number`
  }
  const { messages, seed } = texts
  return {
    ...(messages === undefined ? {} : { messages: Number(messages) }),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  }
}

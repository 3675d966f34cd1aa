/** The seeder benchmark's own options, for `parseArgs`; it shares `--viewers` with the swarm benchmark. */
export const SEEDER_OPTIONS = { minutes: { type: 'string' }, load: { type: 'string' } } as const

export const SEEDER_USAGE = 'seeder: [--viewers N,M] [--load flat-out|stream] | --minutes M'

export interface SeederValues {
  /** How long the memory is watched; null: something else is measured. */
  readonly minutes: number | null
  /** Null: the bench's own counts. */
  readonly viewers: readonly number[] | null
  /** The only load to measure; null for both. */
  readonly load: 'flat-out' | 'stream' | null
}

/** Viewers of a seeder at most: each is two channels over real DTLS, on this machine. */
const MAX_VIEWERS = 1_000

/** @returns what is wrong, as text, when something is */
export function readSeederValues(texts: {
  readonly minutes?: string | undefined
  readonly viewers?: string | undefined
  readonly load?: string | undefined
}): SeederValues | string {
  const { load = null } = texts
  const minutes = texts.minutes === undefined ? null : Number(texts.minutes)
  const viewers = texts.viewers?.split(',').map(Number) ?? null
  if (minutes !== null && !(minutes > 0 && minutes <= 600))
    return `--minutes ${texts.minutes} is not 0 to 600`
  if (minutes !== null && (viewers !== null || load !== null))
    return '--minutes goes with neither --viewers nor --load'
  if (viewers?.some((count) => !(Number.isInteger(count) && count >= 1 && count <= MAX_VIEWERS)))
    return `--viewers ${texts.viewers} is not 1 to ${MAX_VIEWERS}, comma-separated`
  if (load !== null && load !== 'flat-out' && load !== 'stream')
    return `--load ${load} is neither flat-out nor stream`
  return { minutes, viewers, load }
}

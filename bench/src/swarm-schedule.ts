import { seededRandom } from '@shoal/core/testing'

/** Viewers come this far apart, in ms, each earlier or later by up to a quarter of it. */
const APART_MS = 1000
const JITTER = 0.25

/** Arrivals of a run, the same for each of its rows. */
export interface Schedule {
  /** Where in a segment's publication interval the first viewer comes, 0 to 1. */
  readonly phase: number
  /** Milliseconds after the first, ascending. */
  readonly offsetsMs: readonly number[]
}

export function makeSchedule(viewers: number, seed: number): Schedule {
  const random = seededRandom(seed)
  const phase = random()
  const offsetsMs = Array.from({ length: viewers }, (_, index) =>
    index === 0 ? 0 : (index + (random() * 2 - 1) * JITTER) * APART_MS,
  )
  return { phase, offsetsMs }
}

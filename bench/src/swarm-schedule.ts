import { seededRandom } from '@shoal/core/testing'
import type { Scenario } from './swarm-scenarios.js'

/** Viewers come this far apart, in ms, each earlier or later by up to a quarter of it. */
const APART_MS = 1000
const JITTER = 0.25
/** All viewers of a flash crowd come within so many ms. */
const FLASH_MS = 5000
/** From a viewer's death to the arrival of who takes its place, in ms. */
const REPLACED_AFTER_MS = 3000
/** A viewer that comes or dies this shortly before the end, in ms, shows nothing. */
const LAST_MS = 10_000

interface Visit {
  /** Milliseconds after the first viewer. */
  readonly comesMs: number
  /** Killed then; null: stays to the end. */
  readonly diesMs: number | null
}

/** Arrivals of a run, the same for each of its rows. */
export interface Schedule {
  /** Where in a segment's publication interval the first viewer comes, 0 to 1. */
  readonly phase: number
  /** In order of arrival; the polluter, where there is one, first. */
  readonly visits: readonly Visit[]
  readonly endsMs: number
}

export function makeSchedule(
  scenario: Pick<Scenario, 'arrivals' | 'killEverySeconds' | 'polluter'>,
  viewers: number,
  seconds: number,
  seed: number,
): Schedule {
  const random = seededRandom(seed)
  const phase = random()
  const count = viewers + (scenario.polluter ? 1 : 0)
  const comes =
    scenario.arrivals === 'flash'
      ? [0, ...Array.from({ length: count - 1 }, () => random() * FLASH_MS)].sort((a, b) => a - b)
      : Array.from({ length: count }, (_, index) =>
          index === 0 ? 0 : (index + (random() * 2 - 1) * JITTER) * APART_MS,
        )
  const endsMs = (comes.at(-1) ?? 0) + seconds * 1000
  const visits: { comesMs: number; diesMs: number | null }[] = comes.map((comesMs) => ({
    comesMs,
    diesMs: null,
  }))
  const every = scenario.killEverySeconds
  if (every !== null) {
    for (let at = (comes.at(-1) ?? 0) + every * 1000; at <= endsMs - LAST_MS; at += every * 1000) {
      const alive = visits.filter(({ comesMs, diesMs }) => diesMs === null && comesMs < at)
      const victim = alive[Math.floor(random() * alive.length)]
      if (victim !== undefined) victim.diesMs = at
      visits.push({ comesMs: at + REPLACED_AFTER_MS, diesMs: null })
    }
  }
  return { phase, visits, endsMs }
}

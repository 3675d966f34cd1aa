// biome-ignore lint/correctness/noUndeclaredDependencies: the repository's own test runner
import { describe, expect, it } from 'vitest'
import { makeSchedule } from './swarm-schedule.js'

const STEADY = { arrivals: 'spread', killEverySeconds: null, polluter: false } as const

describe('makeSchedule', () => {
  it('draws the same arrivals from the same seed, a second apart or all within five', () => {
    const spread = makeSchedule(STEADY, 5, 60, 7)
    expect(makeSchedule(STEADY, 5, 60, 7)).toEqual(spread)
    expect(makeSchedule(STEADY, 5, 60, 8)).not.toEqual(spread)
    for (const [index, { comesMs }] of spread.visits.entries()) {
      expect(Math.abs(comesMs - index * 1000)).toBeLessThanOrEqual(250)
    }
    const flash = makeSchedule({ ...STEADY, arrivals: 'flash' }, 10, 60, 7)
    expect(flash.visits.length).toBe(10)
    expect(flash.visits.every(({ comesMs }) => comesMs <= 5000)).toBe(true)
  })

  it('kills somebody who is there every ten seconds, and lets another one come', () => {
    const { visits, endsMs } = makeSchedule({ ...STEADY, killEverySeconds: 10 }, 3, 60, 1)
    const deaths = visits.flatMap(({ diesMs }) => diesMs ?? [])
    expect(deaths.length).toBe(5)
    expect(visits.length).toBe(3 + deaths.length)
    for (const { comesMs, diesMs } of visits) expect(diesMs ?? endsMs).toBeGreaterThan(comesMs)
    expect(Math.max(...deaths)).toBeLessThanOrEqual(endsMs - 10_000)
  })
})

import { describe, expect, it } from 'vitest'
import { populationOf } from './population.js'
import { SIM_DEFAULTS } from './sim-options.js'

describe('the population of a run', () => {
  it('doubles within ten seconds in the middle of a goal spike', () => {
    const people = populationOf({ ...SIM_DEFAULTS, workload: 'goal-spike', viewers: 200, seconds: 120 })
    const arrivals = people.map(({ arrivesAt }) => arrivesAt)
    expect(arrivals.filter((at) => at < 4_000)).toHaveLength(100)
    expect(arrivals.filter((at) => at >= 60_000 && at < 70_000)).toHaveLength(100)
  })

  it('keeps its size on average while three in ten arrivals leave within half a minute', () => {
    const options = {
      ...SIM_DEFAULTS,
      workload: 'mix',
      viewers: 400,
      seconds: 1200,
      sessionSeconds: 300,
    } as const
    const people = populationOf(options)
    const arrivals = people.filter(({ arrivesAt }) => arrivesAt > 4_000)
    const short = arrivals.filter(({ arrivesAt, leavesAt }) => leavesAt - arrivesAt < 30_000)
    // Beside those that bounce there are sessions that are short by themselves: 3 % of a lognormal.
    expect(short.length / arrivals.length).toBeGreaterThan(0.27)
    expect(short.length / arrivals.length).toBeLessThan(0.38)
    const presentAt = (at: number) => people.filter((one) => one.arrivesAt <= at && one.leavesAt > at).length
    for (const at of [300_000, 700_000, 1_100_000]) {
      expect(presentAt(at)).toBeGreaterThan(300)
      expect(presentAt(at)).toBeLessThan(500)
    }
  })

  it('has clocks that are wrong only in the fault of that name', () => {
    const skewed = populationOf({ ...SIM_DEFAULTS, fault: 'clock-skew' })
    expect(new Set(skewed.map(({ clockOffsetMs }) => clockOffsetMs)).size).toBe(skewed.length)
    expect(skewed.every(({ clockRate }) => Math.abs(clockRate - 1) <= 500e-6)).toBe(true)
    expect(populationOf(SIM_DEFAULTS).every(({ clockOffsetMs }) => clockOffsetMs === 0)).toBe(true)
  })
})

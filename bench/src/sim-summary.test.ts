// biome-ignore lint/correctness/noUndeclaredDependencies: the repository's own test runner
import { describe, expect, it } from 'vitest'
import { scaleOf } from './sim-scale.js'
import { summaryOf } from './sim-summary.js'

describe('the summary of runs', () => {
  it('has the median and the ends of what is a number in every run', () => {
    const reports = [
      { seed: 1, offload: 0.9, copies: 3, first: 5, workload: 'steady', messages: { have: 1 } },
      { seed: 2, offload: 0.7, copies: 10, first: null, workload: 'steady', messages: { have: 2 } },
      { seed: 3, offload: 0.8, copies: 2, first: 6, workload: 'steady', messages: { have: 3 } },
    ]
    const { seeds, median, min, max } = summaryOf(reports)
    expect(seeds).toEqual(reports)
    expect(median).toEqual({ offload: 0.8, copies: 3 })
    expect(min).toEqual({ offload: 0.7, copies: 2 })
    expect(max).toEqual({ offload: 0.9, copies: 10 })
    expect(summaryOf(reports.slice(0, 2)).median.copies).toBe(6.5)
  })
})

describe('the scale of a run', () => {
  it('follows the number of viewers, unless it is said', () => {
    expect(scaleOf(['--viewers', '10'])).toEqual({ coarse: 1, sharedMemory: false })
    expect(scaleOf(['--viewers=1000']).sharedMemory).toBe(true)
    expect(scaleOf(['--viewers', '1000', '--coarse', '2', '--memory', 'own'])).toEqual({
      coarse: 2,
      sharedMemory: false,
    })
    expect(scaleOf(['--viewers', '10', '--coarse', 'many']).coarse).toBe(1)
  })
})

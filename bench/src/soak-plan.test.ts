// biome-ignore lint/correctness/noUndeclaredDependencies: the repository's own test runner
import { describe, expect, it } from 'vitest'
import { memoryTrend } from './soak-memory.js'
import { FAULT_KINDS, makePlan } from './soak-plan.js'

describe('makePlan', () => {
  it('draws the same from the same seed, with one viewer who stays', () => {
    const plan = makePlan(10, 4, 3)
    expect(makePlan(10, 4, 3)).toEqual(plan)
    expect(makePlan(10, 4, 4)).not.toEqual(plan)
    expect(plan.visits[0]).toEqual({ comesMs: 0, leavesMs: 600_000, by: 'closing' })
    expect(plan.visits.some(({ by }) => by === 'kill')).toBe(true)
    for (const { comesMs, leavesMs } of plan.visits) expect(leavesMs).toBeGreaterThan(comesMs)
    expect(Math.max(...plan.visits.map(({ leavesMs }) => leavesMs))).toBe(600_000)
  })

  it('lets faults strike one after the other, every kind in the end', () => {
    const { faults, endsMs } = makePlan(60, 2, 1)
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS))
    for (const [index, { fromMs, toMs }] of faults.entries()) {
      expect(toMs).toBeGreaterThan(fromMs)
      expect(fromMs).toBeGreaterThan(faults[index - 1]?.toMs ?? 0)
      expect(toMs).toBeLessThan(endsMs)
    }
  })
})

describe('memoryTrend', () => {
  const life = (pid: number, values: readonly number[]) => values.map((mib) => ({ pid, mib }))

  it('tells growth from a plateau, in the process that lived longest', () => {
    const plateau = Array.from({ length: 40 }, (_, index) => Math.min(100, 60 + 4 * index) + (index % 3))
    const leak = Array.from({ length: 40 }, (_, index) => 60 + 2 * index)
    expect(memoryTrend([...life(1, [900, 900]), ...life(2, plateau)])).toMatchObject({
      samples: 40,
      flat: true,
    })
    expect(memoryTrend(life(3, leak))).toMatchObject({ flat: false })
    expect(memoryTrend(life(4, [1, 2, 3]))).toBeNull()
  })
})

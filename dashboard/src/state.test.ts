import type { FeedFrame, SwarmTotals } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { sampleAt, statsFrame } from './frames.testing.js'
import { beginningOf, NO_STATE, type SwarmState, uploadRate, withFrame } from './state.js'

function frameWith(at: number, totals: Partial<SwarmTotals>): FeedFrame {
  const empty = statsFrame({})
  return statsFrame({ totals: { ...empty.stats.totals, ...totals } }, { at })
}

function stateAfter(...frames: readonly FeedFrame[]): SwarmState {
  return frames.reduce(withFrame, NO_STATE)
}

describe('withFrame', () => {
  it('continues history with each second', () => {
    const state = stateAfter(
      { type: 'history', samples: [sampleAt(1000), sampleAt(2000)] },
      frameWith(3000, {}),
    )
    expect(state.samples.map(({ at }) => at)).toEqual([1000, 2000, 3000])
  })

  it('lets a new history replace the old one, as after a reconnection', () => {
    const state = stateAfter(frameWith(1000, {}), { type: 'history', samples: [sampleAt(50_000)] })
    expect(state.samples.map(({ at }) => at)).toEqual([50_000])
    expect(state.stats).not.toBeNull()
  })

  it('counts the stalls since the page was opened', () => {
    expect(stateAfter(frameWith(1000, { stalls: 40 })).newStalls).toBe(0)
    expect(stateAfter(frameWith(1000, { stalls: 40 }), frameWith(2000, { stalls: 43 })).newStalls).toBe(3)
  })

  it('counts on when the tracker starts again from zero', () => {
    const state = stateAfter(
      frameWith(1000, { stalls: 40 }),
      frameWith(2000, { stalls: 42 }),
      frameWith(3000, { stalls: 1 }),
    )
    expect(state.newStalls).toBe(3)
  })
})

describe('uploadRate', () => {
  const steady = Array.from({ length: 30 }, (_, index) =>
    frameWith(index * 1000, { uploadedBytes: index * 500 }),
  )

  it('is the rise over the last seconds', () => {
    expect(uploadRate(stateAfter(...steady))).toBe(500)
    expect(uploadRate(stateAfter(...steady, frameWith(30_000, { uploadedBytes: 30 * 500 + 10_000 })))).toBe(
      1500,
    )
  })

  it('waits for enough time', () => {
    expect(uploadRate(NO_STATE)).toBeNull()
    expect(uploadRate(stateAfter(...steady.slice(0, 4)))).toBeNull()
    expect(uploadRate(stateAfter(...steady.slice(0, 5)))).toBe(500)
  })

  it('begins anew when the tracker does', () => {
    expect(uploadRate(stateAfter(...steady, frameWith(30_000, { uploadedBytes: 0 })))).toBeNull()
  })
})

describe('beginningOf', () => {
  const { totals } = statsFrame({}).stats

  it('helps until the first bytes, not in a quiet night', () => {
    expect(beginningOf(statsFrame({}).stats)).toBe('unused')
    expect(beginningOf(statsFrame({ seeders: 1 }).stats)).toBe('seeded')
    expect(beginningOf(statsFrame({ viewers: 1 }).stats)).toBeNull()
    expect(beginningOf(statsFrame({ others: 1 }).stats)).toBeNull()
    expect(beginningOf(statsFrame({ totals: { ...totals, httpBytes: 9 } }).stats)).toBeNull()
  })
})

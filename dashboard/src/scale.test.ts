import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countTop, rateTop, roundTop } from './scale.js'

describe('roundTop', () => {
  it.each([
    [0, 1],
    [-1, 1],
    [Number.NaN, 1],
    [1, 1],
    [1.01, 1.2],
    [730, 800],
    [9.1e9, 1e10],
  ])('puts %d under %d', (value, top) => {
    expect(roundTop(value)).toBeCloseTo(top, 6)
  })

  it('is never below the value and never wastes half the height', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e15, noNaN: true }), (value) => {
        const top = roundTop(value)
        expect(top).toBeGreaterThanOrEqual(value * (1 - 1e-9))
        expect(top).toBeLessThanOrEqual(value * 1.5)
      }),
    )
  })
})

describe('axes', () => {
  it('have a smallest top', () => {
    expect(rateTop(0)).toBe(1_000_000)
    expect(rateTop(12)).toBe(1_000_000)
    expect(countTop(0)).toBe(4)
    expect(countTop(1)).toBe(4)
  })

  it('leave room above the curve', () => {
    expect(rateTop(1e9)).toBe(1.2e9)
    expect(countTop(2900)).toBe(4000)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IntervalSet } from './interval-set.js'

/** Values that are looked at; runs reach a little beyond. */
const SPACE = 40

const command = fc.record({
  add: fc.boolean(),
  start: fc.integer({ min: 0, max: SPACE }),
  length: fc.integer({ min: 1, max: 10 }),
})

function runsOf(set: IntervalSet): (readonly [number, number])[] {
  return [...set]
}

describe('IntervalSet', () => {
  it('is a set of integers, kept as runs that neither touch nor overlap', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const set = new IntervalSet(1_000)
        const model = new Set<number>()
        for (const { add, start, length } of commands) {
          if (add) set.add(start, start + length)
          else set.remove(start, start + length)
          for (let value = start; value < start + length; value++) {
            if (add) model.add(value)
            else model.delete(value)
          }
        }
        for (let value = -1; value < SPACE + 12; value++) expect(set.has(value)).toBe(model.has(value))
        let after = -1
        for (const [start, end] of set) {
          expect(start).toBeGreaterThan(after)
          expect(end).toBeGreaterThan(start)
          after = end
        }
      }),
    )
  })

  it('never keeps more runs than its limit, and never claims what was not added', () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 100 }),
        fc.integer({ min: 1, max: 5 }),
        (commands, limit) => {
          const set = new IntervalSet(limit)
          const model = new Set<number>()
          for (const { add, start, length } of commands) {
            if (add) set.add(start, start + length)
            else set.remove(start, start + length)
            for (let value = start; value < start + length; value++) {
              if (add) model.add(value)
              else model.delete(value)
            }
            expect(runsOf(set).length).toBeLessThanOrEqual(limit)
          }
          for (let value = 0; value < SPACE + 12; value++) {
            if (set.has(value)) expect(model.has(value)).toBe(true)
          }
        },
      ),
    )
  })

  it('costs the same for a run of any length, up to 48 bits', () => {
    const set = new IntervalSet(2)
    set.add(0, 2 ** 48)
    expect(runsOf(set)).toEqual([[0, 2 ** 48]])
    expect(set.has(2 ** 48 - 1)).toBe(true)
    expect(set.has(2 ** 48)).toBe(false)
  })

  it('merges runs that touch, also when it is full', () => {
    const set = new IntervalSet(2)
    set.add(0, 10)
    set.add(20, 30)
    set.add(40, 50)
    expect(set.has(45)).toBe(false)
    set.add(10, 20)
    expect(runsOf(set)).toEqual([[0, 30]])
    set.clear()
    expect(runsOf(set)).toEqual([])
  })
})

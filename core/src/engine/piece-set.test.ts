import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PieceSet } from './piece-set.js'

const piece = fc.integer({ min: 0, max: 63 })

function membersOf(set: PieceSet): number[] {
  return Array.from({ length: 64 }, (_, index) => index).filter((index) => set.has(index))
}

function setOf(pieces: readonly number[]): PieceSet {
  const set = new PieceSet()
  for (const one of pieces) set.add(one)
  return set
}

describe('PieceSet', () => {
  it('is a set of the integers 0 to 63', () => {
    const command = fc.record({ add: fc.boolean(), piece })
    fc.assert(
      fc.property(fc.array(command, { maxLength: 100 }), (commands) => {
        const set = new PieceSet()
        const model = new Set<number>()
        for (const { add, piece } of commands) {
          if (add) {
            set.add(piece)
            model.add(piece)
          } else {
            set.delete(piece)
            model.delete(piece)
          }
        }
        expect(set.size).toBe(model.size)
        expect(membersOf(set)).toEqual([...model].sort((a, b) => a - b))
        expect(membersOf(new PieceSet(set.bits))).toEqual(membersOf(set))
      }),
    )
  })

  it('carries piece 0 in the lowest bit, as unsigned words', () => {
    const set = new PieceSet()
    for (const index of [0, 31, 32, 63]) set.add(index)
    expect(set.bits).toEqual({ low: 0x80000001, high: 0x80000001 })
  })

  it('makes the set of the first pieces', () => {
    for (const count of [0, 1, 31, 32, 33, 64]) expect(PieceSet.first(count).size).toBe(count)
    expect(PieceSet.first(33).bits).toEqual({ low: 0xffffffff, high: 1 })
  })

  it('is united and diminished as sets are', () => {
    const pieces = fc.uniqueArray(piece)
    fc.assert(
      fc.property(pieces, pieces, (some, others) => {
        const other = setOf(others)
        const both = setOf(some)
        both.addAll(other)
        expect(both.toArray()).toEqual([...new Set([...some, ...others])].sort((a, b) => a - b))
        const rest = setOf(some)
        expect(rest.intersects(other.bits)).toBe(some.some((one) => others.includes(one)))
        rest.removeAll(other)
        expect(rest.toArray()).toEqual(membersOf(rest))
        expect(rest.toArray()).toEqual(some.filter((one) => !others.includes(one)).sort((a, b) => a - b))
        expect(rest.isEmpty).toBe(some.every((one) => others.includes(one)))
      }),
    )
  })

  it('refuses what the wire cannot carry', () => {
    const set = new PieceSet()
    expect(() => set.add(64)).toThrow(RangeError)
    expect(() => set.add(-1)).toThrow(RangeError)
    expect(set.size).toBe(0)
  })
})

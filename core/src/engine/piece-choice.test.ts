import { MIN_PIECE_BYTES, millis } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptySegment, readyPeer, testBytes } from '../testing/engine-fixtures.js'
import { type Offer, onlyHeldOnce, rarestFirst } from './piece-choice.js'
import { PieceSet } from './piece-set.js'

function setOf(pieces: readonly number[]): PieceSet {
  const set = new PieceSet()
  for (const piece of pieces) set.add(piece)
  return set
}

function offer(link: number, pieces: readonly number[], bytesPerSecond = 1_000_000): Offer {
  const peer = readyPeer(link)
  peer.rate.sample(bytesPerSecond, millis(1_000))
  return { peer, held: setOf(pieces) }
}

describe('onlyHeldOnce', () => {
  it('is what one peer alone holds of what is open', () => {
    const offers = [offer(1, [0, 1, 2, 40]), offer(2, [1, 3]), offer(3, [1, 3, 5])]
    expect(onlyHeldOnce(setOf([1, 2, 3, 5, 40, 63]), offers).toArray()).toEqual([2, 5, 40])
    expect(onlyHeldOnce(setOf([1]), []).toArray()).toEqual([])
  })

  it('agrees with counting', () => {
    const pieces = fc.uniqueArray(fc.nat(63))
    fc.assert(
      fc.property(pieces, fc.array(pieces, { maxLength: 6 }), (open, held) => {
        const offers = held.map((list, link) => offer(link, list))
        const counted = open.filter((piece) => held.filter((list) => list.includes(piece)).length === 1)
        expect(onlyHeldOnce(setOf(open), offers).toArray()).toEqual(counted.sort((a, b) => a - b))
      }),
    )
  })
})

describe('rarestFirst', () => {
  const segment = emptySegment(testBytes(8 * MIN_PIECE_BYTES))
  const all = [0, 1, 2, 3, 4, 5, 6, 7]

  function order(offers: readonly Offer[], from: number, takers = offers): number[] {
    return rarestFirst(segment, setOf(all), offers, takers, from)
  }

  it('asks for what fewest hold', () => {
    const few = [offer(1, all), offer(2, [0, 1, 2, 3, 4, 5]), offer(3, [0, 1, 2, 3])]
    expect(order(few, 0)).toEqual([6, 7, 4, 5, 0, 1, 2, 3])
    expect(order([...few, offer(4, [2, 3])], 0)).toEqual([6, 7, 4, 5, 0, 1, 2, 3])
  })

  it('goes round from the first choice, so that one span is left', () => {
    expect(order([offer(1, all)], 5)).toEqual([5, 6, 7, 0, 1, 2, 3, 4])
  })

  it('names only what a taker holds and nobody has been accused of', () => {
    expect(order([offer(1, all)], 0, [offer(2, [3])])).toEqual([3])
  })
})

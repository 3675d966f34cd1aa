import { millis } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blankManifest, readyPeer, testSegmentId } from '../testing/engine-fixtures.js'
import type { Peer } from './peer.js'
import { bestProvider, type Choice, type Offer, onlyHeldOnce } from './piece-choice.js'
import { PieceSet } from './piece-set.js'
import { Segment } from './segment.js'

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

describe('bestProvider', () => {
  const segment = new Segment(testSegmentId())
  segment.adopt(blankManifest(segment.id, 1_000_000), 'unsigned')
  const leader = offer(1, [0, 1, 2, 3], 5_000_000)
  const relay = offer(2, [0, 1], 500_000)

  function choose(piece: number, changes: Partial<Choice> = {}): Peer | null {
    const offers = [leader, relay]
    const choice = { offers, takers: offers, sole: new Set<Peer>(), now: millis(0), random: () => 0.5 }
    return bestProvider(segment, piece, { ...choice, ...changes })
  }

  it('is who would deliver soonest, of those that hold it', () => {
    expect(choose(0)).toBe(leader.peer)
    expect(choose(3, { takers: [relay] })).toBeNull()
  })

  it('leaves a peer that alone holds something to that, where anybody else holds this piece', () => {
    const sole = new Set([leader.peer])
    expect(choose(0, { sole })).toBe(relay.peer)
    expect(choose(3, { sole })).toBe(leader.peer)
  })

  it('waits for the other holder, rather than take up the one that alone holds something', () => {
    const sole = new Set([leader.peer])
    expect(choose(0, { sole, takers: [leader] })).toBeNull()
    expect(choose(0, { sole, takers: [leader], offers: [leader] })).toBe(leader.peer)
  })

  it('takes a sole holder all the same where all are, or where the other sent a wrong piece', () => {
    expect(choose(0, { sole: new Set([leader.peer, relay.peer]) })).toBe(leader.peer)
    const accused = new Segment(testSegmentId(2))
    accused.adopt(blankManifest(accused.id, 1_000_000), 'unsigned')
    accused.accuse(0, relay.peer.link)
    const offers = [leader, relay]
    const sole = new Set([leader.peer])
    const choice = { offers, takers: offers, sole, now: millis(0), random: () => 0.5 }
    expect(bestProvider(accused, 0, choice)).toBe(leader.peer)
  })
})

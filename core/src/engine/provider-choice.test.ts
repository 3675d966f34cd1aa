import { millis } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { blankManifest, readyPeer, testSegmentId } from '../testing/engine-fixtures.js'
import type { Peer } from './peer.js'
import type { Offer } from './piece-choice.js'
import { PieceSet } from './piece-set.js'
import { bestProvider, type Choice, preference } from './provider-choice.js'
import { Segment } from './segment.js'

function setOf(pieces: readonly number[]): PieceSet {
  const set = new PieceSet()
  for (const piece of pieces) set.add(piece)
  return set
}

function offer(link: number, pieces: readonly number[], bytesPerSecond = 1_000_000): Offer {
  const peer = readyPeer(link)
  for (let i = 0; i < 20; i++) peer.rate.sample(bytesPerSecond, millis(1_000))
  peer.pieces = 20
  return { peer, held: setOf(pieces) }
}

describe('bestProvider', () => {
  const segment = new Segment(testSegmentId())
  segment.adopt(blankManifest(segment.id, 1_000_000), 'unsigned')
  const leader = offer(1, [0, 1, 2, 3], 5_000_000)
  const relay = offer(2, [0, 1], 500_000)

  function choose(piece: number, changes: Partial<Choice> = {}): Peer | null {
    const offers = [leader, relay]
    const choice = {
      offers,
      takers: offers,
      sole: new Set<Peer>(),
      now: millis(0),
      timeLeft: 60_000,
      samples: 0,
      random: () => 0.5,
    }
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
    accused.accuse(0, relay.peer.link, new Uint8Array(32))
    const offers = [leader, relay]
    const sole = new Set([leader.peer])
    const choice = {
      offers,
      takers: offers,
      sole,
      now: millis(0),
      timeLeft: 60_000,
      samples: 0,
      random: () => 0.5,
    }
    expect(bestProvider(accused, 0, choice)).toBe(leader.peer)
  })

  it('is nobody where the piece would come too late', () => {
    expect(choose(0, { timeLeft: 40 })).toBeNull()
    expect(choose(0, { timeLeft: 400, takers: [relay] })).toBe(relay.peer)
    expect(choose(0, { timeLeft: 90, takers: [relay] })).toBeNull()
  })

  it('is one that is not much slower where its traffic costs less', () => {
    const near = offer(3, [0], 900_000)
    const far = offer(4, [0], 1_000_000)
    const takers = [near, far]
    expect(choose(0, { takers, offers: takers })).toBe(far.peer)
    near.peer.cost = 0
    far.peer.cost = 80
    expect(choose(0, { takers, offers: takers })).toBe(near.peer)
    near.peer.rate.sample(1_000, millis(60_000))
    expect(choose(0, { takers, offers: takers, timeLeft: 2_000 })).toBe(far.peer)
  })

  it('waits for who is much cheaper and holds it, until time is short', () => {
    const near = offer(7, [0])
    const far = offer(8, [0])
    const both = [near, far]
    near.peer.cost = 40
    far.peer.cost = 65
    expect(choose(0, { takers: [far], offers: both })).toBeNull()
    expect(choose(0, { takers: [far], offers: both, timeLeft: 2_000 })).toBe(far.peer)
    far.peer.cost = 64
    expect(choose(0, { takers: [far], offers: both })).toBe(far.peer)
  })

  it('brings in from afar a share of what nobody near holds yet', () => {
    const own = new Segment(testSegmentId(3))
    own.adopt(blankManifest(own.id, 1_000_000), 'unsigned')
    const pieces = Array.from({ length: own.pieceCount }, (_, piece) => piece)
    const far = offer(9, pieces)
    far.peer.cost = 100
    const broughtIn = (near: number): number => {
      const cheap = Array.from({ length: near }, (_, index) => offer(10 + index, []))
      for (const { peer } of cheap) peer.cost = 20
      const choice = { offers: [far, ...cheap], takers: [far], sole: new Set<Peer>(), now: millis(0) }
      const rest = { timeLeft: 60_000, samples: 0, random: () => 0.5 }
      return pieces.filter((piece) => bestProvider(own, piece, { ...choice, ...rest }) !== null).length
    }
    expect(pieces.length).toBeGreaterThan(8)
    expect(broughtIn(0)).toBe(pieces.length)
    expect(broughtIn(1)).toBe(Math.ceil((pieces.length * 3) / 4))
    expect(broughtIn(11)).toBe(Math.ceil(pieces.length / 8))
  })

  it('gives one of whom little is known a chance, and now and then the one asked least', () => {
    const known = offer(5, [0], 1_000_000)
    const unlucky = offer(6, [0], 800_000)
    unlucky.peer.rate.sample(100_000, millis(500))
    unlucky.peer.pieces = 1
    const takers = [known, unlucky]
    const samples = 1_000
    expect(unlucky.peer.hopedRate(samples)).toBeGreaterThan(unlucky.peer.rate.value ?? 0)
    expect(known.peer.hopedRate(samples)).toBeCloseTo(known.peer.rate.value ?? 0, -4)
    const chosen = (draw: number) => choose(0, { takers, offers: takers, samples, random: () => draw })
    expect(chosen(0.5)).toBe(known.peer)
    expect(chosen(0.01)).toBe(unlucky.peer)
  })
})

describe('preference', () => {
  it('falls with the cost, and rises with the age', () => {
    const { peer } = offer(1, [])
    const at = (cost: number, age: number): number => {
      peer.introduced({ cost, ageSeconds: age })
      return preference(peer, peer.openedAt)
    }
    expect(at(0, 86_400)).toBeCloseTo(1, 2)
    expect(at(40, 600) / at(65, 600)).toBeGreaterThan(2)
    expect(at(65, 600) / at(100, 600)).toBeGreaterThan(2)
    expect(at(50, 0)).toBeLessThan(at(50, 600))
    expect(at(50, 600)).toBeLessThan(at(50, 6_000))
  })
})

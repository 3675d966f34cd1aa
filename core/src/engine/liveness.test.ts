import { millis } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { peerSays, readyPeer, testSegmentId } from '../testing/engine-fixtures.js'
import { Liveness } from './liveness.js'
import type { Peer } from './peer.js'

const SECOND = 1_000
const ID = testSegmentId(1)
const HELD = testSegmentId(2)

let liveness: Liveness
let now: number
/** Promises a segment, and the rest of another of which it holds a piece; not heard again. */
let peer: Peer
/** Heard all the time. */
let other: Peer
let mute: Set<Peer>
let dead: Peer[]

function advance(ms: number, step = 250): void {
  for (const until = now + ms; now < until; ) {
    now = Math.min(until, now + step)
    for (const each of [peer, other]) if (!mute.has(each)) each.heardAt = millis(now)
    dead.push(...liveness.look([peer, other], millis(now)))
  }
}

beforeEach(() => {
  liveness = new Liveness()
  now = 0
  peer = readyPeer(1)
  other = readyPeer(2)
  mute = new Set()
  dead = []
  advance(SECOND)
  for (const each of [peer, other]) {
    peerSays(each, [
      { kind: 'segment', segment: ID, fetching: true, pieces: { low: 0, high: 0 } },
      { kind: 'segment', segment: HELD, fetching: true, pieces: { low: 1, high: 0 } },
    ])
  }
  mute.add(peer)
})

describe('a peer that falls silent', () => {
  it('is not waited for after 1.5 s; what it holds still counts', () => {
    advance(1_250)
    expect(peer.have.offers(ID)).toBe(true)
    advance(250)
    expect(peer.have.offers(ID)).toBe(false)
    expect(peer.have.isFetching(HELD)).toBe(false)
    expect(peer.have.hasPiece(HELD, 0)).toBe(true)
    expect(peer.usable(millis(now))).toBe(true)
    advance(30 * SECOND)
    expect(other.have.offers(ID)).toBe(true)
  })

  it('is given up again when it promises again and falls silent again', () => {
    advance(2 * SECOND)
    peer.heardAt = millis(now)
    peerSays(peer, [{ kind: 'segment', segment: ID, fetching: true, pieces: { low: 0, high: 0 } }])
    advance(1_250)
    expect(peer.have.offers(ID)).toBe(true)
    advance(250)
    expect(peer.have.offers(ID)).toBe(false)
  })

  it('is a suspect after 15 s, and let go after 25 s', () => {
    advance(14_750)
    expect(peer.usable(millis(now))).toBe(true)
    advance(250)
    expect(peer.usable(millis(now))).toBe(false)
    advance(9_750)
    expect(peer.usable(millis(now))).toBe(false)
    expect(dead).toEqual([])
    advance(250)
    expect(dead).toEqual([peer])
  })

  it('is asked again soon after it was heard', () => {
    advance(20 * SECOND)
    expect(peer.usable(millis(now))).toBe(false)
    mute.delete(peer)
    advance(2 * SECOND)
    expect(peer.usable(millis(now))).toBe(true)
    advance(60 * SECOND)
    expect(dead).toEqual([])
  })

  it('is not known to be silent where it was we who slept', () => {
    mute.add(other)
    advance(60 * SECOND, 60 * SECOND)
    expect(dead).toEqual([])
    expect(peer.usable(millis(now))).toBe(true)
    expect(peer.have.offers(ID)).toBe(true)
    advance(25 * SECOND)
    expect(dead).toEqual([peer, other])
  })

  it('is still waited for where looks are too rare to tell', () => {
    advance(4 * SECOND, 2 * SECOND)
    expect(peer.have.offers(ID)).toBe(true)
    advance(500)
    expect(peer.have.offers(ID)).toBe(false)
  })
})

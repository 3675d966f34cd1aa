import { millis } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  peerSays,
  readyPeer,
  runEntry,
  sentMessages,
  TEST_SWARM,
  testSegmentId,
  wantOf,
} from '../testing/engine-fixtures.js'
import type { Effect } from './io.js'
import { ManifestRequests } from './manifest-requests.js'
import { Segment } from './segment.js'

let effects: Effect[]
let requests: ManifestRequests
const want = wantOf(new Segment(testSegmentId()))
const { key } = want.segment

beforeEach(() => {
  effects = []
  requests = new ManifestRequests(TEST_SWARM.tag, (effect) => effects.push(effect))
})

/** Links that were asked since the last call. */
function asked(): number[] {
  return effects.splice(0).flatMap((effect) => (effect.type === 'send' ? [effect.link] : []))
}

function holder(link: number, role: 'viewer' | 'seeder' = 'viewer') {
  const peer = readyPeer(link, { role })
  peerSays(peer, [runEntry(1)])
  return peer
}

describe('ManifestRequests', () => {
  it('asks one holder at a time, a seeder first, and the next where no answer comes', () => {
    const peers = [readyPeer(1), holder(2), holder(3, 'seeder')]
    requests.ensure(want, peers, millis(0))
    expect(sentMessages(effects, 3)).toEqual([
      { type: 'manifest-request', swarmTag: TEST_SWARM.tag, segment: testSegmentId() },
    ])
    expect(asked()).toEqual([3])
    requests.ensure(want, peers, millis(499))
    expect(asked()).toEqual([])
    requests.ensure(want, peers, millis(500))
    expect(asked()).toEqual([2])
    requests.ensure(want, peers, millis(1_000))
    expect(asked()).toEqual([])
    requests.ensure(want, peers, millis(3_000))
    expect(asked()).toEqual([3])
  })

  it('asks two of those that only fetch a part, once, and one of those that have got it', () => {
    const id = testSegmentId(1, 2)
    const part = wantOf(new Segment(id))
    const none = { low: 0, high: 0 }
    const peers = [1, 2, 3].map((link) => readyPeer(link))
    for (const peer of peers) {
      peerSays(peer, [{ kind: 'segment', segment: id, fetching: true, pieces: none }])
    }
    requests.ensure(part, peers, millis(0))
    expect(asked()).toEqual([1, 2])
    requests.ensure(part, peers, millis(50))
    expect(asked()).toEqual([])
    const [, , third] = peers
    if (third === undefined) throw new Error('three peers')
    peerSays(third, [{ kind: 'segment', segment: id, fetching: true, pieces: { low: 1, high: 0 } }])
    requests.ensure(part, peers, millis(100))
    expect(asked()).toEqual([3])
    expect(peers.map((peer) => requests.takeAnswer(peer, part.segment.key))).toEqual([true, true, true])
    expect(requests.takeAnswer(third, part.segment.key)).toBe(false)
  })

  it('does not ask who is only fetching: it asks as soon as a piece is there', () => {
    const peer = readyPeer(1)
    const pieces = { low: 0, high: 0 }
    peerSays(peer, [{ kind: 'segment', segment: testSegmentId(), fetching: true, pieces }])
    requests.ensure(want, [peer], millis(0))
    expect(asked()).toEqual([])
    peerSays(peer, [runEntry(1)])
    requests.ensure(want, [peer], millis(600))
    expect(asked()).toEqual([1])
  })

  it('takes one answer for each time it asked', () => {
    const peer = holder(1)
    expect(requests.takeAnswer(peer, key)).toBe(false)
    requests.ensure(want, [peer], millis(0))
    expect(requests.takeAnswer(peer, key)).toBe(true)
    expect(requests.takeAnswer(peer, key)).toBe(false)
  })

  it('asks the next at once where an answer was of no use', () => {
    const peers = [holder(1), holder(2)]
    requests.ensure(want, peers, millis(0))
    requests.refused(key)
    requests.ensure(want, peers, millis(1))
    expect(asked()).toEqual([1, 2])
  })

  it('remembers nothing of what is settled', () => {
    const peer = holder(1)
    requests.ensure(want, [peer], millis(0))
    requests.settled(key, [peer])
    expect(peer.manifestAsked.size + peer.manifestAwaited.size).toBe(0)
    expect(requests.takeAnswer(peer, key)).toBe(false)
    requests.ensure(want, [peer], millis(1))
    expect(asked()).toEqual([1, 1])
  })
})

import { type Millis, millis } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  emptySegment,
  peerSays,
  readyPeer,
  runEntry,
  situationOf,
  testBytes,
  testPeerId,
  testSegmentId,
  wantOf,
} from '../testing/engine-fixtures.js'
import { Election } from './election.js'
import { electionStage, httpDueAt, type OriginEstimate, peersHorizon, urgentAt } from './http-rules.js'
import { Peer } from './peer.js'
import { RoundTrip, TransferRate } from './rates.js'
import { Segment } from './segment.js'

const BYTES = testBytes(200_000)
/** Far enough for the other rules to show; `MAX_PEER_WAIT_MS` of the rules is 8 s. */
const FAR = millis(60_000)
const NEVER = 8_000

function origin(bytesPerSecond?: number, ttfb = 50): OriginEstimate {
  const rate = new TransferRate()
  const timeToFirstByte = new RoundTrip()
  if (bytesPerSecond !== undefined) {
    rate.sample(bytesPerSecond, millis(1_000))
    for (let i = 0; i < 100; i++) timeToFirstByte.sample(millis(ttfb))
  }
  return { rate, timeToFirstByte }
}

function unknownWant(changes = {}) {
  return wantOf(new Segment(testSegmentId()), { deadline: FAR, ...changes })
}

function holder(link: number, options = {}): Peer {
  const peer = readyPeer(link, options)
  peerSays(peer, [runEntry(1)])
  return peer
}

/** A peer that holds other segments. */
function other(link: number, options = {}): Peer {
  const peer = readyPeer(link, options)
  peerSays(peer, [runEntry(500)])
  return peer
}

describe('urgentAt', () => {
  it('leaves time for the first byte and the missing bytes, with the margin of the algorithm', () => {
    const want = wantOf(emptySegment(BYTES), { deadline: FAR })
    // 1.3 x (50 ms + 200,000 bytes at 60 % of 400,000 bytes per second) + 500 ms
    expect(urgentAt(want, origin(400_000))).toBeCloseTo(FAR - (1.3 * (50 + 200_000 / 240) + 500), 0)
  })

  it('comes later with every piece that is here', () => {
    const want = wantOf(emptySegment(BYTES), { deadline: FAR })
    let last = urgentAt(want, origin(400_000))
    for (let piece = 0; piece < want.segment.pieceCount; piece++) {
      want.segment.verified.add(piece)
      const next = urgentAt(want, origin(400_000))
      expect(next).toBeGreaterThan(last)
      last = next
    }
  })

  it('never comes later for a slower origin or a nearer deadline', () => {
    const rate = fc.integer({ min: 1_000, max: 1e8 })
    fc.assert(
      fc.property(rate, rate, fc.nat(100_000), fc.nat(100_000), (a, b, near, more) => {
        const want = wantOf(emptySegment(testBytes(1)), { deadline: millis(near) })
        const later = wantOf(emptySegment(testBytes(1)), { deadline: millis(near + more) })
        const [slow, fast] = [Math.min(a, b), Math.max(a, b)]
        expect(urgentAt(want, origin(slow))).toBeLessThanOrEqual(urgentAt(want, origin(fast)))
        expect(urgentAt(want, origin(slow))).toBeLessThanOrEqual(urgentAt(later, origin(slow)))
      }),
    )
  })
})

describe('electionStage', () => {
  const live = () => unknownWant({ live: true })

  it('asks for a claim when it is our turn, and for none without anybody to hear it', () => {
    expect(electionStage(live(), situationOf({ peers: [other(1)] }))).toBe('claim')
    expect(electionStage(live(), situationOf())).toBe(null)
    expect(electionStage(unknownWant(), situationOf({ peers: [other(1)] }))).toBe(null)
    expect(electionStage(live(), situationOf({ peers: [holder(1)] }))).toBe(null)
  })

  it('waits a round trip between claim and fetch, longer where the swarm is wider than what is seen', () => {
    const want = live()
    want.claimedAt = millis(0)
    const near = other(1)
    near.roundTrip.sample(millis(60))
    expect(httpDueAt(want, situationOf({ peers: [near], swarmSize: 2 }))).toBe(100)
    expect(httpDueAt(want, situationOf({ peers: [near], swarmSize: 50 }))).toBe(160)
    near.roundTrip.sample(millis(100_000))
    expect(httpDueAt(want, situationOf({ peers: [near], swarmSize: 50 }))).toBe(300)
  })

  it('gives way to a lower claim and to whoever has begun, not to a higher one', () => {
    const election = new Election(testPeerId('me'))
    const { id, key } = live().segment
    election.wanted(id)
    const at = situationOf({ election, peers: [other(1)] })
    const want = live()
    want.claimedAt = millis(0)
    election.heard(id, election.place(key) + 1, millis(0))
    expect(electionStage(want, at)).toBe(null)
    election.heard(id, election.place(key) - 1, millis(0))
    expect(electionStage(want, at)).toBe('led')
    expect(electionStage(want, situationOf({ peers: [holder(1)] }))).toBe('led')
  })

  it('does not claim what somebody has claimed, until nothing came of it', () => {
    const election = new Election(testPeerId('me'))
    const want = unknownWant({ live: true, deadline: millis(5_000) })
    election.wanted(want.segment.id)
    election.heard(want.segment.id, 0xffffffff, millis(0))
    expect(electionStage(want, situationOf({ election, peers: [other(1)] }))).toBe(null)
    expect(electionStage(want, situationOf({ election, peers: [other(1)], now: millis(2_000) }))).toBe(
      'claim',
    )
  })

  it('lets whoever led lately go later than its turn', () => {
    const election = new Election(testPeerId('me'))
    const at = situationOf({ election, peers: [other(1)] })
    const want = (sequence: number) =>
      wantOf(new Segment(testSegmentId(sequence)), { deadline: millis(8_000), live: true })
    const before = httpDueAt(want(11), at)
    election.leads(testSegmentId(10))
    expect(httpDueAt(want(11), at)).toBe(before + 160)
    expect(httpDueAt(want(14), at)).toBeLessThan(160)
  })
})

describe('httpDueAt', () => {
  it('asks at once where playback waits, whoever is there', () => {
    const want = wantOf(new Segment(testSegmentId()), { deadline: millis(0) })
    expect(httpDueAt(want, situationOf({ peers: [holder(1)], hopeful: true }))).toBeLessThanOrEqual(0)
  })

  it('asks at once where there is nobody and nobody to be hoped for', () => {
    expect(httpDueAt(unknownWant(), situationOf())).toBe(0)
  })

  it('waits a moment for a first connection', () => {
    expect(httpDueAt(unknownWant(), situationOf({ hopeful: true }))).toBe(1_500)
  })

  it('waits for a peer that has or is fetching the segment, until it is urgent', () => {
    const fetching = readyPeer(2)
    const pieces = { low: 0, high: 0 }
    peerSays(fetching, [{ kind: 'segment', segment: testSegmentId(), fetching: true, pieces }])
    for (const peer of [holder(1), fetching]) {
      const near = unknownWant({ deadline: millis(5_000) })
      const at = situationOf({ peers: [peer], origin: origin(1_000_000) })
      expect(httpDueAt(near, at)).toBe(urgentAt(near, at.origin))
      expect(httpDueAt(unknownWant(), at)).toBe(NEVER)
    }
  })

  it('waits as long as pieces come, not longer than 8 s after the last', () => {
    const want = unknownWant()
    want.progressAt = millis(20_000)
    expect(httpDueAt(want, situationOf({ peers: [holder(1)], now: millis(21_000) }))).toBe(28_000)
  })

  it('does not wait for a peer that takes no requests or owes answers', () => {
    const silent = holder(1)
    silent.suspectUntil = 5_000
    const peers = [silent, holder(2, { uploads: false })]
    expect(httpDueAt(unknownWant(), situationOf({ peers }))).toBe(0)
    expect(httpDueAt(unknownWant(), situationOf({ peers, now: millis(5_000) }))).toBe(NEVER)
  })

  it('waits for the first Have of a new connection', () => {
    const fresh = new Peer(1, true, millis(100))
    fresh.identity = { peerId: testPeerId('fresh'), role: 'viewer', uploads: true }
    expect(httpDueAt(unknownWant(), situationOf({ peers: [fresh, other(2)] }))).toBe(400)
  })

  it('asks at once for what no connected peer has, on demand', () => {
    expect(httpDueAt(unknownWant(), situationOf({ peers: [other(1), other(2)] }))).toBe(0)
  })

  it('lets exactly one of a group lead the fetch of a live segment, and the rest follow in tiers', () => {
    const names = ['a', 'b', 'c', 'd']
    for (let sequence = 0; sequence < 20; sequence++) {
      const due = names.map((name) => {
        const peers = names.flatMap((peerName, index) => {
          if (peerName === name) return []
          const peer = other(index)
          peer.identity = { peerId: testPeerId(peerName), role: 'viewer', uploads: true }
          return [peer]
        })
        const want = wantOf(new Segment(testSegmentId(sequence)), { deadline: FAR, live: true })
        return httpDueAt(want, situationOf({ election: new Election(testPeerId(name)), peers }))
      })
      expect([...due].sort((a, b) => a - b)).toEqual([0, 60, 120, 180])
    }
  })

  it('in a swarm larger than it sees, lets about two lead and doubles them with each tier', () => {
    const members = 200
    const perTier = new Map<number, number>()
    const segments = 40
    for (let sequence = 0; sequence < segments; sequence++) {
      const want = wantOf(new Segment(testSegmentId(sequence)), { deadline: FAR, live: true })
      for (let index = 0; index < members; index++) {
        const election = new Election(testPeerId(`viewer-${index}`))
        const due = httpDueAt(want, situationOf({ election, peers: [other(1)], swarmSize: members }))
        perTier.set(due, (perTier.get(due) ?? 0) + 1)
      }
    }
    const mean = (due: number) => (perTier.get(due) ?? 0) / segments
    expect(mean(0)).toBeGreaterThan(1)
    expect(mean(0)).toBeLessThan(3.5)
    expect(mean(60)).toBeGreaterThan(1)
    expect(mean(60)).toBeLessThan(3.5)
    expect(mean(120)).toBeGreaterThan(2.5)
    expect(mean(120)).toBeLessThan(6)
  })

  it('leaves who does not upload out of the order', () => {
    const peers = Array.from({ length: 8 }, (_, link) => other(link, { uploads: false }))
    expect(httpDueAt(unknownWant({ live: true }), situationOf({ peers }))).toBe(0)
  })

  it('gives a connected seeder the lead for most of a live segment’s duration', () => {
    const peers = [other(1, { role: 'seeder' })]
    expect(httpDueAt(unknownWant({ live: true, duration: millis(4_000) }), situationOf({ peers }))).toBe(
      3_000,
    )
    expect(httpDueAt(unknownWant({ live: false }), situationOf({ peers }))).toBe(0)
  })

  it('elects a leader for a part as for a segment, and gives a seeder that says nothing no lead', () => {
    const part = new Segment(testSegmentId(1, 3))
    const changes = { live: true, deadline: millis(2_500), duration: millis(500) }
    const want = wantOf(part, changes)
    const peers = [other(1, { role: 'seeder' })]
    expect(electionStage(want, situationOf({ peers }))).toBe('claim')
    expect(httpDueAt(want, situationOf({ peers }))).toBe(0)
    want.claimedAt = millis(0)
    const due = httpDueAt(want, situationOf({ peers, origin: origin(1_000_000) }))
    expect(due).toBeGreaterThan(0)
    expect(due).toBeLessThanOrEqual(250)
    const pieces = { low: 0, high: 0 }
    const leader = readyPeer(2)
    peerSays(leader, [{ kind: 'segment', segment: part.id, fetching: true, pieces }])
    expect(electionStage(want, situationOf({ peers: [...peers, leader] }))).toBe('led')
  })

  it('reckons with the size that a part probably has', () => {
    const deadline = millis(2_500)
    const unknown = wantOf(new Segment(testSegmentId(1, 3)), { live: true, deadline })
    const expected = { ...unknown, expectedBytes: 50_000 }
    const slow = origin(200_000)
    expect(urgentAt(unknown, slow)).toBeLessThan(0)
    expect(urgentAt(expected, slow)).toBeCloseTo(2_500 - 1.3 * (50 + 50_000 / 120) - 500)
    const tight = { ...expected, deadline: millis(1_000) }
    expect(urgentAt(tight, slow)).toBeCloseTo(1_000 - 1.3 * (50 + 50_000 / 120) - 200)
  })

  it('turns to the origin alone where manifests of peers failed', () => {
    const want = unknownWant()
    want.segment.httpOnly = true
    expect(httpDueAt(want, situationOf({ peers: [holder(1)], hopeful: true }))).toBe(0)
  })

  it('does not ask again before the retry, whatever the deadline', () => {
    const want = unknownWant({ deadline: millis(0) })
    want.httpRetryAt = 1_700
    expect(httpDueAt(want, situationOf())).toBe(1_700)
  })

  it('is never later than urgent or now, save for a retry', () => {
    const time = fc.nat(20_000)
    fc.assert(
      fc.property(
        time,
        fc.boolean(),
        fc.boolean(),
        fc.subarray([1, 2, 3, 4]),
        (deadline, live, hopeful, links) => {
          const want = unknownWant({ deadline: millis(deadline), live })
          const make = [holder, other]
          const peers = links.map((link) =>
            (make[link % 2] ?? holder)(link, { role: link > 2 ? 'seeder' : 'viewer' }),
          )
          const at = situationOf({ peers, hopeful, now: 0 as Millis })
          expect(httpDueAt(want, at)).toBeLessThanOrEqual(Math.max(at.now, urgentAt(want, at.origin)))
        },
      ),
    )
  })
})

describe('the modes', () => {
  const first = ['peer-friendly', 'aggressive'] as const

  it.each(first)('%s: asks the origin at once, whoever has the segment, and leads for nobody', (mode) => {
    const live = unknownWant({ live: true })
    const known = wantOf(emptySegment(BYTES), { deadline: FAR })
    for (const peers of [[], [other(1)], [holder(1)]]) {
      expect(httpDueAt(known, situationOf({ mode, peers, hopeful: true }))).toBe(0)
      expect(electionStage(live, situationOf({ mode, peers }))).toBe(null)
    }
    expect(httpDueAt(live, situationOf({ mode, peers: [other(1)], hopeful: true }))).toBe(0)
  })

  it.each(first)('%s: waits a moment for a manifest that a peer has, not where it is urgent', (mode) => {
    const at = situationOf({ mode, peers: [holder(1)] })
    expect(httpDueAt(unknownWant(), at)).toBe(300)
    expect(httpDueAt(unknownWant({ deadline: millis(0) }), at)).toBe(0)
    const suspect = holder(2)
    suspect.suspectUntil = 5_000
    expect(httpDueAt(unknownWant(), situationOf({ mode, peers: [suspect] }))).toBe(0)
  })

  it.each(first)('%s: turns to peers where the origin failed, as the default does from the start', (mode) => {
    const want = unknownWant()
    want.httpError = { kind: 'http-status', status: 503, message: 'no' }
    want.httpRetryAt = 1_000
    expect(httpDueAt(want, situationOf({ mode, peers: [holder(1)] }))).toBe(NEVER)
    expect(httpDueAt(want, situationOf({ mode }))).toBe(1_000)
  })
})

describe('a slow origin', () => {
  /** It takes 4 s for the segment. */
  const slow = origin(BYTES.byteLength / 4)
  /** No load of it would make this deadline. */
  const NEAR = millis(5_000)

  function known(changes = {}) {
    return wantOf(emptySegment(BYTES), { deadline: NEAR, ...changes })
  }

  it('is spared while peers bring pieces, about as long as it would take, and no longer than 4 s', () => {
    const want = known()
    expect(urgentAt(want, slow)).toBeLessThan(0)
    const at = situationOf({ origin: slow, peers: [holder(1)] })
    expect(httpDueAt(want, at)).toBeCloseTo(4_000)
    want.progressAt = millis(1_500)
    for (let piece = 0; piece < want.segment.pieceCount / 2; piece++) want.segment.verified.add(piece)
    const due = httpDueAt(want, at)
    expect(due).toBeGreaterThan(1_500 + 1_500)
    expect(due).toBeLessThan(1_500 + 2_500)
    const crawling = situationOf({ origin: origin(1_000), peers: [holder(1)] })
    expect(httpDueAt(known(), crawling)).toBe(4_000)
  })

  it('is asked as ever where a load is short, or nothing is known of it', () => {
    const want = known()
    const peers = [holder(1)]
    const fast = situationOf({ origin: origin(BYTES.byteLength * 2), peers })
    expect(httpDueAt(want, fast)).toBe(urgentAt(want, fast.origin))
    expect(httpDueAt(known({ deadline: millis(1_500) }), fast)).toBe(0)
    // Four seconds for twenty of media are no burden.
    expect(httpDueAt(known({ duration: millis(20_000) }), situationOf({ origin: slow, peers }))).toBe(0)
    const left = known()
    for (let piece = 1; piece < left.segment.pieceCount; piece++) left.segment.verified.add(piece)
    expect(httpDueAt(left, situationOf({ origin: slow, peers }))).toBe(urgentAt(left, slow))
    const unmeasured = situationOf({ peers })
    expect(httpDueAt(want, unmeasured)).toBe(urgentAt(want, unmeasured.origin))
  })

  it('is left to whoever is fetching the segment, for twice as long as it would take', () => {
    const leader = readyPeer(1)
    const pieces = { low: 0, high: 0 }
    peerSays(leader, [{ kind: 'segment', segment: testSegmentId(), fetching: true, pieces }])
    const twoSeconds = origin(BYTES.byteLength / 2)
    const at = situationOf({ origin: twoSeconds, peers: [leader] })
    expect(urgentAt(known({ deadline: millis(0) }), twoSeconds)).toBeLessThan(0)
    expect(httpDueAt(known({ deadline: millis(0) }), at)).toBeCloseTo(2 * 2_000 + 500)
  })

  it('is left to whoever claimed the segment, also where the leader is slow to begin', () => {
    const election = new Election(testPeerId('me'))
    const want = known({ live: true })
    const { id } = want.segment
    election.wanted(id)
    election.heard(id, 0, millis(0))
    const slower = situationOf({ election, origin: slow, peers: [other(1)] })
    expect(httpDueAt(want, slower)).toBe(8_000)
    expect(electionStage(want, slower)).toBe(null)
    // Nothing came of the claim: ours is next.
    const unknown = wantOf(new Segment(id), { deadline: NEAR, live: true })
    expect(electionStage(unknown, { ...slower, now: millis(2_100) })).toBe('claim')
  })

  it('is asked in turn where nobody leads, however near the deadline is', () => {
    const want = known({ live: true, deadline: millis(1_000) })
    want.claimedAt = millis(0)
    const neighbour = other(1)
    neighbour.roundTrip.sample(millis(10))
    const at = situationOf({ origin: slow, peers: [neighbour], swarmSize: 2 })
    expect(httpDueAt(want, at)).toBe(50)
    const alone = situationOf({ origin: slow, peers: [], hopeful: true })
    expect(httpDueAt(want, alone)).toBe(0)
  })

  it('is asked at once for a part, and for what peers told wrong', () => {
    const part = wantOf(new Segment(testSegmentId(1, 3)), { deadline: millis(0), live: true })
    const pieces = { low: 1, high: 0 }
    const leader = readyPeer(1)
    peerSays(leader, [{ kind: 'segment', segment: part.segment.id, fetching: true, pieces }])
    expect(httpDueAt(part, situationOf({ origin: slow, peers: [leader] }))).toBe(0)
    const wrong = known()
    wrong.segment.httpOnly = true
    expect(httpDueAt(wrong, situationOf({ origin: slow, peers: [holder(1)] }))).toBe(0)
  })
})

describe('peersHorizon', () => {
  const segment = emptySegment(testBytes(1_000_000))
  const at = (now: number, changes = {}): number =>
    peersHorizon(
      { ...wantOf(segment, { deadline: millis(10_000) }), ...changes },
      origin(1_000_000),
      millis(now),
    )

  it('is when the origin will be asked, then the deadline', () => {
    const urgent = urgentAt(wantOf(segment, { deadline: millis(10_000) }), origin(1_000_000))
    expect(at(0)).toBe(urgent)
    expect(at(urgent)).toBeLessThan(10_000)
    expect(at(urgent)).toBeGreaterThan(9_000)
  })

  it('is no limit where nothing better is to be had', () => {
    const none = Number.POSITIVE_INFINITY
    expect(at(9_900)).toBe(none)
    expect(at(12_000)).toBe(none)
    expect(at(0, { ahead: true })).toBe(none)
    expect(at(0, { httpRetryAt: 500 })).toBe(none)
    expect(at(0, { httpError: { kind: 'http-status', status: 503, message: '' } })).toBe(none)
  })
})

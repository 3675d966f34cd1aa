import { type Millis, millis } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  emptySegment,
  peerSays,
  readyPeer,
  runEntry,
  testBytes,
  testPeerId,
  testSegmentId,
  wantOf,
} from '../testing/engine-fixtures.js'
import { type HttpSituation, httpDueAt, type OriginEstimate, urgentAt } from './http-rules.js'
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

function situation(changes: Partial<HttpSituation> = {}): HttpSituation {
  return {
    now: millis(0),
    self: testPeerId('me'),
    origin: origin(),
    peers: [],
    hopeful: false,
    swarmSize: null,
    ...changes,
  }
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

describe('httpDueAt', () => {
  it('asks at once where playback waits, whoever is there', () => {
    const want = wantOf(new Segment(testSegmentId()), { deadline: millis(0) })
    expect(httpDueAt(want, situation({ peers: [holder(1)], hopeful: true }))).toBeLessThanOrEqual(0)
  })

  it('asks at once where there is nobody and nobody to be hoped for', () => {
    expect(httpDueAt(unknownWant(), situation())).toBe(0)
  })

  it('waits a moment for a first connection', () => {
    expect(httpDueAt(unknownWant(), situation({ hopeful: true }))).toBe(1_500)
  })

  it('waits for a peer that has or is fetching the segment, until it is urgent', () => {
    const fetching = readyPeer(2)
    const pieces = { low: 0, high: 0 }
    peerSays(fetching, [{ kind: 'segment', segment: testSegmentId(), fetching: true, pieces }])
    for (const peer of [holder(1), fetching]) {
      const near = unknownWant({ deadline: millis(5_000) })
      const at = situation({ peers: [peer], origin: origin(1_000_000) })
      expect(httpDueAt(near, at)).toBe(urgentAt(near, at.origin))
      expect(httpDueAt(unknownWant(), at)).toBe(NEVER)
    }
  })

  it('waits as long as pieces come, not longer than 8 s after the last', () => {
    const want = unknownWant()
    want.progressAt = millis(20_000)
    expect(httpDueAt(want, situation({ peers: [holder(1)], now: millis(21_000) }))).toBe(28_000)
  })

  it('does not wait for a peer that takes no requests or owes answers', () => {
    const silent = holder(1)
    silent.suspectUntil = 5_000
    const peers = [silent, holder(2, { uploads: false })]
    expect(httpDueAt(unknownWant(), situation({ peers }))).toBe(0)
    expect(httpDueAt(unknownWant(), situation({ peers, now: millis(5_000) }))).toBe(NEVER)
  })

  it('waits for the first Have of a new connection', () => {
    const fresh = new Peer(1, true, millis(100))
    fresh.identity = { peerId: testPeerId('fresh'), role: 'viewer', uploads: true }
    expect(httpDueAt(unknownWant(), situation({ peers: [fresh, other(2)] }))).toBe(400)
  })

  it('asks at once for what no connected peer has, on demand', () => {
    expect(httpDueAt(unknownWant(), situation({ peers: [other(1), other(2)] }))).toBe(0)
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
        return httpDueAt(want, situation({ self: testPeerId(name), peers }))
      })
      expect([...due].sort((a, b) => a - b)).toEqual([0, 1_000, 2_000, 3_000])
    }
  })

  it('in a swarm larger than it sees, lets about two lead and doubles them with each tier', () => {
    const members = 200
    const perTier = new Map<number, number>()
    const segments = 40
    for (let sequence = 0; sequence < segments; sequence++) {
      const want = wantOf(new Segment(testSegmentId(sequence)), { deadline: FAR, live: true })
      for (let index = 0; index < members; index++) {
        const self = testPeerId(`viewer-${index}`)
        const due = httpDueAt(want, situation({ self, peers: [other(1)], swarmSize: members }))
        perTier.set(due, (perTier.get(due) ?? 0) + 1)
      }
    }
    const mean = (due: number) => (perTier.get(due) ?? 0) / segments
    expect(mean(0)).toBeGreaterThan(1)
    expect(mean(0)).toBeLessThan(3.5)
    expect(mean(1_000)).toBeGreaterThan(1)
    expect(mean(1_000)).toBeLessThan(3.5)
    expect(mean(2_000)).toBeGreaterThan(2.5)
    expect(mean(2_000)).toBeLessThan(6)
  })

  it('leaves who does not upload out of the order', () => {
    const peers = Array.from({ length: 8 }, (_, link) => other(link, { uploads: false }))
    expect(httpDueAt(unknownWant({ live: true }), situation({ peers }))).toBe(0)
  })

  it('gives a connected seeder the lead for most of a live segment’s duration', () => {
    const peers = [other(1, { role: 'seeder' })]
    expect(httpDueAt(unknownWant({ live: true, duration: millis(4_000) }), situation({ peers }))).toBe(3_000)
    expect(httpDueAt(unknownWant({ live: false }), situation({ peers }))).toBe(0)
  })

  it('turns to the origin alone where manifests of peers failed', () => {
    const want = unknownWant()
    want.segment.httpOnly = true
    expect(httpDueAt(want, situation({ peers: [holder(1)], hopeful: true }))).toBe(0)
  })

  it('does not ask again before the retry, whatever the deadline', () => {
    const want = unknownWant({ deadline: millis(0) })
    want.httpRetryAt = 1_700
    expect(httpDueAt(want, situation())).toBe(1_700)
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
          const at = situation({ peers, hopeful, now: 0 as Millis })
          expect(httpDueAt(want, at)).toBeLessThanOrEqual(Math.max(at.now, urgentAt(want, at.origin)))
        },
      ),
    )
  })
})

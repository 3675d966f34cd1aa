import { MIN_PIECE_BYTES, millis } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  blankManifest,
  peerSays,
  readyPeer,
  runEntry,
  situationOf,
  testSegmentId,
  wantOf,
} from '../testing/engine-fixtures.js'
import type { HttpSituation } from './http-rules.js'
import { frontSpan, lateFrom, randomSpan } from './origin-share.js'
import type { Peer } from './peer.js'
import { RoundTrip, TransferRate } from './rates.js'
import { Segment } from './segment.js'
import { type HttpFetch, hasPiece, type Want } from './want.js'

/** 32 pieces of 128 KiB. */
const SIZE = 4 * 1024 * 1024
const PIECE = 128 * 1024

function segmentOf(size: number): Segment {
  const segment = new Segment(testSegmentId())
  segment.adopt(blankManifest(segment.id, size), 'unsigned')
  return segment
}

function holder(link: number, bytesPerSecond?: number): Peer {
  const peer = readyPeer(link)
  peerSays(peer, [runEntry(1)])
  if (bytesPerSecond !== undefined) peer.rate.sample(bytesPerSecond, millis(1_000))
  return peer
}

function situation(peers: readonly Peer[] = [], bytesPerSecond?: number): HttpSituation {
  const rate = new TransferRate()
  if (bytesPerSecond !== undefined) rate.sample(bytesPerSecond, millis(1_000))
  return situationOf({ origin: { rate, timeToFirstByte: new RoundTrip() }, peers, mode: 'aggressive' })
}

/** Sizes of one piece to 64, and what has become of each piece of such a segment. */
const segments = fc
  .record({
    size: fc.integer({ min: 1, max: 60 * MIN_PIECE_BYTES }),
    states: fc.array(fc.constantFrom('open', 'verified', 'http', 'hashing', 'asked'), {
      minLength: 64,
      maxLength: 64,
    }),
  })
  .map(({ size, states }) => {
    const segment = segmentOf(size)
    for (let piece = 0; piece < segment.pieceCount; piece++) {
      const state = states[piece]
      if (state === 'verified') segment.verified.add(piece)
      else if (state === 'http') segment.fromHttp.add(piece)
      else if (state === 'hashing') segment.hashing.add(piece)
      else if (state === 'asked') segment.asked.add(piece)
    }
    return segment
  })

function isSettled(segment: Segment, piece: number): boolean {
  return hasPiece(segment, piece) || segment.hashing.has(piece) || segment.asked.has(piece)
}

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('randomSpan', () => {
  it('is as long as the share, and lies where chance says', () => {
    const segment = segmentOf(SIZE)
    expect(randomSpan(segment, 0.25, () => 0)).toEqual({ start: 0, end: 8 * PIECE })
    expect(randomSpan(segment, 0.25, () => 0.999)).toEqual({ start: 24 * PIECE, end: SIZE })
    expect(randomSpan(segment, 1, () => 0.5)).toEqual({ start: 0, end: SIZE })
    // A share of less than a piece is one.
    expect(randomSpan(segment, 0.001, () => 0)).toEqual({ start: 0, end: PIECE })
  })

  it('is a run of what is neither here nor on its way', () => {
    const segment = segmentOf(SIZE)
    segment.verified.add(0)
    segment.asked.add(1)
    segment.fromHttp.add(3)
    segment.hashing.add(7)
    expect(randomSpan(segment, 0.25, () => 0)).toEqual({ start: 2 * PIECE, end: 3 * PIECE })
    for (const piece of [2, 4, 5, 6]) segment.asked.add(piece)
    expect(randomSpan(segment, 0.25, () => 0)).toBeNull()
  })

  it('is never longer than the share, and begins and ends with a piece that is wanted', () => {
    fc.assert(
      fc.property(segments, fc.double({ min: 0, max: 1, noNaN: true }), chance, (segment, share, at) => {
        const span = randomSpan(segment, share, () => at)
        if (span === null) return
        const pieces = [...Array(segment.pieceCount).keys()].filter((piece) => {
          const { start, end } = segment.pieceSpan(piece)
          return start >= span.start && end <= span.end
        })
        expect(pieces.length).toBeLessThanOrEqual(Math.max(1, Math.round(share * segment.pieceCount)))
        const [first = -1, last = -1] = [pieces[0], pieces.at(-1)]
        expect(span).toEqual({ start: segment.pieceSpan(first).start, end: segment.pieceSpan(last).end })
        expect(isSettled(segment, first) || isSettled(segment, last)).toBe(false)
      }),
    )
  })
})

describe('frontSpan', () => {
  const want = (segment = segmentOf(SIZE)): Want => wantOf(segment)

  it('shares the bytes by what origin and holders bring', () => {
    const peers = [holder(1, 1_000_000), holder(2, 2_000_000)]
    expect(frontSpan(want(), situation(peers, 1_000_000))).toEqual({ start: 0, end: SIZE / 4 })
    expect(frontSpan(want(), situation(peers, 3_000_000))).toEqual({ start: 0, end: SIZE / 2 })
  })

  it('counts holders alone that may be asked now', () => {
    const suspect = holder(1, 1_000_000)
    suspect.suspectUntil = 5_000
    const peers = [suspect, readyPeer(2)]
    expect(frontSpan(want(), situation(peers, 1_000_000))).toEqual({ start: 0, end: SIZE })
  })

  it('is not shorter than what a request is worth, and begins behind what is on its way', () => {
    const segment = segmentOf(SIZE)
    segment.asked.add(0)
    segment.verified.add(1)
    const span = frontSpan(want(segment), situation([holder(1, 1e9)], 1_000))
    expect(span).toEqual({ start: 2 * PIECE, end: 4 * PIECE })
  })

  it('asks for nothing that is here or asked of a peer, and for something where anything is left', () => {
    const rate = fc.integer({ min: 1_000, max: 1e8 })
    fc.assert(
      fc.property(segments, rate, rate, (segment, origin, peer) => {
        const span = frontSpan(want(segment), situation([holder(1, peer)], origin))
        const open = [...Array(segment.pieceCount).keys()].filter((piece) => !isSettled(segment, piece))
        const [first] = open
        expect(span?.start).toBe(first === undefined ? undefined : segment.pieceSpan(first).start)
        if (span === null || first === undefined) return
        for (let piece = first; segment.pieceSpan(piece).start < span.end; piece++) {
          expect(open).toContain(piece)
          if (piece === segment.pieceCount - 1) break
        }
      }),
    )
  })
})

describe('lateFrom', () => {
  /** A load that was answered at 0. */
  function loading(upTo: number, deadline: number, size = SIZE): Want {
    const want = wantOf(segmentOf(size), { deadline: millis(deadline) })
    const http: HttpFetch = {
      id: 1,
      span: null,
      askedAt: millis(0),
      responseAt: millis(0),
      lastByteAt: millis(0),
      first: 0,
      from: 0,
      upTo,
      loose: [],
    }
    want.http = http
    return want
  }

  it('is where the origin will have come by the deadline, with something in hand', () => {
    // 100 bytes a millisecond: 300,000 more by the deadline, of which 70 % are counted on.
    expect(lateFrom(loading(100_000, 4_000), 1_000)).toBe(0.7 * 400_000)
  })

  it('is nowhere while all will be here in time, before anything can be told, and without a load', () => {
    expect(lateFrom(loading(SIZE / 2, 4_000), 1_000)).toBe(Number.POSITIVE_INFINITY)
    expect(lateFrom(loading(0, 4_000), 200)).toBe(Number.POSITIVE_INFINITY)
    expect(lateFrom(wantOf(segmentOf(SIZE)), 10_000)).toBe(Number.POSITIVE_INFINITY)
  })

  it('is the first byte where nothing has come in half of the time', () => {
    expect(lateFrom(loading(0, 4_000), 1_999)).toBe(Number.POSITIVE_INFINITY)
    expect(lateFrom(loading(0, 4_000), 2_000)).toBe(0)
    expect(lateFrom(loading(0, 0), 300)).toBe(0)
  })

  it('never gives peers what has come, and is not nearer for a later deadline', () => {
    const time = fc.integer({ min: 0, max: 20_000 })
    fc.assert(
      fc.property(fc.nat(SIZE), time, time, time, (upTo, now, deadline, more) => {
        const from = lateFrom(loading(upTo, deadline), now)
        expect(from).toBeGreaterThanOrEqual(upTo)
        expect(lateFrom(loading(upTo, deadline + more), now)).toBeGreaterThanOrEqual(from)
      }),
    )
  })
})

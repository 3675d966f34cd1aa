import { type HaveEntry, MIN_PIECE_BYTES, millis } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import type { OriginError } from '../ports/origin.js'
import type { DownloadMode } from '../runtime/swarm-api.js'
import {
  effectsOf,
  emptySegment,
  peerSays,
  readyPeer,
  runEntry,
  sameBytes,
  testBytes,
  testPeerId,
  testSegmentId,
  wantOf,
} from '../testing/engine-fixtures.js'
import { Election } from './election.js'
import type { HttpSituation } from './http-rules.js'
import type { Effect } from './io.js'
import { OriginLoads } from './origin-loads.js'
import type { Peer } from './peer.js'
import { PieceSet } from './piece-set.js'
import { Segment } from './segment.js'
import type { Want } from './want.js'

const BYTES = testBytes(20 * MIN_PIECE_BYTES + 10)
const PIECE = MIN_PIECE_BYTES
const REFUSED: OriginError = { kind: 'http-status', status: 503, message: 'no' }

let coming: PieceSet
let effects: Effect[]
let heard: string[]
let loaded: Uint8Array | null
let loads: OriginLoads

beforeEach(() => {
  coming = new PieceSet()
  effects = []
  heard = []
  loaded = null
  loads = newLoads()
})

function newLoads(): OriginLoads {
  return new OriginLoads((effect) => effects.push(effect), {
    pieceLoaded: ({ segment }, piece) => {
      heard.push(`piece ${piece}`)
      segment.fromHttp.add(piece)
    },
    segmentLoaded: (_, bytes) => {
      loaded = bytes
      heard.push('segment')
    },
    sized: () => undefined,
    sizeWrong: () => undefined,
    progressed: () => undefined,
    manifestWrong: () => heard.push('manifest wrong'),
    failed: (_, error) => heard.push(`failed ${error.status}`),
    ended: () => undefined,
  })
}

function situationAt(now: number, peers: readonly Peer[] = []): HttpSituation {
  const election = new Election(testPeerId('me'))
  return {
    election,
    origin: loads,
    peers,
    hopeful: false,
    signed: false,
    mode: 'server-friendly',
    swarmSize: null,
    now: millis(now),
    coming: () => coming,
  }
}

function begin(want: Want, now = 0): number {
  want.deadline = millis(0)
  loads.consider(want, situationAt(now))
  return effectsOf(effects, 'http-fetch').at(-1)?.fetchId ?? -1
}

function spansAsked() {
  return effectsOf(effects, 'http-fetch').map(({ span }) => span)
}

function unknown(): Want {
  return wantOf(new Segment(testSegmentId()))
}

describe('OriginLoads', () => {
  it('loads a whole segment of which nothing is known, with and without a size', () => {
    for (const total of [BYTES.byteLength, null]) {
      loaded = null
      const want = unknown()
      const id = begin(want)
      loads.response(id, total, millis(50))
      for (let at = 0; at < BYTES.byteLength; at += 50_000) {
        loads.data(id, at, BYTES.subarray(at, at + 50_000), millis(60))
      }
      loads.done(id, millis(150))
      expect(sameBytes(loaded, BYTES)).toBe(true)
      expect(want.segment.loading).toBeNull()
      expect(want.http).toBeNull()
    }
    expect(spansAsked()).toEqual([null, null])
    expect(loads.timeToFirstByte.value).toBe(50)
    expect(loads.rate.value).toBeCloseTo(BYTES.byteLength * 10, 0)
  })

  it('loads an empty segment', () => {
    const id = begin(unknown())
    loads.response(id, 0, millis(1))
    loads.done(id, millis(2))
    expect(loaded?.byteLength).toBe(0)
  })

  it('asks for the first run of what is missing: what is here is not loaded again', () => {
    const want = wantOf(emptySegment(BYTES))
    const { segment } = want
    for (const piece of [0, 3, 4]) segment.verified.add(piece)
    want.deadline = millis(600)
    loads.consider(want, situationAt(0))
    expect(spansAsked()).toEqual([{ start: PIECE, end: 3 * PIECE }])
    expect(segment.loading).toEqual({ start: PIECE, end: 3 * PIECE })
  })

  it('loads small gaps along where it must hurry, up to the first large one', () => {
    const want = wantOf(emptySegment(BYTES))
    const { segment } = want
    for (const piece of [0, 2, 3]) segment.verified.add(piece)
    for (let piece = 6; piece < 15; piece++) segment.verified.add(piece)
    begin(want)
    expect(spansAsked()).toEqual([{ start: PIECE, end: 6 * PIECE }])
  })

  it('leaves to peers what they are about to have delivered, while they are', () => {
    const want = wantOf(emptySegment(BYTES))
    const { segment } = want
    for (let piece = 3; piece < 21; piece++) segment.verified.add(piece)
    for (const piece of [0, 1, 2]) {
      segment.asked.add(piece)
      coming.add(piece)
    }
    expect(loads.consider(want, situationAt(0))).toBeGreaterThan(0)
    want.deadline = millis(0)
    const again = loads.consider(want, situationAt(0))
    expect(again).toBeGreaterThan(0)
    expect(again).toBeLessThanOrEqual(100)
    expect(spansAsked()).toEqual([])
    coming.delete(1)
    loads.consider(want, situationAt(50))
    expect(spansAsked()).toEqual([{ start: PIECE, end: 2 * PIECE }])
  })

  it('says which pieces have come, and leaves those that were here', () => {
    const want = wantOf(emptySegment(BYTES))
    const { segment } = want
    segment.verified.add(1)
    segment.buffer?.fill(7, PIECE, 2 * PIECE)
    const id = begin(want)
    loads.data(id, 0, BYTES.subarray(0, 3 * PIECE + 5), millis(1))
    expect(heard).toEqual(['piece 0', 'piece 2'])
    expect(segment.pieceBytes(1)?.every((byte) => byte === 7)).toBe(true)
    expect(sameBytes(segment.pieceBytes(2), BYTES.subarray(2 * PIECE, 3 * PIECE))).toBe(true)
    expect(loads.wastedBytes).toBe(PIECE)
  })

  it('takes a whole response for an answer to a Range', () => {
    const want = wantOf(emptySegment(BYTES))
    want.segment.verified.add(0)
    const id = begin(want)
    loads.response(id, BYTES.byteLength, millis(1))
    loads.data(id, 0, BYTES, millis(2))
    loads.done(id, millis(3))
    expect(heard).toHaveLength(20)
    expect(heard).not.toContain('manifest wrong')
    expect(sameBytes(want.segment.buffer?.subarray(PIECE), BYTES.subarray(PIECE))).toBe(true)
  })

  it('counts a piece as the origin’s only where all of its bytes came in one response', () => {
    const want = wantOf(emptySegment(BYTES))
    const id = begin(want)
    loads.data(id, 100, BYTES.subarray(100, 2 * PIECE), millis(1))
    expect(heard).toEqual(['piece 1'])
  })

  it('loads a segment once, however many want it', () => {
    const first = unknown()
    const second: Want = { ...unknown(), id: 2, segment: first.segment }
    begin(first)
    begin(second)
    expect(spansAsked()).toHaveLength(1)
    loads.cancel(first)
    begin(second)
    expect(spansAsked()).toHaveLength(2)
  })

  it('begins a segment without a manifest from nothing, whatever an earlier load left', () => {
    const want = unknown()
    want.segment.buffer = new Uint8Array(10)
    const id = begin(want)
    loads.response(id, BYTES.byteLength, millis(1))
    loads.data(id, 0, BYTES, millis(2))
    loads.done(id, millis(3))
    expect(sameBytes(loaded, BYTES)).toBe(true)
  })

  it('finds a manifest wrong that says another size than the origin', () => {
    const told = wantOf(emptySegment(BYTES))
    loads.response(begin(told), BYTES.byteLength + 1, millis(1))
    const longer = wantOf(emptySegment(BYTES))
    loads.data(begin(longer), 0, testBytes(BYTES.byteLength + 1), millis(1))
    const shorter = wantOf(emptySegment(BYTES))
    const id = begin(shorter)
    loads.data(id, 0, BYTES.subarray(0, PIECE), millis(1))
    loads.done(id, millis(2))
    expect(heard.filter((event) => !event.startsWith('piece'))).toEqual(Array(3).fill('manifest wrong'))
  })

  it('asks for all, once, where the answer to a Range does not fit; the manifest is not blamed', () => {
    const answers: ((id: number) => void)[] = [
      (id) => loads.error(id, { ...REFUSED, status: 416 }, millis(1)),
      (id) => loads.error(id, { kind: 'bad-response', status: 206, message: 'short' }, millis(1)),
      (id) => loads.response(id, BYTES.byteLength + 1, millis(1)),
      (id) => loads.data(id, 3 * PIECE, BYTES.subarray(0, 10), millis(1)),
      (id) => loads.done(id, millis(1)),
    ]
    for (const answer of answers) {
      loads = newLoads()
      effects = []
      const want = wantOf(emptySegment(BYTES))
      want.segment.verified.add(0)
      answer(begin(want))
      expect(want.http).toBeNull()
      begin(want, 2)
      expect(spansAsked()).toEqual([{ start: PIECE, end: BYTES.byteLength }, null])
      expect(want.segment.verified.has(0)).toBe(true)
    }
    expect(heard).toEqual([])
  })

  it('tries ranges again after a while, at once where the manifest was to blame', () => {
    const want = wantOf(emptySegment(BYTES))
    want.segment.verified.add(0)
    const part = { start: PIECE, end: BYTES.byteLength }
    loads.error(begin(want), { ...REFUSED, status: 416 }, millis(0))
    loads.manifestWasWrong(want.segment)
    loads.error(begin(want, 1), { ...REFUSED, status: 416 }, millis(1))
    begin(want, 599_000)
    loads.cancel(want)
    begin(want, 601_000)
    expect(spansAsked()).toEqual([part, part, null, part])
  })

  it('takes no more bytes than a segment may have', () => {
    const want = unknown()
    const id = begin(want)
    const block = new Uint8Array(32 * 1024 * 1024)
    for (let i = 0; i < 3; i++) loads.data(id, i * block.byteLength, block, millis(1))
    expect(heard).toEqual(['failed 0'])
    expect(want.segment.httpOnly).toBe(true)
  })

  it('fails where the response ends before its size', () => {
    const want = unknown()
    const id = begin(want)
    loads.response(id, BYTES.byteLength, millis(1))
    loads.data(id, 0, BYTES.subarray(0, 5_000), millis(2))
    loads.done(id, millis(3))
    expect(heard).toEqual(['failed 0'])
    expect(want.segment.buffer).toBeNull()
    expect(loaded).toBeNull()
  })

  it('fails where bytes are left out', () => {
    const want = unknown()
    const id = begin(want)
    loads.data(id, 0, BYTES.subarray(0, 100), millis(1))
    loads.data(id, 200, BYTES.subarray(200, 300), millis(1))
    expect(heard).toEqual(['failed 0'])
    expect(effectsOf(effects, 'http-cancel')).toEqual([{ type: 'http-cancel', fetchId: id }])
    loads.data(id, 300, BYTES.subarray(300, 400), millis(1))
    loads.done(id, millis(2))
    expect(heard).toHaveLength(1)
  })

  it('waits longer after each failure', () => {
    const want = unknown()
    const waits: number[] = []
    let now = 0
    for (let attempt = 0; attempt < 4; attempt++) {
      loads.error(begin(want, now), REFUSED, millis(now))
      waits.push(want.httpRetryAt - now)
      now = want.httpRetryAt
    }
    expect(waits).toEqual([1_000, 2_000, 2_000, 2_000])
  })

  it('tells the host to stop, and takes nothing that comes after', () => {
    const want = unknown()
    const id = begin(want)
    loads.response(id, BYTES.byteLength, millis(1))
    loads.cancel(want)
    loads.data(id, 0, BYTES, millis(2))
    loads.done(id, millis(3))
    loads.error(id, REFUSED, millis(4))
    expect(heard).toEqual([])
    expect(want.segment.buffer).toBeNull()
    expect(want.segment.fetching).toBe(false)
  })

  it('does not believe a size that no segment has', () => {
    const id = begin(unknown())
    loads.response(id, 2 ** 47, millis(1))
    loads.data(id, 0, BYTES.subarray(0, 10), millis(2))
    loads.done(id, millis(3))
    expect(loaded).toEqual(BYTES.subarray(0, 10))
  })

  describe('with a long way to go', () => {
    /** A load of which 10 % came in a second; whether it gives way to `peers`, and when it is due again. */
    function given(
      peers: readonly Peer[],
      { elapsed = 1_000, share = 0.1, httpOnly = false, mode = 'server-friendly' as DownloadMode } = {},
    ) {
      const want = wantOf(emptySegment(BYTES))
      const id = begin(want)
      loads.response(id, BYTES.byteLength, millis(20))
      loads.data(id, 0, BYTES.subarray(0, share * BYTES.byteLength), millis(elapsed))
      want.segment.httpOnly = httpOnly
      const due = loads.consider(want, { ...situationAt(elapsed, peers), mode })
      return { want, due, cancelled: effectsOf(effects, 'http-cancel').length > 0 }
    }

    function peerWith(entry: HaveEntry, uploads = true): Peer {
      const peer = readyPeer(1, { uploads })
      peerSays(peer, [entry])
      return peer
    }

    it('gives way to a peer that has all of the segment, for a second, and keeps what came', () => {
      const { want, due, cancelled } = given([peerWith(runEntry(1))])
      expect(cancelled).toBe(true)
      expect(want.http).toBeNull()
      expect(want.segment.tail).toEqual({ start: 0, end: 0.1 * BYTES.byteLength })
      expect(due).toBeGreaterThanOrEqual(2_000)
    })

    it('goes on where nobody has all of it, or serves, and where only the origin counts', () => {
      const pieces = { low: 3, high: 0 }
      const some = peerWith({ kind: 'segment', segment: testSegmentId(), fetching: true, pieces })
      for (const peers of [[], [some], [peerWith(runEntry(1), false)]]) {
        expect(given(peers)).toMatchObject({ due: null, cancelled: false })
      }
      expect(given([peerWith(runEntry(1))], { httpOnly: true }).cancelled).toBe(false)
    })

    it('goes on where the origin comes first', () => {
      for (const mode of ['peer-friendly', 'aggressive'] as const) {
        expect(given([peerWith(runEntry(1))], { mode }).cancelled).toBe(false)
      }
    })

    it('goes on where it is nearly done, or has hardly begun', () => {
      const all = peerWith(runEntry(1))
      expect(given([all], { share: 0.9 }).cancelled).toBe(false)
      expect(given([all], { elapsed: 400, share: 0.01 }).cancelled).toBe(false)
    })
  })
})

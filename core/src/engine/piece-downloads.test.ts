import { CHUNK_BYTES, chunkCountOf, MIN_PIECE_BYTES, millis, type Request } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  emptySegment,
  peerSays,
  readyPeer,
  runEntry,
  sentMessages,
  TEST_SWARM,
  testBytes,
  testSegmentId,
  wantOf,
} from '../testing/engine-fixtures.js'
import type { Effect } from './io.js'
import type { Peer } from './peer.js'
import { MAX_TIMEOUTS, PieceDownloads } from './piece-downloads.js'
import { PieceRoom } from './piece-room.js'
import type { Want } from './want.js'

const BYTES = testBytes(30 * MIN_PIECE_BYTES)
const CHUNKS = chunkCountOf(MIN_PIECE_BYTES)

let effects: Effect[]
let arrived: number[]
let violations: number[]
let downloads: PieceDownloads
let want: Want

beforeEach(() => {
  effects = []
  arrived = []
  violations = []
  downloads = new PieceDownloads(
    TEST_SWARM.tag,
    () => 0.5,
    new PieceRoom(),
    (effect) => effects.push(effect),
    {
      pieceArrived: (_, request) => {
        arrived.push(request.piece)
        request.segment.verified.add(request.piece)
      },
      violation: (peer) => violations.push(peer.link),
    },
  )
  want = wantOf(emptySegment(BYTES))
})

function holder(link: number): Peer {
  const peer = readyPeer(link)
  peerSays(peer, [runEntry(1)])
  return peer
}

function schedule(what: Want, peers: readonly Peer[], now: number, horizon = Number.POSITIVE_INFINITY): void {
  downloads.schedule(what, peers, horizon, millis(now))
}

/** Requests sent since the last call. */
function requests(link?: number): Request[] {
  const messages = sentMessages(effects, link)
  effects.length = 0
  return messages.flatMap((message) => (message.type === 'request' ? [message] : []))
}

function answer(peer: Peer, request: Request, now: number, chunks = CHUNKS): void {
  for (let chunk = 0; chunk < chunks; chunk++) data(peer, request, chunk, now)
}

function data(peer: Peer, { requestId, piece }: Request, chunk: number, now: number): void {
  const at = piece * MIN_PIECE_BYTES + chunk * CHUNK_BYTES
  const payload = BYTES.subarray(at, Math.min(at + CHUNK_BYTES, (piece + 1) * MIN_PIECE_BYTES))
  downloads.data(
    peer,
    { type: 'data', swarmTag: TEST_SWARM.tag, requestId, chunk, serial: 0, payload },
    millis(now),
  )
}

describe('PieceDownloads', () => {
  it('asks no piece twice, and no more of one peer than its window and of all than the bound', () => {
    const peers = [1, 2, 3, 4, 5].map(holder)
    schedule(want, peers, 0)
    schedule(want, peers, 1)
    const asked = requests()
    expect(asked).toHaveLength(24)
    expect(new Set(asked.map(({ piece }) => piece)).size).toBe(24)
    for (const peer of peers) expect(peer.outstandingBytes).toBeLessThanOrEqual(peer.windowBytes)
  })

  it('asks only holders that take requests and owe no answers', () => {
    const silent = holder(1)
    silent.suspectUntil = 500
    const mute = holder(2)
    mute.identity = { peerId: mute.identity?.peerId ?? ('' as never), role: 'viewer', uploads: false }
    schedule(want, [silent, mute, readyPeer(3)], 0)
    expect(requests()).toEqual([])
    schedule(want, [silent, mute], 500)
    expect(requests(1).length).toBeGreaterThan(0)
  })

  it('asks the rarest piece first', () => {
    const common = holder(1)
    const rare = readyPeer(2)
    peerSays(rare, [
      { kind: 'segment', segment: want.segment.id, fetching: false, pieces: { low: ~(1 << 9), high: 0 } },
    ])
    schedule(want, [common, rare], 0)
    expect(requests()[0]?.piece).toBe(9)
  })

  it('leaves a peer to what it alone holds, of whatever segment', () => {
    const leader = holder(1)
    const relay = readyPeer(2)
    peerSays(leader, [runEntry(2)])
    peerSays(relay, [runEntry(1)])
    const next = wantOf(emptySegment(BYTES, testSegmentId(2)))
    const peers = [leader, relay]
    downloads.reserve([want.segment, next.segment], peers, millis(0))
    schedule(want, peers, 0)
    expect(requests(1)).toEqual([])
    expect(want.segment.asked.isEmpty).toBe(false)
    schedule(next, peers, 0)
    expect(requests(1).map(({ segment }) => segment.sequence)).toContain(2)
  })

  it('takes back from a sole holder what another has got meanwhile', () => {
    for (const sole of [true, false]) {
      const leader = holder(1)
      const relay = readyPeer(2)
      const one = wantOf(emptySegment(BYTES.subarray(0, MIN_PIECE_BYTES)))
      const next = wantOf(emptySegment(BYTES, testSegmentId(2)))
      if (sole) peerSays(leader, [runEntry(2)])
      schedule(one, [leader], 0)
      expect(requests(1)).toHaveLength(1)
      // Its queue is long, and the other would take three quarters of that.
      leader.have.backlogMs = 400
      leader.backlogToldAt = 350
      peerSays(relay, [runEntry(1)], 150)
      relay.backlogToldAt = 350
      downloads.reserve([one.segment, next.segment], [leader, relay], millis(350))
      schedule(one, [leader, relay], 350)
      expect(requests(2)).toHaveLength(sole ? 1 : 0)
      downloads.cancel(one.segment)
      effects.length = 0
    }
  })

  it('asks a sole holder for anything where the deadline is near', () => {
    for (const deadline of [1_000, 10_000]) {
      const leader = holder(1)
      const relay = readyPeer(2)
      peerSays(relay, [runEntry(1)])
      peerSays(leader, [runEntry(2)])
      relay.windowBytes = MIN_PIECE_BYTES
      const other = emptySegment(BYTES, testSegmentId(2))
      const now = wantOf(emptySegment(BYTES), { deadline: millis(deadline) })
      downloads.reserve([now.segment, other], [leader, relay], millis(0))
      schedule(now, [leader, relay], 0)
      expect(requests(1).length > 0).toBe(deadline === 1_000)
      downloads.cancel(now.segment)
      effects.length = 0
    }
  })

  it('leaves what HTTP is loading, for whichever want', () => {
    want.segment.loading = { start: 0, end: 28 * MIN_PIECE_BYTES }
    schedule(want, [holder(1)], 0)
    expect(
      requests()
        .map(({ piece }) => piece)
        .sort((a, b) => a - b),
    ).toEqual([28, 29])
  })

  it('prefers who delivers sooner', () => {
    const slow = holder(1)
    const fast = holder(2)
    slow.rate.sample(10_000, millis(1_000))
    fast.rate.sample(1_000_000, millis(1_000))
    const only = wantOf(emptySegment(BYTES.subarray(0, MIN_PIECE_BYTES)))
    schedule(only, [slow, fast], 0)
    expect(requests(2)).toHaveLength(1)
  })

  it('hands over a piece once, when its last chunk has come', () => {
    const peer = holder(1)
    schedule(want, [peer], 0)
    const [request] = requests()
    if (request === undefined) throw new Error('nothing was asked')
    answer(peer, request, 50, CHUNKS - 1)
    expect(arrived).toEqual([])
    data(peer, request, CHUNKS - 1, 60)
    answer(peer, request, 70)
    expect(arrived).toEqual([request.piece])
    expect(downloads.wastedBytes).toBe(MIN_PIECE_BYTES)
    expect(peer.requests.has(request.requestId)).toBe(false)
    expect(peer.roundTrip.value).toBe(50)
  })

  it('calls a chunk that does not fit a violation', () => {
    const peer = holder(1)
    schedule(want, [peer], 0)
    const [request] = requests()
    if (request === undefined) throw new Error('nothing was asked')
    data(peer, request, CHUNKS, 10)
    expect(violations).toEqual([1])
  })

  it('counts what was never asked for as waste, and not as a sign of life', () => {
    const peer = holder(1)
    schedule(want, [peer], 0)
    const [request] = requests()
    if (request === undefined) throw new Error('nothing was asked')
    const junk = { ...request, requestId: 4_000_000 }
    for (let now = 100; now <= 3_000; now += 100) {
      data(peer, junk, 0, now)
      downloads.checkTimeouts([peer], millis(now))
    }
    expect(downloads.outstanding).toBe(0)
    expect(peer.wastedBytes).toBe(30 * CHUNK_BYTES)
  })

  it('repairs a gap after a reordering window, and not again before an answer could have come', () => {
    const peer = holder(1)
    const single = wantOf(emptySegment(BYTES.subarray(0, MIN_PIECE_BYTES)))
    schedule(single, [peer], 0)
    const [request] = requests()
    if (request === undefined) throw new Error('nothing was asked')
    for (const chunk of [0, 2, 3, 4]) data(peer, request, chunk, 40)
    const repairs: { at: number; chunks: unknown }[] = []
    for (let now = 41; now < 240; now++) {
      downloads.checkTimeouts([peer], millis(now))
      for (const { chunks } of requests()) repairs.push({ at: now, chunks })
    }
    expect(repairs.length).toBeGreaterThanOrEqual(1)
    expect(repairs.length).toBeLessThanOrEqual(4)
    expect(repairs[0]?.at).toBeLessThan(70)
    expect(repairs[0]?.chunks).toEqual([{ start: 1, end: 2 }])
  })

  it('asks for nothing again after a stall of the host, whose messages are still to be read', () => {
    const peer = holder(1)
    schedule(want, [peer], 0)
    const [first] = requests()
    if (first === undefined) throw new Error('no request')
    for (const now of [50, 100, 3_000]) expect(downloads.checkTimeouts([peer], millis(now))).toEqual([])
    answer(peer, first, 3_000)
    expect(requests()).toEqual([])
    expect([peer.suspectUntil, downloads.wastedBytes]).toEqual([0, 0])
    for (let now = 3_050; now <= 4_000; now += 50) downloads.checkTimeouts([peer], millis(now))
    expect(requests()).not.toEqual([])
  })

  it('notices a silent peer on a host that stalls all the time', () => {
    const peer = holder(1)
    schedule(want, [peer], 0)
    for (let now = 1_000; now <= 20_000; now += 1_000) downloads.checkTimeouts([peer], millis(now))
    expect(peer.suspectUntil).toBeGreaterThan(0)
  })

  it('moves the pieces of a silent peer to another, and spares it for a while', () => {
    const silent = holder(1)
    schedule(want, [silent], 0)
    const asked = requests(1).length
    expect(asked).toBeGreaterThan(0)
    for (let now = 50; now <= 2_600; now += 50) downloads.checkTimeouts([silent], millis(now))
    expect(downloads.outstanding).toBe(0)
    requests()
    schedule(want, [silent, holder(2)], 2_600)
    expect(sentMessages(effects, 1)).toEqual([])
    expect(requests(2).length).toBeGreaterThan(0)
    expect(silent.usable(millis(2_600))).toBe(false)
    expect(silent.usable(millis(7_600))).toBe(true)
  })

  it('does not give up a connection for one second of silence, however much was asked for', () => {
    const peer = holder(1)
    for (let i = 0; i < 20; i++) peer.roundTrip.sample(millis(40))
    peer.windowBytes = 256 * 1024
    schedule(want, [peer], 0)
    expect(peer.requests.size).toBeGreaterThan(10)
    for (let now = 50; now <= 1_000; now += 50)
      expect(downloads.checkTimeouts([peer], millis(now))).toEqual([])
    expect(peer.timeouts).toBeLessThan(MAX_TIMEOUTS)
  })

  it('gives up a connection that stays silent', () => {
    const peer = holder(1)
    let dead: Peer[] = []
    let now = 0
    for (; now < 60_000 && dead.length === 0; now += 50) {
      schedule(want, [peer], now)
      dead = downloads.checkTimeouts([peer], millis(now))
    }
    expect(dead).toEqual([peer])
    expect(now).toBeLessThan(30_000)
  })

  it('takes back what a silent peer owes, which may only be slow', () => {
    const silent = holder(1)
    schedule(want, [silent], 0)
    const ids = requests(1).map(({ requestId }) => requestId)
    for (let now = 50; now <= 1_600; now += 50) downloads.checkTimeouts([silent], millis(now))
    const cancelled = sentMessages(effects, 1).flatMap((message) =>
      message.type === 'cancel' ? message.requestIds : [],
    )
    expect([...cancelled].sort((a, b) => a - b)).toEqual(ids.sort((a, b) => a - b))
  })

  it('asks for nothing that would come too late, and tells until when it is of use', () => {
    schedule(want, [holder(1)], 0, 40)
    expect(requests()).toEqual([])
    schedule(want, [holder(1)], 0, 5_000)
    const asked = requests()
    expect(asked.length).toBeGreaterThan(0)
    for (const { deadlineMs } of asked) expect(deadlineMs).toBe(5_000)
  })

  it('knows which pieces are coming', () => {
    const peer = holder(1)
    schedule(want, [peer], 0)
    const [begun] = requests()
    if (begun === undefined) throw new Error('nothing was asked')
    data(peer, begun, 0, 50)
    expect(downloads.coming(want.segment, 60_000, millis(60)).toArray()).toEqual([begun.piece])
    expect(downloads.coming(want.segment, 61, millis(60)).isEmpty).toBe(true)
  })

  it('asks a second peer for a last piece that is late, and takes the other back when it has come', () => {
    const [slow, other] = [holder(1), holder(2)]
    const last = wantOf(emptySegment(BYTES.subarray(0, MIN_PIECE_BYTES)))
    schedule(last, [slow], 0, 2_000)
    const [first] = requests(1)
    schedule(last, [slow, other], 100, 2_000)
    expect(requests(2)).toEqual([])
    for (const now of [900, 950]) schedule(last, [slow, other], now, 2_000)
    const [second, ...more] = requests(2)
    if (first === undefined || second === undefined) throw new Error('nothing was asked')
    expect(more).toEqual([])
    expect(second.piece).toBe(first.piece)
    answer(other, second, 1_000)
    expect(arrived).toEqual([first.piece])
    expect(sentMessages(effects, 1)).toMatchObject([{ type: 'cancel', requestIds: [first.requestId] }])
    expect(downloads.outstanding).toBe(0)
  })

  it('sends one Cancel to each peer, for the pieces that are named', () => {
    const peers = [holder(1), holder(2)]
    schedule(want, peers, 0)
    const asked = requests()
    downloads.cancel(want.segment, (piece) => piece < 15)
    const cancels = sentMessages(effects).flatMap((message) =>
      message.type === 'cancel' ? message.requestIds : [],
    )
    const ids = asked.filter(({ piece }) => piece < 15).map(({ requestId }) => requestId)
    expect([...cancels].sort((a, b) => a - b)).toEqual([...ids].sort((a, b) => a - b))
    expect(sentMessages(effects).length).toBeLessThanOrEqual(2)
    expect(downloads.outstanding).toBe(asked.length - ids.length)
    downloads.cancel(want.segment)
    expect(downloads.outstanding).toBe(0)
  })

  it('frees what a closed connection owed', () => {
    const peer = holder(1)
    schedule(want, [peer], 0)
    const first = requests().length
    downloads.closeLink(peer)
    expect(downloads.outstanding).toBe(0)
    schedule(want, [holder(2)], 10)
    expect(requests(2)).toHaveLength(first)
  })
})

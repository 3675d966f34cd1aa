import {
  type ByteSpan,
  CHUNK_BYTES,
  chunkCountOf,
  type Data,
  millis,
  NO_DEADLINE_MS,
  NOT_SERVING_BACKLOG_MS,
  type Request,
} from '@shoal/protocol'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { LOSSY_BUFFER_HIGH_BYTES } from '../ports/link.js'
import {
  blankManifest,
  effectsOf,
  readyPeer,
  sameBytes,
  sentMessages,
  TEST_SWARM,
  testBytes,
  testManifest,
  testSegmentId,
} from '../testing/engine-fixtures.js'
import type { Effect } from './io.js'
import type { Peer } from './peer.js'
import type { Segment } from './segment.js'
import { SegmentStore } from './segment-store.js'
import { type UploadLimits, UploadPolicy } from './upload-policy.js'
import { Uploader } from './uploader.js'

const BYTES = testBytes(200_000)
/** Twelve pieces of 16 KiB, 15 chunks each, and a short one. */
const CHUNKS = 15

let store: SegmentStore
let effects: Effect[]
let policy: UploadPolicy
let uploader: Uploader
let now: number

function start(bytesPerSecond = Number.POSITIVE_INFINITY, limits: Partial<UploadLimits> = {}): void {
  store = new SegmentStore(1e9)
  effects = []
  now = 0
  policy = new UploadPolicy({
    uploads: true,
    bytesPerSession: Number.POSITIVE_INFINITY,
    bytesPerSecond,
    ...limits,
  })
  uploader = new Uploader(store, TEST_SWARM.tag, policy, (effect) => effects.push(effect))
}

beforeEach(() => start())

function held(sequence = 1): Segment {
  const segment = store.open(testSegmentId(sequence))
  segment.adopt(testManifest(segment.id, BYTES), 'own')
  segment.buffer?.set(BYTES)
  for (let piece = 0; piece < segment.pieceCount; piece++) segment.verified.add(piece)
  return segment
}

function ask(peer: Peer, requestId: number, changes: Partial<Request> = {}): void {
  const request: Request = {
    type: 'request',
    swarmTag: TEST_SWARM.tag,
    requestId,
    segment: testSegmentId(),
    piece: 0,
    deadlineMs: 5_000,
    chunks: [{ start: 0, end: CHUNKS }],
    ...changes,
  }
  uploader.request(peer, request, millis(now))
}

/** What is sent now, in order. */
function sent(): Data[] {
  effects.length = 0
  uploader.pump(millis(now))
  return sentMessages(effects).flatMap((message) => (message.type === 'data' ? [message] : []))
}

/** The network takes all that is in the buffers, until nothing more is sent. */
function drainAll(peers: readonly Peer[]): Data[] {
  const all: Data[] = []
  for (;;) {
    const some = sent()
    if (some.length === 0) return all
    all.push(...some)
    for (const peer of peers) peer.lossyBuffered = 0
  }
}

function idsOf(messages: readonly Data[]): number[] {
  return [...new Set(messages.map(({ requestId }) => requestId))]
}

describe('Uploader', () => {
  it('sends the chunks that were asked for, each with its bytes', () => {
    held()
    const peer = readyPeer(1)
    ask(peer, 7, {
      piece: 2,
      chunks: [
        { start: 1, end: 3 },
        { start: 14, end: 900 },
      ],
    })
    const messages = sent()
    expect(messages.map(({ chunk }) => chunk)).toEqual([1, 2, 14])
    for (const { requestId, chunk, payload } of messages) {
      expect(requestId).toBe(7)
      const at = 2 * 16_384 + chunk * CHUNK_BYTES
      expect(sameBytes(payload, BYTES.subarray(at, Math.min(at + CHUNK_BYTES, 3 * 16_384)))).toBe(true)
    }
    expect(messages.map(({ serial }) => serial)).toEqual([0, 1, 2])
    expect(uploader.uploadedBytes).toBe(messages.reduce((sum, { payload }) => sum + payload.byteLength, 0))
    expect(sent()).toEqual([])
  })

  it('never fills a channel’s buffer beyond its bound, and goes on as it drains', () => {
    held()
    const peer = readyPeer(1)
    for (let piece = 0; piece < 8; piece++) ask(peer, piece, { piece })
    const first = sent()
    expect(peer.lossyBuffered).toBeLessThanOrEqual(LOSSY_BUFFER_HIGH_BYTES)
    expect(first.length).toBeGreaterThan(50)
    expect(sent()).toEqual([])
    peer.lossyBuffered = 0
    expect(drainAll([peer]).length + first.length).toBe(8 * CHUNKS)
  })

  it('serves the earliest deadline first, over all peers', () => {
    held()
    const peers = [readyPeer(1), readyPeer(2)]
    const [one, two] = peers
    if (one === undefined || two === undefined) throw new Error('two peers')
    ask(one, 1, { piece: 1, deadlineMs: 9_000 })
    ask(two, 2, { piece: 2, deadlineMs: 1_000 })
    ask(one, 3, { piece: 3, deadlineMs: 5_000 })
    expect(idsOf(drainAll(peers))).toEqual([2, 3, 1])
  })

  it('keeps the order of arrival where deadlines are about the same', () => {
    held()
    const peer = readyPeer(1)
    ask(peer, 1, { piece: 1, deadlineMs: 2_100 })
    ask(peer, 2, { piece: 2, deadlineMs: 2_000 })
    expect(idsOf(drainAll([peer]))).toEqual([1, 2])
  })

  it('serves a more urgent request as soon as one turn is over', () => {
    held()
    const peer = readyPeer(1)
    peer.lossyBuffered = LOSSY_BUFFER_HIGH_BYTES - 3_000
    ask(peer, 1, { piece: 1, deadlineMs: 9_000 })
    expect(idsOf(sent())).toEqual([1])
    ask(peer, 2, { piece: 2, deadlineMs: 500 })
    peer.lossyBuffered = 0
    expect(sent()[0]?.requestId).toBe(2)
  })

  describe('with pieces that nobody else has', () => {
    /** A segment that we lead: pieces 3 to 5 are from the origin, the others were here before. */
    function led(): Segment {
      const segment = held()
      for (const piece of [3, 4, 5]) segment.fromHttp.add(piece)
      return segment
    }

    it('sends those first, whatever the deadlines, once each', () => {
      led()
      const peers = [readyPeer(1), readyPeer(2)] as const
      ask(peers[0], 1, { piece: 0, deadlineMs: 3_000 })
      ask(peers[1], 2, { piece: 3, deadlineMs: 9_000 })
      expect(idsOf(drainAll(peers))).toEqual([2, 1])
      // The swarm has it now.
      ask(peers[0], 3, { piece: 3, deadlineMs: 9_000 })
      ask(peers[1], 4, { piece: 0, deadlineMs: 3_000 })
      expect(idsOf(drainAll(peers))).toEqual([4, 3])
    })

    it('does not let them hold up what is urgent', () => {
      led()
      const peers = [readyPeer(1), readyPeer(2)] as const
      ask(peers[0], 1, { piece: 3, deadlineMs: 9_000 })
      ask(peers[1], 2, { piece: 0, deadlineMs: 900 })
      expect(idsOf(drainAll(peers))).toEqual([2, 1])
    })

    it('takes none for those in a segment that came from peers', () => {
      const segment = led()
      segment.manifestSource = 'unsigned'
      const peers = [readyPeer(1), readyPeer(2)] as const
      ask(peers[0], 1, { piece: 3, deadlineMs: 9_000 })
      ask(peers[1], 2, { piece: 0, deadlineMs: 3_000 })
      expect(idsOf(drainAll(peers))).toEqual([2, 1])
    })
  })

  describe('with pieces that the host brought', () => {
    /** As a seeder's: whole from the beginning. */
    function published(): Segment {
      const segment = held()
      segment.published = true
      return segment
    }

    it('sends first what has not left, whatever the deadlines, and what has left long ago counts as that', () => {
      published()
      const peers = [readyPeer(1), readyPeer(2)] as const
      ask(peers[0], 1, { piece: 0, deadlineMs: 9_000 })
      expect(idsOf(drainAll(peers))).toEqual([1])
      ask(peers[1], 2, { piece: 0, deadlineMs: 3_000 })
      ask(peers[0], 3, { piece: 1, deadlineMs: 9_000 })
      expect(idsOf(drainAll(peers))).toEqual([3, 2])
      now = 20_000
      ask(peers[1], 4, { piece: 0, deadlineMs: 3_000 })
      ask(peers[0], 5, { piece: 2, deadlineMs: 9_000 })
      expect(idsOf(drainAll(peers))).toEqual([4, 5])
    })

    it('does not let what is spreading overtake what has not left, however long it waits', () => {
      published()
      const peers = [readyPeer(1), readyPeer(2)] as const
      ask(peers[0], 1, { piece: 0 })
      drainAll(peers)
      for (const peer of peers) peer.lossyBuffered = LOSSY_BUFFER_HIGH_BYTES
      ask(peers[1], 2, { piece: 0, deadlineMs: 9_000 })
      now = 3_000
      ask(peers[0], 3, { piece: 1, deadlineMs: 9_000 })
      for (const peer of peers) peer.lossyBuffered = 0
      expect(idsOf(drainAll(peers))).toEqual([3, 2])
    })

    it('counts a piece once in its backlog, however many ask for it', () => {
      published()
      const peers = [1, 2, 3].map((link) => readyPeer(link))
      for (const peer of peers) {
        peer.lossyBuffered = LOSSY_BUFFER_HIGH_BYTES
        ask(peer, 1, { piece: 4 })
      }
      const one = (CHUNKS * CHUNK_BYTES) / 1_000
      expect(uploader.backlogMs).toBeCloseTo(one, 5)
      for (const peer of peers.slice(0, 1)) ask(peer, 2, { piece: 5 })
      expect(uploader.backlogMs).toBeCloseTo(2 * one, 5)
    })
  })

  it('does not let one full channel hold up another', () => {
    held()
    const full = readyPeer(1)
    full.lossyBuffered = LOSSY_BUFFER_HIGH_BYTES
    const open = readyPeer(2)
    ask(full, 1, { deadlineMs: 100 })
    ask(open, 2, { deadlineMs: 5_000 })
    expect(idsOf(sent())).toEqual([2])
  })

  it('drops what is cancelled, too late, or asked on a closed link', () => {
    held()
    const peers = [1, 2, 3].map((link) => readyPeer(link))
    for (const [index, peer] of peers.entries())
      ask(peer, 10 + index, { deadlineMs: index === 1 ? 100 : 5_000 })
    uploader.cancel(1, [10, 999])
    uploader.closeLink(3)
    now = 101
    expect(sent()).toEqual([])
    expect(uploader.backlogMs).toBe(0)
  })

  it('keeps a request without a deadline for ten seconds', () => {
    held()
    const peer = readyPeer(1)
    peer.lossyBuffered = LOSSY_BUFFER_HIGH_BYTES
    ask(peer, 1, { deadlineMs: NO_DEADLINE_MS })
    now = 10_000
    expect(sent()).toEqual([])
    peer.lossyBuffered = 0
    expect(sent()).toHaveLength(CHUNKS)
    ask(peer, 2, { deadlineMs: NO_DEADLINE_MS })
    now = 20_001
    expect(sent()).toEqual([])
  })

  it('merges repairs with what is queued, so that every chunk goes out once', () => {
    const range = fc.record({ start: fc.nat(CHUNKS - 1), length: fc.integer({ min: 1, max: 5 }) })
    fc.assert(
      fc.property(
        fc.array(fc.array(range, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
        (asks) => {
          start()
          held()
          const peer = readyPeer(1)
          const wanted = new Set<number>()
          for (const ranges of asks) {
            const chunks: ByteSpan[] = []
            for (const { start, length } of [...ranges].sort((a, b) => a.start - b.start)) {
              if (start <= (chunks.at(-1)?.end ?? -1)) continue
              chunks.push({ start, end: start + length })
              for (let chunk = start; chunk < Math.min(CHUNKS, start + length); chunk++) wanted.add(chunk)
            }
            ask(peer, 1, { chunks })
          }
          const chunks = drainAll([peer]).map(({ chunk }) => chunk)
          expect(chunks).toEqual([...wanted].sort((a, b) => a - b))
        },
      ),
    )
  })

  it('serves a repair of what has gone out already', () => {
    held()
    const peer = readyPeer(1)
    ask(peer, 1)
    expect(sent()).toHaveLength(CHUNKS)
    ask(peer, 1, { chunks: [{ start: 3, end: 4 }] })
    expect(sent().map(({ chunk }) => chunk)).toEqual([3])
  })

  it('takes an id for one piece only', () => {
    held()
    const peer = readyPeer(1)
    peer.lossyBuffered = LOSSY_BUFFER_HIGH_BYTES
    ask(peer, 1, { piece: 12, chunks: [{ start: 0, end: 1 }] })
    ask(peer, 1, { piece: 0, chunks: [{ start: 0, end: CHUNKS }] })
    peer.lossyBuffered = 0
    const messages = sent()
    expect(messages.map(({ chunk }) => chunk)).toEqual([0])
    expect(chunkCountOf(BYTES.byteLength % 16_384)).toBeLessThan(CHUNKS)
  })

  it('keeps a request for a piece on its way, and serves it when it is verified', () => {
    const segment = held()
    segment.verified.delete(3)
    const peer = readyPeer(1)
    ask(peer, 1, { piece: 3 })
    expect(sent()).toEqual([])
    segment.fetching = true
    ask(peer, 2, { piece: 3 })
    expect(sent()).toEqual([])
    expect(uploader.backlogMs).toBe(0)
    segment.verified.add(3)
    uploader.pieceReady(segment, 3)
    expect(idsOf(sent())).toEqual([2])
  })

  it('drops requests for what it does not hold, and pieces that there are not', () => {
    held()
    const peer = readyPeer(1)
    ask(peer, 1, { segment: testSegmentId(99) })
    ask(peer, 2, { piece: 63 })
    ask(peer, 3, { chunks: [{ start: 500, end: 600 }] })
    expect(sent()).toEqual([])
  })

  it('keeps no more requests of one peer than a well-behaved one sends', () => {
    held()
    const peer = readyPeer(1)
    peer.lossyBuffered = LOSSY_BUFFER_HIGH_BYTES
    for (let id = 0; id < 500; id++) ask(peer, id, { chunks: [{ start: 0, end: 1 }] })
    peer.lossyBuffered = 0
    expect(sent()).toHaveLength(48)
  })

  it('keeps to its cap, and says when to go on', () => {
    start(10_000)
    held()
    const peer = readyPeer(1)
    for (let piece = 0; piece < 12; piece++) ask(peer, piece, { piece, deadlineMs: NO_DEADLINE_MS })
    let bytes = 0
    for (let step = 0; step < 8_000; step += 10) {
      now = step
      peer.lossyBuffered = 0
      for (const { payload } of sent()) bytes += payload.byteLength
      expect(bytes).toBeLessThanOrEqual(LOSSY_BUFFER_HIGH_BYTES + (10_000 * now) / 1_000)
    }
    expect(bytes).toBeGreaterThan(0.95 * (LOSSY_BUFFER_HIGH_BYTES + 10_000 * 7.9))
    const again = uploader.pump(millis(now))
    expect(again).toBeGreaterThan(now)
  })

  describe('with pieces outside memory', () => {
    function external(): Segment {
      const segment = store.open(testSegmentId())
      segment.external = true
      segment.adopt(blankManifest(segment.id, 32 * 131_072), 'own')
      for (let piece = 0; piece < 32; piece++) segment.verified.add(piece)
      return segment
    }

    function reads(): Extract<Effect, { type: 'read-piece' }>[] {
      effects.length = 0
      uploader.pump(millis(now))
      return effectsOf(effects, 'read-piece')
    }

    it('reads a piece, sends it, and drops the request where the bytes are gone', () => {
      external()
      const peer = readyPeer(1)
      ask(peer, 1, { piece: 5, chunks: [{ start: 0, end: 1 }] })
      ask(peer, 2, { piece: 6, chunks: [{ start: 0, end: 1 }] })
      const [first, second] = reads()
      expect(first?.span.end).toBe((first?.span.start ?? 0) + 131_072)
      uploader.pieceRead(first?.jobId ?? -1, new Uint8Array(131_072).fill(3))
      uploader.pieceRead(second?.jobId ?? -1, null)
      expect(sent().map(({ requestId, payload }) => [requestId, payload[0]])).toEqual([[1, 3]])
      expect(sent()).toEqual([])
    })

    it('reads only a little ahead, however much is asked for and cancelled', () => {
      external()
      const peer = readyPeer(1)
      peer.lossyBuffered = LOSSY_BUFFER_HIGH_BYTES
      const jobs: number[] = []
      for (let round = 0; round < 50; round++) {
        const ids = Array.from({ length: 40 }, (_, index) => round * 40 + index)
        for (const id of ids) ask(peer, id, { piece: id % 32, chunks: [{ start: 0, end: 1 }] })
        jobs.push(...reads().map(({ jobId }) => jobId))
        uploader.cancel(1, ids)
      }
      expect(jobs.length).toBeLessThanOrEqual(2)
      // The answers make room for others, and what was read is not forgotten.
      for (const id of [5_000, 5_001, 5_002])
        ask(peer, id, { piece: id % 32, chunks: [{ start: 0, end: 1 }] })
      for (const jobId of jobs) uploader.pieceRead(jobId, new Uint8Array(131_072))
      expect(reads()).toHaveLength(2)
    })

    it('reads the most urgent first, and the next when one has gone out', () => {
      external()
      const peer = readyPeer(1)
      for (let id = 0; id < 6; id++) ask(peer, id, { piece: id, deadlineMs: 9_000 - id * 1_000 })
      const order: number[] = []
      for (let turn = 0; turn < 10; turn++) {
        for (const { jobId, span } of reads()) {
          order.push(span.start / 131_072)
          uploader.pieceRead(jobId, new Uint8Array(131_072))
        }
        peer.lossyBuffered = 0
      }
      expect(order).toEqual([5, 4, 3, 2, 1, 0])
    })
  })

  describe('backlog', () => {
    it('is what is queued, at the assumed uplink until it is measured', () => {
      held()
      const peer = readyPeer(1)
      peer.lossyBuffered = LOSSY_BUFFER_HIGH_BYTES
      ask(peer, 1)
      expect(uploader.backlogMs).toBeCloseTo((CHUNKS * CHUNK_BYTES) / 1_000, 5)
    })

    it('is not mistaken by time in which nothing was asked', () => {
      held()
      const peer = readyPeer(1)
      for (let second = 0; second < 20; second++) {
        now = second * 1_000
        peer.lossyBuffered = 0
        ask(peer, second, { deadlineMs: NO_DEADLINE_MS })
        expect(sent()).toHaveLength(CHUNKS)
      }
      peer.lossyBuffered = LOSSY_BUFFER_HIGH_BYTES
      ask(peer, 100)
      expect(uploader.backlogMs).toBeLessThan(50)
    })

    it('follows what the network takes while there is always more to send', () => {
      held()
      const peer = readyPeer(1)
      let id = 0
      // 100 bytes a millisecond leave the buffer.
      for (now = 0; now < 20_000; now += 20) {
        peer.lossyBuffered = Math.max(0, peer.lossyBuffered - 2_000)
        for (let free = 0; free < 4; free++) ask(peer, id++, { piece: id % 12, deadlineMs: NO_DEADLINE_MS })
        sent()
      }
      uploader.cancel(
        1,
        Array.from({ length: id }, (_, index) => index),
      )
      ask(peer, id, { deadlineMs: NO_DEADLINE_MS })
      const backlog = uploader.backlogMs
      expect(backlog).toBeGreaterThan(0.8 * ((CHUNKS * CHUNK_BYTES) / 100))
      expect(backlog).toBeLessThan(1.25 * ((CHUNKS * CHUNK_BYTES) / 100))
    })

    it('is never so long that it would say that nothing is served, unless that is so', () => {
      start(1)
      held()
      const peer = readyPeer(1)
      for (let piece = 0; piece < 12; piece++) ask(peer, piece, { piece, deadlineMs: NO_DEADLINE_MS })
      sent()
      expect(uploader.backlogMs).toBe(NOT_SERVING_BACKLOG_MS - 1)
      policy.wish = 'paused'
      sent()
      expect(uploader.backlogMs).toBeGreaterThanOrEqual(NOT_SERVING_BACKLOG_MS)
    })

    it('knows its own cap', () => {
      start(10_000)
      held()
      const peer = readyPeer(1)
      peer.lossyBuffered = LOSSY_BUFFER_HIGH_BYTES
      ask(peer, 1)
      expect(uploader.backlogMs).toBeCloseTo((CHUNKS * CHUNK_BYTES) / 10, 5)
    })
  })
})

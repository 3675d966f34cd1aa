import {
  decodeMessage,
  type Have,
  MAX_CONTROL_MESSAGE_BYTES,
  MAX_LOSSY_MESSAGE_BYTES,
  millis,
  type SegmentManifest,
} from '@shoal/protocol'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { peerSays, readyPeer, runEntry, TEST_SWARM, testSegmentId } from '../testing/engine-fixtures.js'
import { HaveAnnouncer } from './have-announcer.js'
import type { Effect } from './io.js'
import type { Peer } from './peer.js'
import { RemoteHave } from './remote-have.js'
import type { Segment } from './segment.js'
import { SegmentStore } from './segment-store.js'

const PIECES = 3
const FLUSH_MS = 30
const SUMMARY_MS = 10_000

let store: SegmentStore
let announcer: HaveAnnouncer
let sent: Extract<Effect, { type: 'send' }>[]
let peer: Peer
let now: number

beforeEach(() => {
  store = new SegmentStore(1_000_000)
  sent = []
  now = SUMMARY_MS
  announcer = new HaveAnnouncer(
    store,
    TEST_SWARM.tag,
    () => 40,
    (effect) => {
      if (effect.type === 'send') sent.push(effect)
    },
  )
  peer = readyPeer(1)
})

/** A manifest of three pieces; its hashes are not looked at here. */
function manifest(segment: Segment): SegmentManifest {
  const hashes = Array.from({ length: PIECES }, () => new Uint8Array(32))
  return { segment: segment.id, offset: 0, size: PIECES * 16_384, pieceSize: 16_384, hashes, signature: null }
}

function open(sequence: number, part: number | null = null): Segment {
  const segment = store.open(testSegmentId(sequence, part))
  segment.manifest ??= manifest(segment)
  return segment
}

function verify(segment: Segment, pieces: readonly number[]): void {
  for (const piece of pieces) segment.verified.add(piece)
  announcer.segmentChanged(segment, millis(now))
}

function drop(segment: Segment): void {
  store.delete(segment.key)
  announcer.segmentDropped(segment, millis(now))
}

function flush(after = FLUSH_MS): Have[] {
  now += after
  sent.length = 0
  announcer.pump([peer], millis(now))
  return haves()
}

function haves(): Have[] {
  return sent.map(({ bytes, channel }) => {
    const message = decodeMessage(bytes, channel)
    if (message.type !== 'have') throw new Error(message.type)
    return message
  })
}

describe('HaveAnnouncer', () => {
  it('tells changes together, soon after the first', () => {
    announcer.summary(peer, millis(now))
    verify(open(1), [0])
    expect(announcer.nextAt).toBe(now + FLUSH_MS)
    verify(open(2), [0, 1, 2])
    expect(flush(FLUSH_MS - 1)).toEqual([])
    const [delta, ...rest] = flush(1)
    expect(rest).toEqual([])
    expect(delta).toMatchObject({ summary: false, backlogMs: 40, serial: 1 })
    expect(delta?.entries).toEqual([
      { kind: 'segment', segment: testSegmentId(1), fetching: false, pieces: { low: 1, high: 0 } },
      runEntry(2),
    ])
    expect(sent[0]?.channel).toBe('lossy')
    expect(announcer.nextAt).toBeNull()
    expect(flush()).toEqual([])
  })

  it('tells consecutive complete segments as one run, on control, and again after a while', () => {
    for (const sequence of [3, 1, 2, 7]) verify(open(sequence), [0, 1, 2])
    announcer.summary(peer, millis(now))
    const [summary] = haves()
    expect(summary?.summary).toBe(true)
    expect(summary?.entries).toEqual([runEntry(1, 3), runEntry(7)])
    expect(sent[0]?.channel).toBe('control')
    expect(flush(SUMMARY_MS).map(({ entries }) => entries)).toEqual([[runEntry(1, 3), runEntry(7)]])
  })

  it('says nothing of what the peer holds itself', () => {
    announcer.summary(peer, millis(now))
    peerSays(peer, [runEntry(1)])
    verify(open(1), [0])
    expect(flush()).toEqual([])
  })

  it('takes back a part, not the segment that it is of', () => {
    announcer.summary(peer, millis(now))
    verify(open(1), [0, 1, 2])
    verify(open(1, 0), [0, 1, 2])
    flush()
    drop(open(1, 0))
    const remote = new RemoteHave()
    remote.apply({
      type: 'have',
      swarmTag: 0,
      serial: 0,
      summary: false,
      backlogMs: 0,
      entries: [runEntry(1)],
    })
    for (const message of flush()) remote.apply(message)
    expect(remote.hasAll(testSegmentId(1))).toBe(true)
  })

  it('tells of a segment again that was dropped and is back', () => {
    announcer.summary(peer, millis(now))
    verify(open(1), [0])
    flush()
    drop(open(1))
    flush()
    verify(open(1), [0])
    expect(flush()).toHaveLength(1)
  })

  it('says nothing of a segment that was dropped before its hash came', () => {
    announcer.summary(peer, millis(now))
    const segment = open(1)
    drop(segment)
    flush()
    verify(segment, [0])
    expect(flush()).toEqual([])
  })

  it('keeps no word on complete segments for each peer', () => {
    for (let sequence = 0; sequence < 2_000; sequence++) verify(open(sequence), [0, 1, 2])
    announcer.summary(peer, millis(now))
    expect(peer.told.size).toBe(0)
    flush()
    expect(peer.told.size).toBe(0)
  })

  it('asks for the backlog once, however many peers hear of it', () => {
    let asked = 0
    const counting = new HaveAnnouncer(
      store,
      TEST_SWARM.tag,
      () => asked++,
      () => undefined,
    )
    counting.segmentChanged(open(1), millis(now))
    const peers = [2, 3, 4].map((link) => readyPeer(link))
    open(1).verified.add(0)
    for (const other of peers) other.summaryAt = now
    counting.pump(peers, millis(now + FLUSH_MS))
    expect(asked).toBe(1)
  })

  const action = fc.record({
    sequence: fc.nat(5),
    part: fc.constantFrom(null, null, 0),
    change: fc.constantFrom('piece', 'whole', 'fetch', 'drop', 'reset', 'flush', 'flush', 'summary'),
    piece: fc.nat(PIECES - 1),
  })

  function act({
    sequence,
    part,
    change,
    piece,
  }: typeof action extends fc.Arbitrary<infer T> ? T : never): void {
    const segment = open(sequence, part)
    if (change === 'piece') verify(segment, [piece])
    if (change === 'whole') verify(segment, [0, 1, 2])
    if (change === 'fetch') {
      segment.fetching = !segment.fetching
      announcer.segmentChanged(segment, millis(now))
    }
    if (change === 'reset') {
      segment.reset()
      segment.manifest = manifest(segment)
      announcer.segmentChanged(segment, millis(now))
    }
    if (change === 'drop') drop(segment)
  }

  function expectTruth(remote: RemoteHave): void {
    for (let sequence = 0; sequence <= 5; sequence++) {
      for (const id of [testSegmentId(sequence), testSegmentId(sequence, 0)]) {
        const segment = open(id.sequence, id.part)
        for (let piece = 0; piece < PIECES; piece++) {
          expect(remote.hasPiece(id, piece)).toBe(segment.verified.has(piece))
        }
        expect(remote.offers(id)).toBe(segment.fetching || segment.verified.size > 0)
      }
    }
  }

  it('leaves who hears everything with the truth, after any changes', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        store = new SegmentStore(1_000_000)
        announcer = new HaveAnnouncer(
          store,
          TEST_SWARM.tag,
          () => 0,
          (effect) => {
            if (effect.type === 'send') sent.push(effect)
          },
        )
        peer = readyPeer(1)
        sent = []
        announcer.summary(peer, millis(now))
        const remote = new RemoteHave()
        const hear = (): void => {
          for (const message of haves()) remote.apply(message)
        }
        hear()
        for (const step of actions) {
          if (step.change === 'flush') flush()
          else if (step.change === 'summary') flush(SUMMARY_MS)
          else act(step)
          if (step.change === 'flush' || step.change === 'summary') hear()
        }
        flush()
        hear()
        expectTruth(remote)
      }),
    )
  })

  it('leaves who misses messages with the truth after the next summary', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), fc.func(fc.boolean()), (actions, lost) => {
        store = new SegmentStore(1_000_000)
        announcer = new HaveAnnouncer(
          store,
          TEST_SWARM.tag,
          () => 0,
          (effect) => {
            if (effect.type === 'send') sent.push(effect)
          },
        )
        peer = readyPeer(1)
        sent = []
        announcer.summary(peer, millis(now))
        const remote = new RemoteHave()
        for (const [index, step] of actions.entries()) {
          if (step.change !== 'flush') act(step)
          else for (const message of flush()) if (!lost(index, message.serial)) remote.apply(message)
        }
        for (const message of flush(SUMMARY_MS)) remote.apply(message)
        expectTruth(remote)
      }),
    )
  })

  it('keeps every message within its channel’s limit', () => {
    for (let sequence = 0; sequence < 3_000; sequence += 2)
      verify(open(sequence), sequence % 4 === 0 ? [0] : [0, 1, 2])
    announcer.summary(peer, millis(now))
    const summaries = haves()
    expect(summaries.length).toBeGreaterThan(1)
    expect(summaries.map(({ summary }) => summary)).toEqual(summaries.map((_, index) => index === 0))
    peer.told.clear()
    const deltas = flush()
    expect(deltas.length).toBeGreaterThan(10)
    const remote = new RemoteHave()
    for (const message of [...summaries, ...deltas]) remote.apply(message)
    expect(remote.hasAll(testSegmentId(2))).toBe(true)
    expect(remote.hasAll(testSegmentId(2_998))).toBe(true)
    for (const { bytes, channel } of sent) {
      const limit = channel === 'lossy' ? MAX_LOSSY_MESSAGE_BYTES : MAX_CONTROL_MESSAGE_BYTES
      expect(bytes.byteLength).toBeLessThanOrEqual(limit)
    }
  })
})

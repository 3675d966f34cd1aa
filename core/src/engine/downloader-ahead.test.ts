import { CHUNK_BYTES, chunkCountOf, MIN_PIECE_BYTES, millis, type Request } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { EngineDriver } from '../testing/engine-driver.js'
import {
  effectsOf,
  runEntry,
  sameBytes,
  TEST_SWARM,
  testBytes,
  testManifest,
  testSegmentId,
  wantedOf,
} from '../testing/engine-fixtures.js'
import type { Effect } from './io.js'

const BYTES = testBytes(6 * MIN_PIECE_BYTES)
const SIZE = BYTES.byteLength
const { tag: swarmTag } = TEST_SWARM

/** A viewer that played segment 1, while peer 1 holds `count` segments from the first. */
function viewer({ count = 2, deadlineMs = 10_000, range = false, live = false } = {}): EngineDriver {
  const driver = new EngineDriver()
  driver.connect(1)
  const entries = [runEntry(1, count)]
  driver.receive(1, { type: 'have', swarmTag, serial: 1, summary: false, backlogMs: 0, entries })
  const deadline = millis(driver.now + deadlineMs)
  const bytes = range ? { start: 0, end: SIZE } : null
  driver.want(1, wantedOf(testSegmentId(1), { deadline, live, range: bytes }))
  manifestComes(driver, 1)
  answerAll(driver)
  expect(effectsOf(driver.effects, 'done')).toMatchObject([{ wantId: 1 }])
  return driver
}

/** Lets the peer send the manifest of a segment. */
function manifestComes(driver: EngineDriver, sequence: number): void {
  driver.advance(50)
  driver.receive(1, { type: 'manifest', swarmTag, manifest: testManifest(testSegmentId(sequence), BYTES) })
}

let serial = 1
function says(driver: EngineDriver, count: number, backlogMs: number): Effect[] {
  const entries = [runEntry(1, count)]
  const have = { type: 'have', swarmTag, serial: ++serial, summary: false } as const
  return driver.receive(1, { ...have, backlogMs, entries })
}

/** Lets time pass while the peer says that it serves others first. */
function waits(driver: EngineDriver, ms: number): void {
  for (let spent = 0; spent < ms; spent += 5_000) {
    says(driver, 2, 60_000)
    driver.advance(5_000)
  }
}

function requestsFor(driver: EngineDriver, sequence: number, effects = driver.effects): Request[] {
  return driver
    .sent(1, effects)
    .flatMap((message) =>
      message.type === 'request' && message.segment.sequence === sequence ? [message] : [],
    )
}

function manifestsAsked(driver: EngineDriver, effects: readonly Effect[] = driver.effects): number[] {
  const asked = new Set<number>()
  for (const message of driver.sent(1, effects)) {
    if (message.type === 'manifest-request') asked.add(message.segment.sequence)
  }
  return [...asked].sort((a, b) => a - b)
}

function answer(driver: EngineDriver, { requestId, piece }: Request): void {
  const bytes = BYTES.subarray(piece * MIN_PIECE_BYTES, (piece + 1) * MIN_PIECE_BYTES)
  for (let chunk = 0; chunk < chunkCountOf(MIN_PIECE_BYTES); chunk++) {
    const payload = bytes.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES)
    driver.receive(1, { type: 'data', swarmTag, requestId, chunk, serial: 0, payload })
  }
}

/** Lets the peer answer what it was asked of a segment, from its `first` request up to its `end`th. */
function answerAll(driver: EngineDriver, sequence = 1, first = 0, end = Number.POSITIVE_INFINITY): void {
  for (let turn = first; turn < Math.min(end, requestsFor(driver, sequence).length); turn++) {
    const request = requestsFor(driver, sequence)[turn]
    if (request !== undefined) answer(driver, request)
  }
}

function wantNext(driver: EngineDriver, sequence = 2): void {
  driver.want(
    sequence,
    wantedOf(testSegmentId(sequence), { deadline: millis(driver.now + 20_000), live: false }),
  )
}

function resultOf(driver: EngineDriver, wantId: number) {
  return effectsOf(driver.effects, 'done').find((effect) => effect.wantId === wantId)?.result
}

describe('what the host will want next', () => {
  it('is fetched from peers, said to nobody, and given at once when it is wanted, counted once', () => {
    const driver = viewer()
    manifestComes(driver, 2)
    answerAll(driver, 2)
    expect(driver.engine.snapshot().cachedSegments).toBe(2)
    expect(effectsOf(driver.effects, 'progress').every(({ wantId }) => wantId === 1)).toBe(true)
    expect(effectsOf(driver.effects, 'done')).toHaveLength(1)
    const before = requestsFor(driver, 2).length
    wantNext(driver)
    expect(sameBytes(resultOf(driver, 2)?.bytes, BYTES)).toBe(true)
    expect(resultOf(driver, 2)?.sources).toEqual({ http: 0, peers: SIZE, seeders: 0 })
    expect(driver.engine.snapshot()).toMatchObject({ peerBytes: 2 * SIZE, httpBytes: 0 })
    expect(requestsFor(driver, 2)).toHaveLength(before)
    // Played once more, it is not counted again.
    driver.want(22, wantedOf(testSegmentId(2), { deadline: millis(driver.now + 20_000) }))
    expect(resultOf(driver, 22)?.sources).toEqual({ http: 0, peers: 0, seeders: 0 })
  })

  it('goes on where it was when the host wants it half way', () => {
    const driver = viewer()
    manifestComes(driver, 2)
    answerAll(driver, 2, 0, 3)
    wantNext(driver)
    expect(resultOf(driver, 2)).toBeUndefined()
    answerAll(driver, 2, 3)
    expect(
      requestsFor(driver, 2)
        .map(({ piece }) => piece)
        .sort(),
    ).toEqual([0, 1, 2, 3, 4, 5])
    expect(resultOf(driver, 2)?.sources).toEqual({ http: 0, peers: SIZE, seeders: 0 })
    expect(driver.engine.snapshot().wastedBytes).toBe(0)
  })

  it('never costs the origin a request, however long peers take', () => {
    for (const described of [false, true]) {
      const driver = viewer()
      if (described) manifestComes(driver, 2)
      expect(manifestsAsked(driver)).toContain(2)
      waits(driver, 30_000)
      expect(driver.links).toBe(1)
      expect(effectsOf(driver.effects, 'http-fetch')).toEqual([])
      expect(effectsOf(driver.effects, 'failed')).toEqual([])
    }
  })

  it('is forgotten when the host has not come for it', () => {
    const driver = viewer()
    manifestComes(driver, 2)
    const ids = requestsFor(driver, 2).map(({ requestId }) => requestId)
    expect(ids.length).toBeGreaterThan(0)
    // Segment 1 was due after 10 s and is 4 s long: the host has turned away after 18 s.
    waits(driver, 25_000)
    const cancelled = driver
      .sent(1)
      .flatMap((message) => (message.type === 'cancel' ? message.requestIds : []))
    expect(cancelled).toEqual(expect.arrayContaining(ids))
    const sent = says(driver, 2, 0)
    sent.push(...driver.advance(2_000))
    expect(driver.links).toBe(1)
    expect(requestsFor(driver, 2, sent)).toEqual([])
    expect(manifestsAsked(driver, sent)).toEqual([])
  })

  it('is six segments at most on demand and two live, however much peers hold', () => {
    const driver = viewer({ count: 1_000 })
    driver.advance(1_000)
    expect(manifestsAsked(driver)).toEqual([1, 2, 3, 4, 5, 6, 7])
    const live = viewer({ count: 1_000, live: true })
    live.advance(1_000)
    expect(manifestsAsked(live)).toEqual([1, 2, 3])
  })

  it('is not guessed where the playlist gives byte ranges', () => {
    const driver = viewer({ range: true })
    driver.advance(2_000)
    expect(manifestsAsked(driver)).toEqual([1])
  })

  it('is asked for only when all of what is played now has been', () => {
    const driver = new EngineDriver()
    driver.connect(1)
    const entries = [runEntry(1, 2)]
    driver.receive(1, { type: 'have', swarmTag, serial: 1, summary: false, backlogMs: 0, entries })
    driver.want(1, wantedOf(testSegmentId(1), { deadline: millis(driver.now + 10_000) }))
    for (const sequence of [1, 2]) manifestComes(driver, sequence)
    // More than fits into the peer's window.
    expect(requestsFor(driver, 1).length).toBeGreaterThan(0)
    answerAll(driver, 1)
    answerAll(driver, 2)
    const asked = driver
      .sent(1)
      .flatMap((message) => (message.type === 'request' ? [message.segment.sequence] : []))
    expect(asked).toEqual([...asked].sort())
    expect(new Set(asked)).toEqual(new Set([1, 2]))
  })
})

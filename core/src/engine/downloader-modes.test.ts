import { type ByteSpan, CHUNK_BYTES, chunkCountOf, millis, pieceSizeFor, type Request } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { OriginError } from '../ports/origin.js'
import type { DownloadMode } from '../runtime/swarm-api.js'
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

const ID = testSegmentId()
/** 20 pieces of 32 KiB. */
const BYTES = testBytes(640 * 1024)
const SIZE = BYTES.byteLength
const PIECE = pieceSizeFor(SIZE)
const PIECES = SIZE / PIECE
const { tag: swarmTag } = TEST_SWARM
const REFUSED: OriginError = { kind: 'http-status', status: 503, message: 'no' }

/** A viewer that wants the segment, and has heard of it from peer 1, which has the manifest ready. */
function wanting(mode: DownloadMode, { deadlineMs = 60_000, spared = false } = {}): EngineDriver {
  const driver = new EngineDriver({ mode })
  driver.connect(1)
  driver.input({ type: 'spare-origin', spared })
  const entries = [runEntry(ID.sequence)]
  driver.receive(1, { type: 'have', swarmTag, serial: 1, summary: false, backlogMs: 0, entries })
  driver.want(1, wantedOf(ID, { deadline: millis(driver.now + deadlineMs) }))
  driver.receive(1, { type: 'manifest', swarmTag, manifest: testManifest(ID, BYTES) })
  return driver
}

function requestsOf(driver: EngineDriver, effects = driver.effects): Request[] {
  return driver.sent(1, effects).flatMap((message) => (message.type === 'request' ? [message] : []))
}

function fetchesOf(driver: EngineDriver) {
  return effectsOf(driver.effects, 'http-fetch')
}

function answer(driver: EngineDriver, { requestId, piece }: Request): void {
  const bytes = BYTES.subarray(piece * PIECE, (piece + 1) * PIECE)
  for (let chunk = 0; chunk < chunkCountOf(PIECE); chunk++) {
    const payload = bytes.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES)
    driver.receive(1, { type: 'data', swarmTag, requestId, chunk, serial: 0, payload })
  }
}

/** Lets the peer answer all that it is asked, until nothing more is. */
function answerAll(driver: EngineDriver): void {
  for (let turn = 0; turn < requestsOf(driver).length; turn++) {
    const request = requestsOf(driver)[turn]
    if (request !== undefined) answer(driver, request)
  }
}

function http(driver: EngineDriver, fetchId: number, { start, end }: ByteSpan): void {
  driver.input({ type: 'http-data', fetchId, offset: start, bytes: BYTES.slice(start, end) })
}

function resultOf(driver: EngineDriver) {
  const [done] = effectsOf(driver.effects, 'done')
  if (done === undefined) throw new Error('the want is not over')
  expect(sameBytes(done.result.bytes, BYTES)).toBe(true)
  return done.result
}

describe('server-friendly', () => {
  it('asks peers, and the origin for nothing while they deliver', () => {
    const driver = wanting('server-friendly')
    answerAll(driver)
    expect(resultOf(driver).sources).toEqual({ http: 0, peers: SIZE, seeders: 0 })
    expect(fetchesOf(driver)).toEqual([])
  })
})

describe('peer-friendly', () => {
  it('asks the origin, and peers for nothing while it is fast enough', () => {
    const driver = wanting('peer-friendly')
    expect(fetchesOf(driver).map(({ span }) => span)).toEqual([null])
    const fetchId = fetchesOf(driver)[0]?.fetchId ?? -1
    driver.input({ type: 'http-response', fetchId, total: SIZE })
    for (let at = 0; at < SIZE; at += SIZE / 10) {
      driver.advance(300)
      http(driver, fetchId, { start: at, end: at + SIZE / 10 })
    }
    expect(requestsOf(driver)).toEqual([])
    expect(resultOf(driver).sources).toEqual({ http: SIZE, peers: 0, seeders: 0 })
  })

  it('leaves to peers the end that a slow origin will not bring in time, and goes on before it', () => {
    const driver = wanting('peer-friendly', { deadlineMs: 4_000 })
    const fetchId = fetchesOf(driver)[0]?.fetchId ?? -1
    driver.input({ type: 'http-response', fetchId, total: SIZE })
    http(driver, fetchId, { start: 0, end: PIECE })
    driver.advance(200)
    expect(requestsOf(driver)).toEqual([])
    // A piece in 500 ms, and 3.5 s to go: eight by the deadline, of which 70 % are counted on.
    driver.advance(300)
    const asked = requestsOf(driver).map(({ piece }) => piece)
    expect(asked.length).toBeGreaterThan(0)
    expect(Math.min(...asked)).toBeGreaterThanOrEqual(3)
    answerAll(driver)
    const all = new Set(requestsOf(driver).map(({ piece }) => piece))
    const left = [...Array(PIECES).keys()].filter((piece) => !all.has(piece))
    expect(left).toEqual([...left.keys()])
    expect(effectsOf(driver.effects, 'http-cancel')).toEqual([])
    http(driver, fetchId, { start: PIECE, end: left.length * PIECE })
    const { sources } = resultOf(driver)
    expect(sources).toEqual({ http: left.length * PIECE, peers: SIZE - left.length * PIECE, seeders: 0 })
    // Its end is here already: the load is given up with the last missing piece.
    expect(effectsOf(driver.effects, 'http-cancel')).toEqual([{ type: 'http-cancel', fetchId }])
    expect(driver.engine.snapshot().wastedBytes).toBe(0)
  })

  it('turns to peers where the origin fails', () => {
    const driver = wanting('peer-friendly')
    expect(requestsOf(driver)).toEqual([])
    driver.input({ type: 'http-error', fetchId: fetchesOf(driver)[0]?.fetchId ?? -1, error: REFUSED })
    answerAll(driver)
    expect(resultOf(driver).sources).toEqual({ http: 0, peers: SIZE, seeders: 0 })
    expect(fetchesOf(driver)).toHaveLength(1)
    expect(effectsOf(driver.effects, 'failed')).toEqual([])
  })

  it('turns to peers while the host asks to spare the origin, and back', () => {
    const driver = wanting('peer-friendly', { spared: true })
    answerAll(driver)
    expect(resultOf(driver).sources.peers).toBe(SIZE)
    expect(fetchesOf(driver)).toEqual([])
    driver.input({ type: 'spare-origin', spared: false })
    driver.want(2, wantedOf(testSegmentId(2), { deadline: millis(driver.now + 60_000) }))
    expect(fetchesOf(driver).map(({ wantId }) => wantId)).toEqual([2])
  })
})

describe('aggressive', () => {
  it('asks the origin for the front and peers for the rest, and gets no byte twice', () => {
    const driver = wanting('aggressive')
    const front = fetchesOf(driver)[0]?.span
    // Neither has been measured: half each, and more than a request is worth.
    expect(front).toEqual({ start: 0, end: SIZE / 2 })
    const first = requestsOf(driver).map(({ piece }) => piece)
    expect(first.length).toBeGreaterThan(0)
    expect(Math.min(...first)).toBeGreaterThanOrEqual(PIECES / 2)
    for (let turn = 0; turn < 2 * PIECES && effectsOf(driver.effects, 'done').length === 0; turn++) {
      const request = requestsOf(driver)[turn]
      if (request !== undefined) answer(driver, request)
      const fetch = fetchesOf(driver)[turn]
      if (fetch !== undefined) {
        const { fetchId, span } = fetch
        driver.input({ type: 'http-response', fetchId, total: SIZE })
        http(driver, fetchId, span ?? { start: 0, end: SIZE })
        driver.input({ type: 'http-done', fetchId })
      }
      driver.advance(50)
    }
    const { http: fromOrigin, peers } = resultOf(driver).sources
    expect(fromOrigin).toBeGreaterThanOrEqual(SIZE / 2)
    expect(peers).toBeGreaterThan(0)
    expect(fromOrigin + peers).toBe(SIZE)
    expect(driver.engine.snapshot().wastedBytes).toBe(0)
    expect(driver.engine.snapshot().segments).toEqual({ http: 0, peers: 0, mixed: 1 })
  })

  it('asks the origin for all at once where no peer has any of it', () => {
    const driver = new EngineDriver({ mode: 'aggressive' })
    driver.connect(1)
    driver.want(1, wantedOf(ID, { deadline: millis(driver.now + 60_000) }))
    expect(fetchesOf(driver).map(({ span }) => span)).toEqual([null])
  })
})

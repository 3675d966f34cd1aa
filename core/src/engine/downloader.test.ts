import { CHUNK_BYTES, chunkCountOf, MIN_PIECE_BYTES, millis, type Request } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { OriginError } from '../ports/origin.js'
import { EngineDriver } from '../testing/engine-driver.js'
import {
  effectsOf,
  runEntry,
  sameBytes,
  TEST_SWARM,
  testBytes,
  testManifest,
  testPeerId,
  testSegmentId,
  wantedOf,
} from '../testing/engine-fixtures.js'
import type { Effect } from './io.js'

const ID = testSegmentId()
const BYTES = testBytes(6 * MIN_PIECE_BYTES)
const MANIFEST = testManifest(ID, BYTES)
const REFUSED: OriginError = { kind: 'http-status', status: 503, message: 'no' }
/** An origin that ends every load at once would be due at this deadline; peers are asked before. */
const LATER = 60_000

function says(driver: EngineDriver, link: number, sequence = 1): Effect[] {
  const entries = [runEntry(sequence)]
  return driver.receive(link, {
    type: 'have',
    swarmTag: TEST_SWARM.tag,
    serial: 1,
    summary: false,
    backlogMs: 0,
    entries,
  })
}

/** A viewer that wants the segment, has its manifest, and has asked peer 1 for pieces. */
function asking(options = {}, manifest = MANIFEST, deadline = LATER): EngineDriver {
  const driver = new EngineDriver(options)
  driver.connect(1)
  says(driver, 1)
  driver.want(1, wantedOf(ID, { deadline: millis(driver.now + deadline) }))
  driver.receive(1, { type: 'manifest', swarmTag: TEST_SWARM.tag, manifest })
  return driver
}

function requestsTo(driver: EngineDriver, link: number): Request[] {
  return driver.sent(link).flatMap((message) => (message.type === 'request' ? [message] : []))
}

/** Answers a request as the peer would, or with other bytes. */
function answer(
  driver: EngineDriver,
  link: number,
  request: Request,
  bytes = BYTES,
  chunks?: number,
): Effect[] {
  const start = request.piece * MIN_PIECE_BYTES
  const piece = bytes.subarray(start, start + MIN_PIECE_BYTES)
  const effects: Effect[] = []
  for (let chunk = 0; chunk < (chunks ?? chunkCountOf(piece.byteLength)); chunk++) {
    const payload = piece.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES)
    const { requestId } = request
    effects.push(
      ...driver.receive(link, {
        type: 'data',
        swarmTag: TEST_SWARM.tag,
        requestId,
        chunk,
        serial: 0,
        payload,
      }),
    )
  }
  return effects
}

function fetchesOf(driver: EngineDriver) {
  return effectsOf(driver.effects, 'http-fetch')
}

function lastFetch(driver: EngineDriver): number {
  return fetchesOf(driver).at(-1)?.fetchId ?? -1
}

function http(driver: EngineDriver, fetchId: number, offset: number, end: number): Effect[] {
  return driver.input({ type: 'http-data', fetchId, offset, bytes: BYTES.slice(offset, end) })
}

function resultOf(driver: EngineDriver, wantId = 1) {
  return effectsOf(driver.effects, 'done').find((effect) => effect.wantId === wantId)?.result
}

/** Everything from HTTP. */
function load(driver: EngineDriver, bytes = BYTES): void {
  const fetchId = lastFetch(driver)
  driver.input({ type: 'http-response', fetchId, total: bytes.byteLength })
  driver.input({ type: 'http-data', fetchId, offset: 0, bytes: bytes.slice() })
  driver.input({ type: 'http-done', fetchId })
}

describe('Downloader', () => {
  it('takes a segment from a peer, verified piece by piece', () => {
    const driver = asking()
    for (let turn = 0; turn < 6; turn++) {
      const asked = requestsTo(driver, 1)[turn]
      if (asked !== undefined) answer(driver, 1, asked)
    }
    expect(sameBytes(resultOf(driver)?.bytes, BYTES)).toBe(true)
    expect(resultOf(driver)?.sources).toEqual({ http: 0, peers: BYTES.byteLength, seeders: 0 })
    expect(fetchesOf(driver)).toEqual([])
  })

  it('plays no byte of a corrupt piece, when the origin brings the same piece while it is checked', () => {
    const driver = asking({ holdHashes: true })
    const [request] = requestsTo(driver, 1)
    if (request === undefined) throw new Error('nothing was asked')
    answer(driver, 1, request, new Uint8Array(BYTES.byteLength).fill(9))
    driver.input({ type: 'deadline', wantId: 1, deadline: millis(driver.now) })
    const fetchId = lastFetch(driver)
    driver.input({ type: 'http-response', fetchId, total: BYTES.byteLength })
    const middle = (request.piece + 1) * MIN_PIECE_BYTES
    http(driver, fetchId, 0, middle)
    driver.answerHashes()
    http(driver, fetchId, middle, BYTES.byteLength)
    driver.input({ type: 'http-done', fetchId })
    driver.answerHashes()
    driver.advance(2_000)
    // Where the piece has to be loaded once more, it is.
    const again = lastFetch(driver)
    if (again !== fetchId) {
      const span = fetchesOf(driver).at(-1)?.span
      http(driver, again, span?.start ?? 0, span?.end ?? BYTES.byteLength)
      driver.input({ type: 'http-done', fetchId: again })
    }
    expect(sameBytes(resultOf(driver)?.bytes, BYTES)).toBe(true)
  })

  it('plays no byte of a peer that comes beside the origin’s, for a second want of the segment', () => {
    const driver = asking({ holdHashes: true })
    driver.input({ type: 'deadline', wantId: 1, deadline: millis(driver.now) })
    driver.want(2, wantedOf(ID, { deadline: millis(driver.now + LATER) }))
    const fetchId = lastFetch(driver)
    http(driver, fetchId, 0, 2_000)
    for (const request of requestsTo(driver, 1))
      answer(driver, 1, request, new Uint8Array(BYTES.byteLength).fill(9), 5)
    http(driver, fetchId, 2_000, BYTES.byteLength)
    driver.input({ type: 'http-done', fetchId })
    expect(sameBytes(resultOf(driver)?.bytes, BYTES)).toBe(true)
    expect(sameBytes(resultOf(driver, 2)?.bytes, BYTES)).toBe(true)
    expect(fetchesOf(driver)).toHaveLength(1)
  })

  it('plays no byte of a peer where the origin ignores Range and brings what a peer is asked for', () => {
    const bytes = testBytes(12 * MIN_PIECE_BYTES)
    const driver = asking({}, testManifest(ID, bytes))
    // All but the first and the last piece: the gap between them is too large for one Range.
    for (let turn = 0; turn < 12; turn++) {
      const request = requestsTo(driver, 1)[turn]
      if (request !== undefined && request.piece % 11 !== 0) answer(driver, 1, request, bytes)
    }
    const last = requestsTo(driver, 1).find(({ piece }) => piece === 11)
    if (last === undefined) throw new Error('the last piece was not asked for')
    driver.input({ type: 'deadline', wantId: 1, deadline: millis(driver.now) })
    expect(fetchesOf(driver).map(({ span }) => span)).toEqual([{ start: 0, end: MIN_PIECE_BYTES }])
    const fetchId = lastFetch(driver)
    const halfOfLast = 11 * MIN_PIECE_BYTES + 5_000
    driver.input({ type: 'http-data', fetchId, offset: 0, bytes: bytes.slice(0, halfOfLast) })
    answer(driver, 1, last, new Uint8Array(bytes.byteLength).fill(9), 2)
    driver.input({ type: 'http-data', fetchId, offset: halfOfLast, bytes: bytes.slice(halfOfLast) })
    expect(sameBytes(resultOf(driver)?.bytes, bytes)).toBe(true)
  })

  it('gives two wants of one unknown segment its true bytes, when the first is given up half way', () => {
    const driver = new EngineDriver()
    for (const wantId of [1, 2]) driver.want(wantId, wantedOf(ID, { deadline: millis(driver.now) }))
    const [first] = fetchesOf(driver)
    for (const { fetchId } of fetchesOf(driver)) {
      driver.input({ type: 'http-response', fetchId, total: BYTES.byteLength })
      http(driver, fetchId, 0, 40_000)
    }
    driver.input({ type: 'unwant', wantId: 1 })
    const fetchId = lastFetch(driver)
    const restarted = fetchId !== first?.fetchId && fetchesOf(driver).length === 2
    driver.input({ type: 'http-response', fetchId, total: BYTES.byteLength })
    http(driver, fetchId, restarted ? 0 : 40_000, BYTES.byteLength)
    driver.input({ type: 'http-done', fetchId })
    expect(sameBytes(resultOf(driver, 2)?.bytes, BYTES)).toBe(true)
  })

  it.each([
    ['the last byte, where the size is known', BYTES.byteLength, 150],
    ['the end of the response, where it is not', null, 200],
  ])('measures times at the input that ended the load: %s', (_, total, after) => {
    const driver = new EngineDriver()
    driver.want(1, wantedOf(ID, { deadline: millis(driver.now) }))
    const fetchId = lastFetch(driver)
    const startedAt = driver.now
    driver.now += 120
    driver.input({ type: 'http-response', fetchId, total })
    driver.now += 30
    http(driver, fetchId, 0, BYTES.byteLength)
    driver.now += 50
    driver.input({ type: 'http-done', fetchId })
    const { startedAt: started, firstByteAt, finishedAt } = resultOf(driver) ?? {}
    expect([started, firstByteAt, finishedAt]).toEqual([startedAt, startedAt + 150, startedAt + after])
  })

  it('plays from the origin whatever size a peer’s manifest says', () => {
    for (const size of [BYTES.byteLength - 100, BYTES.byteLength + 100]) {
      for (const total of [BYTES.byteLength, null]) {
        const driver = asking({}, testManifest(ID, testBytes(size)))
        driver.input({ type: 'deadline', wantId: 1, deadline: millis(driver.now) })
        for (let attempt = 0; attempt < 3 && resultOf(driver) === undefined; attempt++) {
          const fetchId = lastFetch(driver)
          driver.input({ type: 'http-response', fetchId, total })
          http(driver, fetchId, 0, BYTES.byteLength)
          driver.input({ type: 'http-done', fetchId })
        }
        expect(effectsOf(driver.effects, 'failed')).toEqual([])
        expect(sameBytes(resultOf(driver)?.bytes, BYTES)).toBe(true)
      }
    }
  })

  it('takes a manifest only where it asked, and one for each time', () => {
    const driver = asking({}, testManifest(testSegmentId(77), BYTES))
    expect(effectsOf(driver.effects, 'check-manifest')).toEqual([])
    const unsigned = { integrity: 'signed' as const }
    const signed = asking(unsigned)
    for (let flood = 0; flood < 100; flood++) {
      signed.receive(1, { type: 'manifest', swarmTag: TEST_SWARM.tag, manifest: MANIFEST })
    }
    expect(effectsOf(signed.effects, 'check-manifest')).toHaveLength(1)
  })

  it('asks for a manifest as soon as a peer that was fetching has the segment', () => {
    const driver = new EngineDriver()
    driver.connect(1)
    const entries = [{ kind: 'segment' as const, segment: ID, fetching: true, pieces: { low: 0, high: 0 } }]
    driver.receive(1, {
      type: 'have',
      swarmTag: TEST_SWARM.tag,
      serial: 1,
      summary: false,
      backlogMs: 0,
      entries,
    })
    driver.want(1, wantedOf(ID, { deadline: millis(driver.now + LATER) }))
    driver.advance(600)
    const effects = driver.receive(1, {
      type: 'have',
      swarmTag: TEST_SWARM.tag,
      serial: 2,
      summary: false,
      backlogMs: 0,
      entries: [runEntry(1)],
    })
    expect(driver.sent(1, effects).map(({ type }) => type)).toContain('manifest-request')
  })

  /** Lets peer 1 stay silent and HTTP fail until the peer is given up, whatever the wants become. */
  function untilGivenUp(driver: EngineDriver): Effect[] {
    for (let step = 0; step < 1_200; step++) {
      const effects = driver.advance(50)
      if (effectsOf(effects, 'close-link').length > 0) return effects
      for (const { fetchId } of effectsOf(effects, 'http-fetch')) {
        const ended = driver.input({ type: 'http-error', fetchId, error: REFUSED })
        for (const { wantId } of effectsOf(ended, 'failed')) {
          driver.want(wantId + 1, wantedOf(ID, { deadline: millis(driver.now + LATER) }))
        }
      }
    }
    throw new Error('the silent peer is still there')
  }

  it('asks nothing of a peer that it has just given up', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const driver = asking({ seed })
      const effects = untilGivenUp(driver)
      const closed = effects.findIndex((effect) => effect.type === 'close-link')
      expect(driver.sent(1, effects.slice(closed))).toEqual([])
    }
  })

  it('lets another peer deliver what a peer owed that it has given up', () => {
    const driver = asking()
    untilGivenUp(driver)
    // A load that was under way is over, and the player asks anew.
    for (const { fetchId } of effectsOf(driver.effects, 'http-fetch')) {
      driver.input({ type: 'http-error', fetchId, error: REFUSED })
    }
    driver.connect(2)
    says(driver, 2)
    driver.want(1_000, wantedOf(ID, { deadline: millis(driver.now + LATER) }))
    driver.receive(2, { type: 'manifest', swarmTag: TEST_SWARM.tag, manifest: MANIFEST })
    for (let turn = 0; turn < 40; turn++) {
      for (const { fetchId } of effectsOf(driver.advance(50), 'http-fetch')) {
        driver.input({ type: 'http-error', fetchId, error: REFUSED })
      }
      const request = requestsTo(driver, 2)[turn]
      if (request !== undefined) answer(driver, 2, request)
    }
    expect(sameBytes(effectsOf(driver.effects, 'done').at(-1)?.result.bytes, BYTES)).toBe(true)
  })

  it('drops a peer after two corrupt pieces, counts them, and lets it not come back for a while', () => {
    const driver = new EngineDriver()
    driver.connect(1)
    for (const sequence of [1, 2]) {
      expect(driver.links).toBe(1)
      const id = testSegmentId(sequence)
      says(driver, 1, sequence)
      driver.want(sequence, wantedOf(id, { deadline: millis(driver.now + LATER) }))
      driver.receive(1, { type: 'manifest', swarmTag: TEST_SWARM.tag, manifest: testManifest(id, BYTES) })
      const request = requestsTo(driver, 1).at(-1)
      if (request === undefined) throw new Error('nothing was asked')
      answer(driver, 1, request, new Uint8Array(BYTES.byteLength).fill(9))
    }
    expect(driver.links).toBe(0)
    expect(driver.engine.snapshot().corruptPieces).toBe(2)
    expect(effectsOf(driver.connect(2, { peerId: testPeerId('peer-1') }), 'close-link')).toHaveLength(1)
    driver.advance(600_000, 10_000)
    expect(effectsOf(driver.connect(3, { peerId: testPeerId('peer-1') }), 'close-link')).toEqual([])
  })

  it('tells the player of the origin’s error although a peer says that it has the segment', () => {
    const driver = asking()
    for (let step = 0; step < 400 && effectsOf(driver.effects, 'failed').length === 0; step++) {
      for (const { fetchId } of effectsOf(driver.advance(50), 'http-fetch')) {
        driver.input({ type: 'http-error', fetchId, error: REFUSED })
      }
    }
    expect(effectsOf(driver.effects, 'failed')).toEqual([{ type: 'failed', wantId: 1, error: REFUSED }])
    expect(driver.now).toBeLessThan(20_000)
  })

  it('ends a want when its segment is published, and lets no answer of a peer into what was', () => {
    const driver = asking({ holdHashes: true })
    const requests = requestsTo(driver, 1)
    const published = BYTES.slice()
    driver.input({ type: 'publish', manifest: MANIFEST, bytes: published })
    expect(sameBytes(resultOf(driver)?.bytes, BYTES)).toBe(true)
    for (const request of requests) answer(driver, 1, request, new Uint8Array(BYTES.byteLength).fill(9))
    driver.answerHashes()
    expect(sameBytes(published, BYTES)).toBe(true)
  })

  it('serves a want of what is published outside memory by HTTP, before and after', () => {
    const driver = new EngineDriver()
    driver.want(1, wantedOf(ID, { deadline: millis(driver.now + LATER) }))
    driver.input({ type: 'publish', manifest: MANIFEST, bytes: null })
    load(driver)
    driver.want(2, wantedOf(ID, { deadline: millis(driver.now + LATER) }))
    load(driver)
    expect(sameBytes(resultOf(driver, 1)?.bytes, BYTES)).toBe(true)
    expect(sameBytes(resultOf(driver, 2)?.bytes, BYTES)).toBe(true)
  })

  it('keeps no request, manifest or segment of wants that come and go for ever', () => {
    const driver = new EngineDriver({ memoryBytes: 3 * BYTES.byteLength })
    driver.connect(1)
    for (let sequence = 1; sequence <= 200; sequence++) {
      says(driver, 1, sequence)
      driver.want(sequence, wantedOf(testSegmentId(sequence), { deadline: millis(driver.now) }))
      load(driver)
      if (sequence % 2 === 0) driver.input({ type: 'unwant', wantId: sequence })
      driver.advance(200)
    }
    expect(effectsOf(driver.effects, 'done')).toHaveLength(200)
    expect(driver.engine.snapshot().cachedBytes).toBeLessThanOrEqual(3 * BYTES.byteLength)
    expect(driver.engine.snapshot().cachedSegments).toBeLessThanOrEqual(3)
  })
})

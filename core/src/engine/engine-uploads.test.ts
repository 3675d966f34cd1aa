import {
  CHUNK_BYTES,
  MIN_PIECE_BYTES,
  millis,
  NOT_SERVING_BACKLOG_MS,
  type PeerMessage,
} from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { EngineDriver } from '../testing/engine-driver.js'
import {
  effectsOf,
  runEntry,
  TEST_SWARM,
  testBytes,
  testManifest,
  testSegmentId,
  wantedOf,
} from '../testing/engine-fixtures.js'
import type { Effect } from './io.js'

const ID = testSegmentId()
const BYTES = testBytes(4 * MIN_PIECE_BYTES)
const MANIFEST = testManifest(ID, BYTES)
const { tag } = TEST_SWARM
const PIECE_CHUNKS = Math.ceil(MIN_PIECE_BYTES / CHUNK_BYTES)

function request(requestId: number, piece = 0): PeerMessage {
  const chunks = [{ start: 0, end: PIECE_CHUNKS }]
  return { type: 'request', swarmTag: tag, requestId, segment: ID, piece, deadlineMs: 5_000, chunks }
}

function have(serial: number, backlogMs = 0, whole = true): PeerMessage {
  return {
    type: 'have',
    swarmTag: tag,
    serial,
    summary: whole,
    backlogMs,
    entries: whole ? [runEntry(1)] : [],
  }
}

/** An engine that holds the segment, with two peers. */
function holder(options: ConstructorParameters<typeof EngineDriver>[0] = {}): EngineDriver {
  const driver = new EngineDriver(options)
  driver.input({ type: 'publish', manifest: MANIFEST, bytes: BYTES })
  driver.connect(1)
  driver.connect(2)
  driver.advance(100)
  return driver
}

/** What peers would read of our backlog in these effects, by link. */
function backlogs(driver: EngineDriver, effects: readonly Effect[]): number[][] {
  return [1, 2].map((link) =>
    driver.sent(link, effects).flatMap((message) => (message.type === 'have' ? [message.backlogMs] : [])),
  )
}

function dataCount(driver: EngineDriver, effects: readonly Effect[]): number {
  return driver.sent(1, effects).filter(({ type }) => type === 'data').length
}

/** An engine whose neighbours 1 and 2 hold the segment that it wants; all is asked for. */
function asker() {
  const driver = new EngineDriver()
  driver.connect(1)
  driver.connect(2)
  for (const link of [1, 2]) driver.receive(link, have(0))
  driver.want(1, wantedOf(ID))
  const [first] = [1, 2].filter((link) => driver.sent(link).some(({ type }) => type === 'manifest-request'))
  if (first === undefined) throw new Error('no manifest was asked for')
  driver.receive(first, { type: 'manifest', swarmTag: tag, manifest: MANIFEST })
  return driver
}

function asked(driver: EngineDriver, link: number, effects?: readonly Effect[]): number[] {
  return driver.sent(link, effects).flatMap((message) => (message.type === 'request' ? [message.piece] : []))
}

describe('Engine: uploads', () => {
  it('pauses in the middle of a piece, tells everybody at once, and goes on where it was', () => {
    const driver = holder()
    driver.input({ type: 'link-buffered', link: 1, bytes: 64 * 1024 })
    driver.receive(1, request(1))
    const paused = driver.input({ type: 'uploads', state: 'paused' })
    expect(backlogs(driver, paused)).toEqual([[NOT_SERVING_BACKLOG_MS], [NOT_SERVING_BACKLOG_MS]])
    expect(effectsOf(paused, 'send').every(({ channel }) => channel === 'control')).toBe(true)
    driver.input({ type: 'link-buffered', link: 1, bytes: 0 })
    expect(dataCount(driver, driver.advance(1_000))).toBe(0)
    expect(driver.engine.snapshot().uploads).toBe('paused')
    const resumed = driver.input({ type: 'uploads', state: 'on' })
    expect(dataCount(driver, resumed)).toBe(PIECE_CHUNKS)
    for (const [backlog] of backlogs(driver, resumed)) expect(backlog).toBeLessThan(1_000)
  })

  it('answers who asks all the same with how things stand, and now and then', () => {
    const driver = holder()
    driver.input({ type: 'uploads', state: 'paused' })
    driver.advance(1_000)
    const answers = Array.from({ length: 20 }, (_, id) => driver.receive(1, request(id, id % 4))).flat()
    expect(backlogs(driver, answers)[0]).toEqual([NOT_SERVING_BACKLOG_MS])
    expect(dataCount(driver, answers)).toBe(0)
  })

  it('forgets what was asked for when uploads are off', () => {
    const driver = holder()
    driver.input({ type: 'link-buffered', link: 1, bytes: 64 * 1024 })
    driver.receive(1, request(1))
    driver.input({ type: 'uploads', state: 'off' })
    driver.receive(1, request(2, 1))
    driver.receive(1, { type: 'manifest-request', swarmTag: tag, segment: ID })
    driver.input({ type: 'link-buffered', link: 1, bytes: 0 })
    const resumed = [...driver.input({ type: 'uploads', state: 'on' }), ...driver.advance(500)]
    expect(dataCount(driver, resumed)).toBe(0)
    expect(driver.sent(1).some(({ type }) => type === 'manifest')).toBe(false)
    expect(dataCount(driver, driver.receive(1, request(3)))).toBe(PIECE_CHUNKS)
  })

  it('says in Hello how it is then', () => {
    const driver = new EngineDriver()
    const hellos = (['off', 'paused', 'on'] as const).map((state, link) => {
      driver.input({ type: 'uploads', state })
      return driver.sent(link, driver.input({ type: 'link-open', link, initiator: true }))[0]
    })
    expect(hellos.map((hello) => hello?.type === 'hello' && hello.uploads)).toEqual([false, false, true])
  })

  it('cannot be made to serve against its options', () => {
    const driver = holder({ uploads: false })
    driver.input({ type: 'uploads', state: 'on' })
    expect(dataCount(driver, driver.receive(1, request(1)))).toBe(0)
    expect(driver.engine.snapshot().uploads).toBe('off')
    expect(
      backlogs(driver, driver.effects)
        .flat()
        .every((told) => told === NOT_SERVING_BACKLOG_MS),
    ).toBe(true)
  })

  it('stops for good at the bytes of its session, and tells', () => {
    const limit = 20 * CHUNK_BYTES
    const driver = holder({ uploadBytesPerSession: limit })
    const effects = [driver.receive(1, request(1)), driver.receive(1, request(2, 1))].flat()
    const { uploadedBytes, uploads } = driver.engine.snapshot()
    expect(uploadedBytes).toBeLessThanOrEqual(limit)
    expect(uploadedBytes).toBeGreaterThan(limit - CHUNK_BYTES)
    expect(uploads).toBe('off')
    expect(backlogs(driver, effects)[1]).toEqual([NOT_SERVING_BACKLOG_MS])
    expect(dataCount(driver, driver.receive(1, request(3)))).toBe(0)
  })

  it('goes on relaying the live segment that it alone loads, though it is told to pause', () => {
    const driver = new EngineDriver()
    driver.connect(1)
    driver.connect(2)
    for (const link of [1, 2]) driver.receive(link, have(0, 0, false))
    driver.input({ type: 'uploads', state: 'paused' })
    expect(driver.engine.snapshot().uploads).toBe('paused')
    const effects = driver.want(1, wantedOf(ID, { live: true, deadline: millis(driver.now + 400) }))
    expect(effectsOf(effects, 'http-fetch')).toHaveLength(1)
    expect(driver.engine.snapshot().uploads).toBe('on')
    expect(backlogs(driver, effects)).toEqual([[0], [0]])
    expect(backlogs(driver, driver.advance(5_000))[0]?.at(-1)).toBe(NOT_SERVING_BACKLOG_MS)
    expect(driver.engine.snapshot().uploads).toBe('paused')
  })
})

describe('Engine: peers that do not serve', () => {
  it('asks others at once for what a peer that pauses owes, and takes its requests back', () => {
    const driver = asker()
    const owed = asked(driver, 1)
    expect(owed.length + asked(driver, 2).length).toBe(4)
    expect(owed.length).toBeGreaterThan(0)
    const effects = driver.receive(1, have(5, NOT_SERVING_BACKLOG_MS, false), 'control')
    expect(driver.sent(1, effects).map(({ type }) => type)).toContain('cancel')
    expect(asked(driver, 1, effects)).toEqual([])
    expect(new Set([...asked(driver, 2)])).toEqual(new Set([0, 1, 2, 3]))
  })

  it('asks nothing of it for as long as it takes, and again when it serves', () => {
    const driver = asker()
    for (const link of [1, 2]) driver.receive(link, have(5, NOT_SERVING_BACKLOG_MS, false), 'control')
    const waiting = driver.advance(3_000)
    expect([...asked(driver, 1, waiting), ...asked(driver, 2, waiting)]).toEqual([])
    const effects = driver.receive(2, have(6, 0, false), 'control')
    expect(asked(driver, 2, effects)).not.toEqual([])
  })

  it('loads by HTTP what only they hold, without waiting for the deadline', () => {
    const driver = asker()
    for (const link of [1, 2]) driver.receive(link, have(5, NOT_SERVING_BACKLOG_MS, false), 'control')
    expect(effectsOf([...driver.effects, ...driver.advance(1_000)], 'http-fetch')).toHaveLength(1)
  })

  it('does not let an older Have overtake the news', () => {
    const driver = asker()
    driver.receive(1, have(6, NOT_SERVING_BACKLOG_MS, false), 'control')
    const effects = driver.receive(1, have(5, 0, false), 'lossy')
    expect(asked(driver, 1, effects)).toEqual([])
  })
})

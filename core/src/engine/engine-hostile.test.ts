import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  type ChannelKind,
  channelOf,
  encodeMessage,
  type Have,
  type HaveEntry,
  MAX_HAVE_ENTRIES,
  MIN_PIECE_BYTES,
  millis,
  type PeerMessage,
  type TrackId,
} from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
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

const { tag } = TEST_SWARM
const BYTES = testBytes(4 * MIN_PIECE_BYTES)
const HONEST = 1
const HOSTILE = 2

const channel = fc.constantFrom<ChannelKind>('lossy', 'control')

/** An engine in the middle of everything: it holds a segment, wants another, and asks both peers. */
function busyEngine(): EngineDriver {
  const driver = new EngineDriver()
  driver.input({ type: 'publish', manifest: testManifest(testSegmentId(1), BYTES), bytes: BYTES })
  for (const link of [HONEST, HOSTILE]) {
    driver.connect(link)
    driver.receive(link, have(0, [runEntry(2, 3)]))
  }
  driver.want(1, wantedOf(testSegmentId(2), { deadline: millis(driver.now + 60_000) }))
  driver.receive(HONEST, { type: 'manifest', swarmTag: tag, manifest: testManifest(testSegmentId(2), BYTES) })
  driver.receive(HOSTILE, {
    type: 'manifest',
    swarmTag: tag,
    manifest: testManifest(testSegmentId(2), BYTES),
  })
  // It serves others first, for as long as a test lasts: an honest peer that says nothing is given up.
  driver.receive(HONEST, { ...have(1, []), backlogMs: 60_000 })
  return driver
}

function have(serial: number, entries: readonly HaveEntry[], summary = false): Have {
  return { type: 'have', swarmTag: tag, serial, summary, backlogMs: 0, entries }
}

function requestOf(requestId: number, changes = {}): PeerMessage {
  return {
    type: 'request',
    swarmTag: tag,
    requestId,
    segment: testSegmentId(1),
    piece: 0,
    deadlineMs: 1_000,
    chunks: [{ start: 0, end: 5 }],
    ...changes,
  }
}

/** Messages of every type, about what the engine knows and about what it does not. */
const validMessage: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc
    .record({
      serial: fc.nat(50),
      summary: fc.boolean(),
      first: fc.nat(5),
      count: fc.integer({ min: 1, max: 9 }),
    })
    .map(({ serial, summary, first, count }) =>
      have(
        serial,
        [{ ...runEntry(first, count), kind: count % 2 ? 'run' : 'dropped' } as HaveEntry],
        summary,
      ),
    ),
  fc
    .record({ id: fc.nat(50), sequence: fc.nat(4), piece: fc.nat(63), start: fc.nat(20) })
    .map(({ id, sequence, piece, start }) =>
      requestOf(id, { segment: testSegmentId(sequence), piece, chunks: [{ start, end: start + 3 }] }),
    ),
  fc
    .array(fc.nat(50), { minLength: 1, maxLength: 5 })
    .map((requestIds): PeerMessage => ({ type: 'cancel', swarmTag: tag, requestIds })),
  fc.record({ requestId: fc.nat(10), chunk: fc.nat(20), size: fc.integer({ min: 1, max: 1_136 }) }).map(
    ({ requestId, chunk, size }): PeerMessage => ({
      type: 'data',
      swarmTag: tag,
      requestId,
      chunk,
      serial: 0,
      payload: testBytes(size),
    }),
  ),
  fc.nat(4).map(
    (sequence): PeerMessage => ({
      type: 'manifest-request',
      swarmTag: tag,
      segment: testSegmentId(sequence),
    }),
  ),
  fc.record({ sequence: fc.nat(4), size: fc.integer({ min: 1, max: 200_000 }), offset: fc.nat(10) }).map(
    ({ sequence, size, offset }): PeerMessage => ({
      type: 'manifest',
      swarmTag: tag,
      manifest: testManifest(testSegmentId(sequence), new Uint8Array(size), offset),
    }),
  ),
  fc.constant(new EngineDriver().helloOf(testPeerId('again'))),
  fc.constant<PeerMessage>({ type: 'goodbye', swarmTag: tag, reason: 'leaving' }),
)

/** The honest peer and the engine’s own loads are as they should be. */
function expectUnharmed(driver: EngineDriver): void {
  const peers = driver.engine.snapshot().links.map(({ peerId }) => peerId)
  expect(peers).toContain(testPeerId(`peer-${HONEST}`))
  const answer = driver.receive(HONEST, requestOf(77))
  expect(driver.sent(HONEST, answer).filter(({ type }) => type === 'data')).toHaveLength(5)
  driver.input({ type: 'deadline', wantId: 1, deadline: millis(driver.now) })
  const fetch = effectsOf(driver.effects, 'http-fetch').at(-1)
  if (fetch !== undefined && effectsOf(driver.effects, 'done').length === 0) {
    const { fetchId, span } = fetch
    const { start, end } = span ?? { start: 0, end: BYTES.byteLength }
    driver.input({ type: 'http-data', fetchId, offset: start, bytes: BYTES.slice(start, end) })
    driver.input({ type: 'http-done', fetchId })
  }
  for (const { result } of effectsOf(driver.effects, 'done'))
    expect(sameBytes(result.bytes, BYTES)).toBe(true)
}

function bannedAfter(driver: EngineDriver, bytes: Uint8Array, on: ChannelKind): boolean {
  const effects = driver.input({ type: 'message', link: HOSTILE, channel: on, bytes })
  return effectsOf(effects, 'close-link').some(
    ({ link, reason }) => link === HOSTILE && reason === 'violation',
  )
}

describe('Engine against a hostile peer', () => {
  it('bans for bytes that are no message, and takes no harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_300 }), channel, (bytes, on) => {
        const driver = busyEngine()
        // The chance that random bytes carry the tag and a known type is 1 in 10^9.
        expect(bannedAfter(driver, bytes, on)).toBe(true)
        expect(driver.links).toBe(1)
        expect(
          effectsOf(driver.connect(9, { peerId: testPeerId(`peer-${HOSTILE}`) }), 'close-link'),
        ).toHaveLength(1)
        expectUnharmed(driver)
      }),
      { numRuns: 60 },
    )
  })

  it('bans for a message on the wrong channel or of another swarm', () => {
    const wrong: [PeerMessage, ChannelKind][] = [
      [requestOf(1), 'control'],
      [{ type: 'goodbye', swarmTag: tag, reason: 'leaving' }, 'lossy'],
      [{ ...requestOf(1), swarmTag: tag + 1 }, 'lossy'],
    ]
    for (const [message, on] of wrong) {
      const driver = busyEngine()
      expect(bannedAfter(driver, encodeMessage(message), on)).toBe(true)
      expectUnharmed(driver)
    }
  })

  it('never throws, whatever valid, cut or altered messages come in whatever order', () => {
    const mutation = fc.record({
      message: validMessage,
      on: fc.option(channel, { nil: null }),
      cut: fc.option(fc.nat(60), { nil: null, freq: 9 }),
      flip: fc.option(fc.record({ at: fc.nat(80), bits: fc.integer({ min: 1, max: 255 }) }), {
        nil: null,
        freq: 4,
      }),
      wait: fc.nat(300),
    })
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 25 }), (mutations) => {
        const driver = busyEngine()
        let link = HOSTILE
        for (const [index, { message, on, cut, flip, wait }] of mutations.entries()) {
          let bytes = encodeMessage(message)
          if (cut !== null) bytes = bytes.slice(0, cut)
          const byte = flip === null ? undefined : bytes[flip.at]
          if (flip !== null && byte !== undefined) bytes[flip.at] = byte ^ flip.bits
          driver.input({ type: 'message', link, channel: on ?? channelOf(message.type), bytes })
          driver.advance(wait)
          // Banned or gone: it comes back under another name.
          if (driver.links < 2) {
            link = 100 + index
            driver.connect(link)
          }
        }
        expectUnharmed(driver)
      }),
      { numRuns: 80 },
    )
  })

  it('takes any answers of the host that come too late or were never asked for', () => {
    const driver = busyEngine()
    for (let id = 0; id < 20; id++) {
      driver.input({ type: 'piece-read', jobId: id, bytes: new Uint8Array(5) })
      driver.input({ type: 'hashed', jobId: 1_000 + id, digest: new Uint8Array(0) })
      driver.input({ type: 'manifest-checked', jobId: 1_000 + id, trust: 'trusted' })
      driver.input({ type: 'http-data', fetchId: 1_000 + id, offset: 0, bytes: BYTES })
      driver.input({ type: 'http-done', fetchId: 1_000 + id })
      driver.input({ type: 'link-closed', link: 1_000 + id })
      driver.input({ type: 'unwant', wantId: 1_000 + id })
    }
    expectUnharmed(driver)
  })

  it('remembers no more of a peer that talks without end than its bounds', () => {
    const driver = busyEngine()
    let serial = 1
    const flood = (entryOf: (index: number) => HaveEntry): void => {
      for (let message = 0; message < 40; message++) {
        const entries = Array.from({ length: MAX_HAVE_ENTRIES }, (_, n) =>
          entryOf(message * MAX_HAVE_ENTRIES + n),
        )
        driver.now += 20
        driver.receive(HOSTILE, have(serial++, entries), 'control')
      }
    }
    const before = heapUsed()
    flood((n) => ({
      kind: 'segment',
      segment: testSegmentId(n),
      fetching: true,
      pieces: { low: 1, high: 0 },
    }))
    flood((n) => ({ kind: 'run', track: n as TrackId, first: n, count: 1 }))
    driver.receive(HOSTILE, have(serial++, [runEntry(0, 65_535)]), 'control')
    flood((n) => ({ ...runEntry(n * 3), kind: 'dropped' }) as HaveEntry)
    for (let id = 0; id < 20_000; id++) driver.receive(HOSTILE, requestOf(id, { deadlineMs: 65_535 }))
    driver.effects.length = 0
    expect(heapUsed() - before).toBeLessThan(2 * 1024 * 1024)
    expectUnharmed(driver)
  })

  it('takes no more Haves of a peer than any peer needs to send', () => {
    const driver = new EngineDriver()
    driver.connect(HOSTILE)
    // A segment in whose order the other comes first, so that it is not loaded at once.
    driver.want(1, wantedOf(testSegmentId(6), { deadline: millis(driver.now + 60_000), live: true }))
    for (let serial = 1; serial <= 1_000; serial++) driver.receive(HOSTILE, have(serial, []))
    const asks = (serial: number): boolean => {
      const effects = driver.receive(HOSTILE, have(serial, [runEntry(6)]))
      return driver.sent(HOSTILE, effects).some(({ type }) => type === 'manifest-request')
    }
    expect(asks(1_001)).toBe(false)
    driver.now += 100
    expect(asks(1_002)).toBe(true)
  })

  it('remembers a bounded number of bans', () => {
    const driver = busyEngine()
    const banned = (index: number): boolean => {
      const link = 10_000 + index
      const effects = driver.connect(link, { peerId: testPeerId(`bad-${index}`) })
      if (effectsOf(effects, 'close-link').length > 0) return true
      driver.input({ type: 'message', link, channel: 'lossy', bytes: new Uint8Array(3) })
      driver.effects.length = 0
      return false
    }
    for (let index = 0; index < 1_100; index++) banned(index)
    expect(banned(1_099)).toBe(true)
    expect(banned(0)).toBe(false)
    expectUnharmed(driver)
  })

  it('sends a bounded answer to requests without end', () => {
    const driver = busyEngine()
    let sent = 0
    for (let id = 0; id < 2_000; id++) {
      const effects: Effect[] = driver.receive(HOSTILE, requestOf(id, { chunks: [{ start: 0, end: 924 }] }))
      for (const { bytes } of effectsOf(effects, 'send')) sent += bytes.byteLength
    }
    expect(sent).toBeLessThanOrEqual(64 * 1024)
    expectUnharmed(driver)
  })
})

/** Bytes that are really held. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

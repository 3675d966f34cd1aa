import { type HaveEntry, MIN_PIECE_BYTES, millis, type SegmentManifest } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { EngineDriver } from '../testing/engine-driver.js'
import {
  effectsOf,
  sameBytes,
  TEST_SWARM,
  testBytes,
  testManifest,
  testSegmentId,
  wantedOf,
} from '../testing/engine-fixtures.js'

const ID = testSegmentId()
const PIECES = 6
const BYTES = testBytes(PIECES * MIN_PIECE_BYTES)
const MANIFEST = testManifest(ID, BYTES)
const { tag: swarmTag } = TEST_SWARM

function firstHashes(count: number): SegmentManifest {
  return { ...MANIFEST, hashes: MANIFEST.hashes.slice(0, count) }
}

/** A viewer that loads the segment from the origin, with peer 1 connected. */
function leader(options = {}): { driver: EngineDriver; fetchId: number } {
  const driver = new EngineDriver(options)
  driver.connect(1)
  driver.want(1, wantedOf(ID, { deadline: millis(driver.now), live: true }))
  const [fetch] = effectsOf(driver.effects, 'http-fetch')
  if (fetch === undefined) throw new Error('no load from the origin')
  return { driver, fetchId: fetch.fetchId }
}

function load(driver: EngineDriver, fetchId: number, from: number, to: number, source = BYTES): void {
  driver.input({ type: 'http-data', fetchId, offset: from, bytes: source.slice(from, to) })
}

let serial = 0
function says(driver: EngineDriver, link: number, pieces: number, fetching: boolean): void {
  const entry: HaveEntry = { kind: 'segment', segment: ID, fetching, pieces: { low: pieces, high: 0 } }
  const have = { type: 'have', swarmTag, serial: ++serial, summary: false, backlogMs: 0 } as const
  driver.receive(link, { ...have, entries: [entry] })
}

/** A viewer that has the first two hashes, and all pieces of them announced, from peer 1. */
function follower(): EngineDriver {
  const driver = new EngineDriver()
  driver.connect(1)
  driver.connect(2)
  says(driver, 1, 0b11, true)
  driver.want(1, wantedOf(ID, { deadline: millis(driver.now + 60_000), live: true }))
  driver.receive(1, { type: 'manifest', swarmTag, manifest: firstHashes(2) })
  return driver
}

function piecesAsked(driver: EngineDriver, link: number): number[] {
  const pieces = driver.sent(link).flatMap((message) => (message.type === 'request' ? [message.piece] : []))
  return pieces.sort((a, b) => a - b)
}

function kindsTo(driver: EngineDriver, link: number): string[] {
  return driver.sent(link).map(({ type }) => type)
}

describe('a leader', () => {
  it('passes pieces on while the rest is on its way from the origin', () => {
    const { driver, fetchId } = leader()
    driver.input({ type: 'http-response', fetchId, total: BYTES.byteLength })
    driver.receive(1, { type: 'manifest-request', swarmTag, segment: ID })
    expect(kindsTo(driver, 1)).not.toContain('manifest')
    load(driver, fetchId, 0, 2 * MIN_PIECE_BYTES + 5)
    driver.advance(50)
    const told = driver.sent(1).flatMap((message) => (message.type === 'have' ? message.entries : []))
    expect(told.at(-1)).toMatchObject({ kind: 'segment', fetching: true, pieces: { low: 0b11 } })
    driver.receive(1, {
      type: 'request',
      swarmTag,
      requestId: 1,
      segment: ID,
      piece: 1,
      deadlineMs: 5_000,
      chunks: [{ start: 0, end: 2 }],
    })
    expect(kindsTo(driver, 1)).toContain('data')
    load(driver, fetchId, 2 * MIN_PIECE_BYTES + 5, BYTES.byteLength)
    const heard: Uint8Array[] = []
    for (const message of driver.sent(1)) {
      if (message.type === 'manifest') heard.push(...message.manifest.hashes)
      if (message.type === 'hashes') {
        expect(message.first).toBe(heard.length)
        heard.push(...message.hashes)
      }
    }
    expect(heard).toEqual(MANIFEST.hashes)
    const [done] = effectsOf(driver.effects, 'done')
    expect(sameBytes(done?.result.bytes ?? new Uint8Array(), BYTES)).toBe(true)
    expect(done?.result.sources.http).toBe(BYTES.byteLength)
  })

  it('says nothing before the end where manifests must be signed', () => {
    const { driver, fetchId } = leader({ integrity: 'signed' })
    driver.input({ type: 'http-response', fetchId, total: BYTES.byteLength })
    driver.receive(1, { type: 'manifest-request', swarmTag, segment: ID })
    load(driver, fetchId, 0, 3 * MIN_PIECE_BYTES)
    driver.advance(50)
    expect(kindsTo(driver, 1)).not.toContain('manifest')
  })

  it.each([
    ['short', BYTES.byteLength - 10_000],
    ['long', BYTES.byteLength + 10_000],
  ])('plays the true bytes once where the announced size is too %s', (_name, total) => {
    const { driver, fetchId } = leader()
    driver.input({ type: 'http-response', fetchId, total })
    load(driver, fetchId, 0, 3 * MIN_PIECE_BYTES)
    load(driver, fetchId, 3 * MIN_PIECE_BYTES, BYTES.byteLength)
    driver.input({ type: 'http-done', fetchId, doubtful: total > BYTES.byteLength })
    const [done] = effectsOf(driver.effects, 'done')
    expect(sameBytes(done?.result.bytes ?? new Uint8Array(), BYTES)).toBe(true)
    expect(done?.result.sources.http).toBe(BYTES.byteLength)
    expect(effectsOf(driver.effects, 'http-fetch')).toHaveLength(1)
  })
})

describe('a viewer with a part of a manifest', () => {
  it('asks for the pieces that it can verify, and for more as hashes come', () => {
    const driver = follower()
    says(driver, 1, 0b111111, true)
    expect(piecesAsked(driver, 1)).toEqual([0, 1])
    const hashes = MANIFEST.hashes.slice(2, 4)
    driver.receive(1, { type: 'hashes', swarmTag, segment: ID, first: 2, hashes })
    expect(piecesAsked(driver, 1)).toEqual([0, 1, 2, 3])
  })

  it('passes hashes on to whoever asked it', () => {
    const driver = follower()
    driver.receive(2, { type: 'manifest-request', swarmTag, segment: ID })
    const hashes = MANIFEST.hashes.slice(2, 3)
    driver.receive(1, { type: 'hashes', swarmTag, segment: ID, first: 2, hashes })
    expect(driver.sent(2).filter(({ type }) => type === 'manifest' || type === 'hashes')).toMatchObject([
      { type: 'manifest', manifest: { hashes: { length: 2 } } },
      { type: 'hashes', first: 2, hashes: { length: 1 } },
    ])
  })

  it('heeds only whom the first hashes came from, without a gap', () => {
    const driver = follower()
    says(driver, 1, 0b111111, true)
    const hashes = MANIFEST.hashes.slice(2, 4)
    driver.receive(2, { type: 'hashes', swarmTag, segment: ID, first: 2, hashes })
    driver.receive(1, { type: 'hashes', swarmTag, segment: ID, first: 4, hashes })
    expect(piecesAsked(driver, 1)).toEqual([0, 1])
  })

  it('turns to the origin where hashes contradict those it has', () => {
    const driver = follower()
    const hashes = MANIFEST.hashes.slice(2, 4)
    driver.receive(1, { type: 'hashes', swarmTag, segment: ID, first: 1, hashes })
    expect(effectsOf(driver.effects, 'http-fetch')).toMatchObject([{ span: null }])
  })

  it('asks another where its author has gone', () => {
    const driver = follower()
    driver.input({ type: 'link-closed', link: 1 })
    says(driver, 2, 0b111111, false)
    driver.advance(1_000)
    expect(kindsTo(driver, 2)).toContain('manifest-request')
    driver.receive(2, { type: 'manifest', swarmTag, manifest: MANIFEST })
    // The first two were asked for, and asked for again, before: the others need the new hashes.
    expect(piecesAsked(driver, 2).some((piece) => piece >= 2)).toBe(true)
  })
})

import { MAX_SEGMENT_BYTES, MIN_PIECE_BYTES, type SegmentManifest } from '@shoal/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  effectsOf,
  emptySegment,
  readyPeer,
  sameBytes,
  testBytes,
  testManifest,
  testSegmentId,
} from '../testing/engine-fixtures.js'
import { toyDigest } from '../testing/toy-crypto.js'
import type { Effect } from './io.js'
import { PieceRoom } from './piece-room.js'
import { Segment } from './segment.js'
import { Verifier } from './verifier.js'

const BYTES = testBytes(2 * MIN_PIECE_BYTES + 100)
const peer = readyPeer(1)
let effects: Effect[]
let heard: string[]
let made: SegmentManifest[]
let verifier: Verifier

beforeEach(() => {
  effects = []
  heard = []
  made = []
  verifier = new Verifier(new PieceRoom(), (effect) => effects.push(effect), {
    pieceVerified: (_, piece, from) => heard.push(`verified ${piece} ${from?.link ?? 'http'}`),
    pieceCorrupt: (_, piece, from) => heard.push(`corrupt ${piece} ${from?.link ?? 'http'}`),
    manifestMade: (_, manifest) => made.push(manifest),
    manifestGrew: (segment) => heard.push(`grew ${segment.id.sequence}`),
    manifestChecked: (from, _, __, trust) => heard.push(`${trust} ${from.link}`),
  })
})

/** Answers the hash jobs, oldest first or last first. */
function answer(reverse = false): void {
  const jobs = effectsOf(effects.splice(0), 'hash')
  for (const { jobId, bytes } of reverse ? jobs.reverse() : jobs) verifier.hashed(jobId, toyDigest(bytes))
}

describe('Verifier', () => {
  it('puts a peer’s piece into the buffer when its hash is the manifest’s, not before', () => {
    const segment = emptySegment(BYTES)
    const { start, end } = segment.pieceSpan(1)
    verifier.checkPiece(segment, 1, peer, BYTES.slice(start, end))
    expect(segment.hashing.has(1)).toBe(true)
    expect(segment.pieceBytes(1)?.every((byte) => byte === 0)).toBe(true)
    answer()
    expect(heard).toEqual(['verified 1 1'])
    expect(segment.verified.has(1)).toBe(true)
    expect(segment.hashing.has(1)).toBe(false)
    expect(sameBytes(segment.pieceBytes(1), BYTES.subarray(start, end))).toBe(true)
  })

  it('keeps a corrupt piece out of the buffer', () => {
    const segment = emptySegment(BYTES)
    verifier.checkPiece(segment, 0, peer, new Uint8Array(MIN_PIECE_BYTES).fill(9))
    answer()
    expect(heard).toEqual(['corrupt 0 1'])
    expect(segment.verified.size + segment.hashing.size).toBe(0)
    expect(segment.pieceBytes(0)?.includes(9)).toBe(false)
  })

  it('checks what HTTP put into the buffer', () => {
    const segment = emptySegment(BYTES)
    segment.buffer?.set(BYTES)
    verifier.checkPiece(segment, 2, null)
    answer()
    expect(heard).toEqual(['verified 2 http'])
  })

  it('ignores an answer about bytes or a manifest that are no longer the segment’s', () => {
    const segment = emptySegment(BYTES)
    verifier.checkPiece(segment, 0, peer, BYTES.slice(0, MIN_PIECE_BYTES))
    const old = effectsOf(effects.splice(0), 'hash')
    segment.reset()
    segment.adopt(testManifest(segment.id, testBytes(BYTES.byteLength, 2)), 'unsigned')
    segment.hashing.add(0)
    for (const { jobId, bytes } of old) verifier.hashed(jobId, toyDigest(bytes))
    expect(heard).toEqual([])
    expect(segment.hashing.has(0)).toBe(true)
    expect(segment.verified.size).toBe(0)
  })

  it('makes a manifest from hashes in any order', () => {
    const segment = new Segment(testSegmentId())
    segment.buffer = BYTES
    verifier.makeManifest(segment, BYTES, 77)
    answer(true)
    expect(made).toEqual([testManifest(segment.id, BYTES, 77)])
  })

  it('makes none of bytes that were replaced, could not be hashed, or do not travel', () => {
    const segment = new Segment(testSegmentId())
    segment.buffer = BYTES
    verifier.makeManifest(segment, BYTES, 0)
    segment.buffer = BYTES.slice()
    answer()
    verifier.makeManifest(segment, segment.buffer, 0)
    for (const { jobId } of effectsOf(effects.splice(0), 'hash')) verifier.hashed(jobId, new Uint8Array(0))
    verifier.makeManifest(segment, new Uint8Array(0), 0)
    verifier.makeManifest(segment, new Uint8Array(MAX_SEGMENT_BYTES + 1), 0)
    expect(effects).toEqual([])
    expect(made).toEqual([])
  })

  it('hands on what the host says of a manifest, once', () => {
    const segment = new Segment(testSegmentId())
    verifier.checkManifest(peer, segment, testManifest(segment.id, BYTES))
    const [job] = effectsOf(effects, 'check-manifest')
    verifier.manifestChecked(job?.jobId ?? -1, 'trusted')
    verifier.manifestChecked(job?.jobId ?? -1, 'trusted')
    expect(heard).toEqual(['trusted 1'])
  })

  it('ignores answers that nothing asked for', () => {
    verifier.hashed(99, new Uint8Array(32))
    verifier.manifestChecked(99, 'trusted')
    expect(heard).toEqual([])
  })
})

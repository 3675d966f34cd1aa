import { CHUNK_BYTES, chunkCountOf, MAX_REQUEST_RANGES, MIN_PIECE_BYTES, millis } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blankManifest, emptySegment, testBytes, testSegmentId } from '../testing/engine-fixtures.js'
import { PieceRequest } from './piece-request.js'
import { PieceRoom } from './piece-room.js'
import { Segment } from './segment.js'

/** Three pieces, the last of them short. */
const BYTES = testBytes(2 * MIN_PIECE_BYTES + 5_000)
const PIECES = [0, 1, 2] as const
const SEGMENT = emptySegment(BYTES)

function requestOf(piece: number): { request: PieceRequest; bytes: Uint8Array } {
  const { start, end } = SEGMENT.pieceSpan(piece)
  const request = new PieceRequest(1, SEGMENT, piece, millis(9_000), millis(0), new PieceRoom())
  return { request, bytes: BYTES.subarray(start, end) }
}

function chunkOf(bytes: Uint8Array, chunk: number): Uint8Array {
  return bytes.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES)
}

describe('PieceRequest', () => {
  it('puts a piece together from chunks in any order, repeated, and repaired until all have come', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PIECES),
        fc.array(fc.nat(20), { maxLength: 60 }),
        fc.func(fc.boolean()),
        (piece, arrivals, lost) => {
          const { request, bytes } = requestOf(piece)
          const count = chunkCountOf(bytes.byteLength)
          const seen = new Set<number>()
          const arrive = (chunk: number): void => {
            expect(request.complete).toBe(seen.size === count)
            expect(request.accept(chunk, chunkOf(bytes, chunk), millis(5))).toBe(
              seen.has(chunk) ? 'duplicate' : true,
            )
            seen.add(chunk)
          }
          for (const chunk of arrivals) if (chunk < count) arrive(chunk)
          for (let repair = 0; !request.complete && repair < 10; repair++) {
            request.repaired(millis(10))
            for (const { start, end } of request.missingRanges()) {
              for (let chunk = start; chunk < end; chunk++) {
                expect(seen.has(chunk)).toBe(false)
                if (repair === 9 || !lost(repair, chunk)) arrive(chunk)
              }
            }
          }
          expect(request.complete).toBe(true)
          expect(request.received).toBe(bytes.byteLength)
          expect(request.data.every((byte, index) => byte === bytes[index])).toBe(true)
          expect(request.missingRanges()).toEqual([])
        },
      ),
    )
  })

  it('asks for all that is missing, in ascending ranges that do not touch', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(14), { maxLength: 15 }), (arrived) => {
        const { request, bytes } = requestOf(0)
        for (const chunk of arrived) request.accept(chunk, chunkOf(bytes, chunk), millis(1))
        const asked: number[] = []
        let after = -1
        for (const { start, end } of request.missingRanges()) {
          expect(start).toBeGreaterThan(after)
          for (let chunk = start; chunk < end; chunk++) asked.push(chunk)
          after = end
        }
        const missing = Array.from({ length: 15 }, (_, chunk) => chunk).filter(
          (chunk) => !arrived.includes(chunk),
        )
        expect(asked).toEqual(missing)
      }),
    )
  })

  it('repairs only what is known to be lost: below three later chunks, or all once the last is here', () => {
    const { request, bytes } = requestOf(0)
    for (const chunk of [0, 2, 3]) request.accept(chunk, chunkOf(bytes, chunk), millis(1))
    expect(request.gapSeen).toBe(false)
    request.accept(4, chunkOf(bytes, 4), millis(1))
    expect(request.gapSeen).toBe(true)
    expect(request.repairRanges()).toEqual([{ start: 1, end: 2 }])
    request.accept(14, chunkOf(bytes, 14), millis(1))
    expect(request.repairRanges()).toEqual([
      { start: 1, end: 2 },
      { start: 5, end: 14 },
    ])
  })

  it('names no more ranges than a Request may', () => {
    const segment = new Segment(testSegmentId())
    segment.adopt(blankManifest(segment.id, MIN_PIECE_BYTES * 64 * 8), 'unsigned')
    const request = new PieceRequest(1, segment, 0, millis(9_000), millis(0), new PieceRoom())
    const count = chunkCountOf(request.bytes)
    expect(count).toBeGreaterThan(2 * MAX_REQUEST_RANGES)
    const full = new Uint8Array(CHUNK_BYTES)
    for (let chunk = 0; chunk < count - 1; chunk += 2) request.accept(chunk, full, millis(1))
    expect(request.missingRanges()).toHaveLength(MAX_REQUEST_RANGES)
  })

  it('refuses chunks that do not fit the piece, and keeps its state', () => {
    for (const piece of PIECES) {
      const { request, bytes } = requestOf(piece)
      const count = chunkCountOf(bytes.byteLength)
      const last = chunkOf(bytes, count - 1)
      expect(request.accept(count, last, millis(1))).toBe(false)
      expect(request.accept(0, bytes.subarray(0, CHUNK_BYTES - 1), millis(1))).toBe(false)
      expect(request.accept(count - 1, bytes.subarray(0, last.byteLength + 1), millis(1))).toBe(false)
      expect(request.accept(count - 1, last.subarray(1), millis(1))).toBe(false)
      expect(request.received).toBe(0)
    }
  })

  it('does not count a repeated chunk as an answer', () => {
    const { request, bytes } = requestOf(0)
    request.accept(0, chunkOf(bytes, 0), millis(10))
    expect(request.accept(0, chunkOf(bytes, 0), millis(500))).toBe('duplicate')
    expect(request.lastActivity).toBe(10)
  })

  it('leaves the segment’s own bytes alone', () => {
    const { request, bytes } = requestOf(0)
    request.accept(0, chunkOf(bytes, 0), millis(1))
    expect(SEGMENT.buffer?.every((byte) => byte === 0)).toBe(true)
  })
})

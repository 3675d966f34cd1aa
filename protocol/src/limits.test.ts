import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CHUNK_BYTES,
  chunkCountOf,
  DATA_HEADER_BYTES,
  MAX_CHUNKS_PER_PIECE,
  MAX_LOSSY_MESSAGE_BYTES,
  MAX_PIECE_BYTES,
  MAX_PIECES_PER_SEGMENT,
  MAX_SEGMENT_BYTES,
  MIN_PIECE_BYTES,
  PREFERRED_MAX_PIECE_BYTES,
  pieceCountOf,
  pieceSizeFor,
} from './limits.js'

const KIB = 1024
const MIB = 1024 * KIB

describe('pieceSizeFor', () => {
  it.each([
    [0, 16 * KIB],
    [1, 16 * KIB],
    [512 * KIB, 16 * KIB],
    [512 * KIB + 1, 32 * KIB],
    [2 * MIB, 64 * KIB],
    [8 * MIB, 256 * KIB],
    [16 * MIB, 256 * KIB],
    [16 * MIB + 1, 512 * KIB],
    [32 * MIB + 1, MIB],
    [64 * MIB, MIB],
    [64 * MIB + 1, MIB],
  ])('%d bytes: pieces of %d', (segmentBytes, pieceBytes) => {
    expect(pieceSizeFor(segmentBytes)).toBe(pieceBytes)
  })

  it('follows the document for every segment that travels', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MAX_SEGMENT_BYTES }), (bytes) => {
        const size = pieceSizeFor(bytes)
        const pieces = pieceCountOf(bytes, size)
        expect(Number.isInteger(Math.log2(size))).toBe(true)
        expect(size).toBeGreaterThanOrEqual(MIN_PIECE_BYTES)
        expect(size).toBeLessThanOrEqual(MAX_PIECE_BYTES)
        expect(pieces).toBeLessThanOrEqual(MAX_PIECES_PER_SEGMENT)
        expect(pieces * size).toBeGreaterThanOrEqual(bytes)
        expect((pieces - 1) * size).toBeLessThan(bytes)
        // A thirty-second up to 256 KiB, and no larger than it must be beyond.
        if (size < PREFERRED_MAX_PIECE_BYTES) expect(size * 32).toBeGreaterThanOrEqual(bytes)
        if (size > MIN_PIECE_BYTES && size <= PREFERRED_MAX_PIECE_BYTES) expect(size * 16).toBeLessThan(bytes)
        if (size > PREFERRED_MAX_PIECE_BYTES) {
          expect((size / 2) * MAX_PIECES_PER_SEGMENT).toBeLessThan(bytes)
        }
      }),
      { numRuns: 2_000, seed: 4 },
    )
  })

  it('never shrinks as segments grow', () => {
    const sizes = fc.integer({ min: 0, max: MAX_SEGMENT_BYTES })
    fc.assert(
      fc.property(sizes, sizes, (a, b) => {
        expect(pieceSizeFor(Math.min(a, b))).toBeLessThanOrEqual(pieceSizeFor(Math.max(a, b)))
      }),
      { seed: 5 },
    )
  })
})

describe('chunks', () => {
  it('a full chunk fits the lossy channel', () => {
    expect(DATA_HEADER_BYTES + CHUNK_BYTES).toBeLessThanOrEqual(MAX_LOSSY_MESSAGE_BYTES)
  })
  it.each([
    [1, 1],
    [CHUNK_BYTES, 1],
    [CHUNK_BYTES + 1, 2],
    [MIN_PIECE_BYTES, 15],
    [64 * KIB, 58],
    [MAX_PIECE_BYTES, MAX_CHUNKS_PER_PIECE],
  ])('%d bytes are %d chunks', (bytes, chunks) => {
    expect(chunkCountOf(bytes)).toBe(chunks)
  })
  it('no piece has more than 924', () => {
    expect(MAX_CHUNKS_PER_PIECE).toBe(924)
  })
})

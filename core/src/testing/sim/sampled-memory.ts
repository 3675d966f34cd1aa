import { CHUNK_BYTES, MAX_PIECE_BYTES, type SegmentId } from '@shoal/protocol'

/*
 * Memory of which only the first byte of each chunk means anything, since that is all that the
 * simulator's digests look at. It takes the place of `engine/memory` in runs of many viewers: their
 * segments are the title's own bytes, and pieces on their way overlap, each shifted by one byte.
 */

/** Pieces on their way that are told apart: many times what a swarm of 10,000 has outstanding. */
const PIECES_UNDER_WAY = 2 ** 19

/** Bytes of a segment of this title, or null for one that is not of it. */
let contentOf: (id: SegmentId) => Uint8Array | null = () => null

let regions: Uint8Array | null = null
let piecesMade = 0

/** The title that all viewers of this process watch from now on. */
export function shareContent(of: (id: SegmentId) => Uint8Array | null): void {
  contentOf = of
}

/** The title's own bytes, for all viewers. */
export function segmentMemory(id: SegmentId, bytes: number): Uint8Array {
  const content = contentOf(id)
  return content?.byteLength === bytes ? content : new Uint8Array(bytes)
}

/** Room whose first bytes of chunks are nobody else's. */
export function pieceMemory(bytes: number): Uint8Array {
  const regionBytes = MAX_PIECE_BYTES + CHUNK_BYTES
  const count = Math.ceil(PIECES_UNDER_WAY / CHUNK_BYTES)
  regions ??= new Uint8Array(regionBytes * count)
  const index = piecesMade++ % (count * CHUNK_BYTES)
  const start = Math.floor(index / CHUNK_BYTES) * regionBytes + (index % CHUNK_BYTES)
  return regions.subarray(start, start + bytes)
}

/**
 * Bytes that are there already, since segments are the title's own.
 *
 * @throws Error where they are others: the engine took bytes for right that are not
 */
export function putInSegment(segment: Uint8Array, bytes: Uint8Array, at: number): void {
  for (let chunk = 0; chunk < bytes.byteLength; chunk += CHUNK_BYTES) {
    if (segment[at + chunk] !== bytes[chunk]) throw new Error(`wrong bytes taken for right at ${at + chunk}`)
  }
}

/** Keeps the chunk's first byte. */
export function putInPiece(piece: Uint8Array, chunk: Uint8Array, at: number): void {
  piece[at] = chunk[0] ?? 0
}

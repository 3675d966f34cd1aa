import type { SegmentId } from '@shoal/protocol'

/*
 * Where the bytes of segments lie and how they get there: the only places that allocate or copy them.
 * The simulator puts a module of its own in the place of this one (`testing/sim/sampled-memory`), so
 * that thousands of viewers fit one process.
 */

/** Room for a whole segment, zeroed. */
export function segmentMemory(_id: SegmentId, bytes: number): Uint8Array {
  return new Uint8Array(bytes)
}

/** Room for a piece that is being received, zeroed. */
export function pieceMemory(bytes: number): Uint8Array {
  return new Uint8Array(bytes)
}

/** Puts bytes that belong there into a segment. */
export function putInSegment(segment: Uint8Array, bytes: Uint8Array, at: number): void {
  segment.set(bytes, at)
}

/** Puts a chunk into a piece. */
export function putInPiece(piece: Uint8Array, chunk: Uint8Array, at: number): void {
  piece.set(chunk, at)
}

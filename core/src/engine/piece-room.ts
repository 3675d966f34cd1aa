import { pieceMemory } from './memory.js'

/**
 * Pieces whose memory is kept for the next ones, at most: about as many as one peer is asked for at once.
 * At 256 KiB, the largest, they are 2 MiB.
 */
const MAX_FREE = 8

/**
 * Memory of pieces on their way, used again: a piece is copied into its segment once it is verified, and
 * memory of its own for each kept the collector busy with as much as the stream itself has.
 */
export class PieceRoom {
  private readonly free: Uint8Array[] = []

  /** Room for a piece; what lies in it is to be overwritten. */
  take(bytes: number): Uint8Array {
    const room = this.free.pop()
    // Of another size is the last piece of a segment, or another track's: those are few.
    return room?.byteLength === bytes ? room : pieceMemory(bytes)
  }

  /** Nobody reads or writes it any more. */
  give(room: Uint8Array): void {
    if (this.free.length < MAX_FREE) this.free.push(room)
  }
}

import type { SegmentId } from '@shoal/protocol'

/** Bytes of verified pieces that live outside memory (the seeder's folder or disk cache). */
export interface PieceReader {
  /** The piece's bytes, or null where they are gone. Never rejects. */
  read(segment: SegmentId, start: number, end: number): Promise<Uint8Array | null>
}

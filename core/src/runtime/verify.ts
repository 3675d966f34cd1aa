import type { SegmentManifest, Sha256 } from '@shoal/protocol'
import { sameBytes } from '../engine/segment.js'
import type { Verdict } from './swarm-api.js'

/**
 * Compares a whole segment with its manifest.
 *
 * @param manifest with all its hashes, or null where there is none
 */
export async function verifySegment(
  manifest: SegmentManifest | null,
  bytes: Uint8Array,
  sha256: Sha256,
): Promise<Verdict> {
  if (manifest === null) return 'unknown'
  const { size, pieceSize, hashes } = manifest
  if (bytes.byteLength !== size) return 'wrong'
  for (const [piece, hash] of hashes.entries()) {
    const start = piece * pieceSize
    if (!sameBytes(hash, await sha256(bytes.subarray(start, start + pieceSize)))) return 'wrong'
  }
  return 'verified'
}

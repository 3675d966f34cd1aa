import { CHUNK_BYTES, type SegmentId, type SegmentManifest, trackIdOf } from '@shoal/protocol'
import { sameBytes } from '../../engine/segment.js'
import type { CryptoPort, ManifestTrust } from '../../ports/digest.js'
import { seededRandom } from '../random.js'
import type { Settling } from './settling.js'

/** Segments begin at one of this many places of the pattern, in bytes. */
const OFFSETS = 64 * 1024
/** Distance of two segments in the pattern: prime, so that neighbours never are alike. */
const OFFSET_STEP = 61

const TRACK = trackIdOf('main|single')

/** A segment of the one track that is simulated; part after part, where segments have parts. */
export function segmentOf(unit: number, partsPerSegment: number | null): SegmentId {
  if (partsPerSegment === null) return { track: TRACK, sequence: unit, part: null }
  return { track: TRACK, sequence: Math.floor(unit / partsPerSegment), part: unit % partsPerSegment }
}

/** The inverse of `segmentOf`. */
export function unitOf({ sequence, part }: SegmentId, partsPerSegment: number | null): number {
  return partsPerSegment === null ? sequence : sequence * partsPerSegment + (part ?? 0)
}

/** The title's bytes: every segment is a view of one pattern, so that all viewers share them. */
export class SharedContent {
  private readonly pattern: Uint8Array
  readonly segmentBytes: number

  constructor(segmentBytes: number) {
    this.segmentBytes = segmentBytes
    this.pattern = new Uint8Array(segmentBytes + OFFSETS)
    const random = seededRandom(segmentBytes)
    for (let at = 0; at < this.pattern.length; at++) this.pattern[at] = random() * 256
  }

  /** A segment's bytes: not to be changed. */
  of(sequence: number): Uint8Array {
    const start = (sequence * OFFSET_STEP) % OFFSETS
    return this.pattern.subarray(start, start + this.segmentBytes)
  }

  /** Bytes of chunks in `bytes` that are not the segment's, by the first byte of each chunk. */
  wrongBytes(sequence: number, bytes: Uint8Array): number {
    const right = this.of(sequence)
    if (bytes.length !== right.length) return bytes.length
    let wrong = 0
    for (let at = 0; at < right.length; at += CHUNK_BYTES) if (bytes[at] !== right[at]) wrong += CHUNK_BYTES
    return wrong
  }
}

/**
 * Stands in for SHA-256 in the simulator: looks at the first byte of each chunk only, which is where
 * the simulator's polluters put their damage. A digest of everything would take most of the run.
 */
export function sampledCrypto(settling: Settling): CryptoPort {
  return {
    sha256: (bytes) => settling.promise(sampledDigest(bytes)),
    verifyManifest: (_swarmId, manifest) => settling.promise(trustOf(manifest)),
  }
}

/** A manifest with the signature of the simulator's seeder, which covers its hashes. */
export function sampledSigned(manifest: SegmentManifest): SegmentManifest {
  return { ...manifest, signature: { algorithm: 'ed25519', bytes: signatureOf(manifest) } }
}

function trustOf(manifest: SegmentManifest): ManifestTrust {
  if (manifest.signature === null) return 'unsigned'
  return sameBytes(manifest.signature.bytes, signatureOf(manifest)) ? 'trusted' : 'untrusted'
}

/** Stands in for a signature: nobody in the simulator but its seeder makes one. */
function signatureOf({ hashes, segment }: SegmentManifest): Uint8Array {
  const bytes = new Uint8Array(64)
  for (const hash of hashes) for (const [at, byte] of hash.entries()) bytes[at] = (bytes[at] ?? 0) * 31 + byte
  bytes[63] = segment.sequence
  return bytes
}

/** The digest of bytes of which the first of each chunk counts. */
export function sampledDigest(bytes: Uint8Array): Uint8Array {
  let hash = 0x811c9dc5 ^ bytes.byteLength
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193)
  const digest = new Uint8Array(32)
  const view = new DataView(digest.buffer)
  for (let word = 0; word < 8; word++) {
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
    view.setUint32(word * 4, hash >>> 0)
  }
  return digest
}

import { MAX_SEGMENT_BYTES, pieceCountOf, pieceSizeFor, type SegmentManifest } from '@shoal/protocol'
import type { ManifestTrust } from '../ports/digest.js'
import type { EmitEffect } from './io.js'
import { putInSegment } from './memory.js'
import type { Peer } from './peer.js'
import type { PieceRoom } from './piece-room.js'
import { type Segment, sameBytes } from './segment.js'

const SHA256_BYTES = 32

/** What verification decides. */
export interface VerifierEvents {
  /** The piece's bytes are the manifest's. `peer` delivered it, or null for HTTP. */
  pieceVerified(segment: Segment, piece: number, peer: Peer | null): void
  /** They are not. */
  pieceCorrupt(segment: Segment, piece: number, peer: Peer | null, digest: Uint8Array): void
  /** A manifest made here from a whole segment of the origin. */
  manifestMade(segment: Segment, manifest: SegmentManifest): void
  /** The origin's bytes gave a hash that the manifest lacked. */
  manifestGrew(segment: Segment): void
  manifestChecked(peer: Peer, segment: Segment, manifest: SegmentManifest, trust: ManifestTrust): void
}

interface PieceJob {
  readonly kind: 'piece'
  readonly segment: Segment
  /** What the digest is compared with: the segment may have another manifest by then. */
  readonly manifest: SegmentManifest
  readonly piece: number
  readonly bytes: Uint8Array
  readonly peer: Peer | null
  /** The bytes are not the segment's own memory. */
  readonly delivered: boolean
}

type HashJob =
  | PieceJob
  | { readonly kind: 'make'; readonly making: Making; readonly piece: number }
  | { readonly kind: 'digest'; readonly then: (digest: Uint8Array) => void }

/** A manifest being made: hashes arrive in any order. */
interface Making {
  readonly segment: Segment
  readonly buffer: Uint8Array
  readonly offset: number
  readonly pieceSize: number
  readonly hashes: (Uint8Array | undefined)[]
  missing: number
}

/** Compares pieces with manifests and makes manifests; hashing itself is the host's. */
export class Verifier {
  private readonly hashJobs = new Map<number, HashJob>()
  private readonly manifestJobs = new Map<number, (trust: ManifestTrust) => void>()
  private nextJob = 0
  private readonly room: PieceRoom
  private readonly emit: EmitEffect
  private readonly events: VerifierEvents

  constructor(room: PieceRoom, emit: EmitEffect, events: VerifierEvents) {
    this.room = room
    this.emit = emit
    this.events = events
  }

  /**
   * Checks a piece. `delivered`: its bytes, from `peer`, which are put in the buffer once they are
   * verified, and whose memory is used again; without them, those in the buffer are checked. They must not change until the answer.
   */
  checkPiece(segment: Segment, piece: number, peer: Peer | null, delivered?: Uint8Array): void {
    const bytes = delivered ?? segment.pieceBytes(piece)
    const { manifest } = segment
    if (bytes === null || manifest === null) return
    segment.hashing.add(piece)
    this.hash(bytes, {
      kind: 'piece',
      segment,
      manifest,
      piece,
      bytes,
      peer,
      delivered: delivered !== undefined,
    })
  }

  /** Makes the manifest of a whole segment. `offset`: where it begins in its resource. */
  makeManifest(segment: Segment, buffer: Uint8Array, offset: number): void {
    if (buffer.byteLength === 0 || buffer.byteLength > MAX_SEGMENT_BYTES) return
    const pieceSize = pieceSizeFor(buffer.byteLength)
    const count = pieceCountOf(buffer.byteLength, pieceSize)
    const hashes = new Array<Uint8Array | undefined>(count).fill(undefined)
    const making: Making = { segment, buffer, offset, pieceSize, hashes, missing: count }
    for (let piece = 0; piece < count; piece++) {
      const bytes = buffer.subarray(piece * pieceSize, (piece + 1) * pieceSize)
      this.hash(bytes, { kind: 'make', making, piece })
    }
  }

  checkManifest(peer: Peer, segment: Segment, manifest: SegmentManifest): void {
    this.trustOf(manifest, (trust) => this.events.manifestChecked(peer, segment, manifest, trust))
  }

  /** Says whose signature a manifest has. */
  trustOf(manifest: SegmentManifest, then: (trust: ManifestTrust) => void): void {
    const jobId = this.nextJob++
    this.manifestJobs.set(jobId, then)
    this.emit({ type: 'check-manifest', jobId, manifest })
  }

  /** SHA-256 of bytes that do not change until the answer; empty where the host failed. */
  digest(bytes: Uint8Array, then: (digest: Uint8Array) => void): void {
    this.hash(bytes, { kind: 'digest', then })
  }

  hashed(jobId: number, digest: Uint8Array): void {
    const job = this.hashJobs.get(jobId)
    this.hashJobs.delete(jobId)
    if (job?.kind === 'piece') {
      this.pieceHashed(job, digest)
      if (job.delivered) this.room.give(job.bytes)
    }
    if (job?.kind === 'digest') job.then(digest)
    if (job?.kind === 'make') this.madeHash(job.making, job.piece, digest)
  }

  manifestChecked(jobId: number, trust: ManifestTrust): void {
    const job = this.manifestJobs.get(jobId)
    this.manifestJobs.delete(jobId)
    job?.(trust)
  }

  private hash(bytes: Uint8Array, job: HashJob): void {
    const jobId = this.nextJob++
    this.hashJobs.set(jobId, job)
    this.emit({ type: 'hash', jobId, bytes })
  }

  private pieceHashed({ segment, manifest, piece, bytes, peer }: PieceJob, digest: Uint8Array): void {
    // The segment was reset meanwhile: the answer is about bytes that are no longer held.
    if (segment.manifest !== manifest || !segment.hashing.has(piece)) return
    segment.hashing.delete(piece)
    const grows = peer === null && !segment.hashKnown(piece) && digest.byteLength === SHA256_BYTES
    if (grows) {
      segment.addOwnHash(piece, digest)
      segment.verified.add(piece)
      this.events.pieceVerified(segment, piece, null)
      this.events.manifestGrew(segment)
    } else if (sameBytes(manifest.hashes[piece], digest)) {
      const { buffer } = segment
      if (peer !== null && buffer !== null) putInSegment(buffer, bytes, segment.pieceSpan(piece).start)
      segment.verified.add(piece)
      this.events.pieceVerified(segment, piece, peer)
    } else {
      this.events.pieceCorrupt(segment, piece, peer, digest)
    }
  }

  private madeHash(making: Making, piece: number, digest: Uint8Array): void {
    const { segment, buffer, offset, pieceSize } = making
    // A host that could not hash it leaves the hole: no manifest is made.
    if (digest.byteLength !== SHA256_BYTES) return
    making.hashes[piece] = digest
    making.missing--
    // Loaded anew meanwhile: these bytes are no longer the segment's.
    if (making.missing > 0 || segment.buffer !== buffer) return
    const hashes = making.hashes.filter((hash) => hash !== undefined)
    this.events.manifestMade(segment, {
      segment: segment.id,
      offset,
      size: buffer.byteLength,
      pieceSize,
      hashes,
      signature: null,
    })
  }
}

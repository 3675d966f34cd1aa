import {
  type ByteSpan,
  pieceCountOf,
  type SegmentId,
  type SegmentManifest,
  segmentKey,
} from '@shoal/protocol'
import type { ManifestTrust } from '../ports/digest.js'
import type { SegmentSources } from '../runtime/swarm-api.js'
import type { LinkId } from './io.js'
import { PieceSet } from './piece-set.js'

/** Where a manifest came from: `own` was made here, from bytes of the origin. */
export type ManifestSource = 'own' | ManifestTrust

/** Who delivered a piece. */
export type PieceSource = keyof SegmentSources

/** One segment as this peer knows it: its manifest, the bytes that are here, what is verified. */
export class Segment {
  readonly id: SegmentId
  readonly key: string
  manifest: SegmentManifest | null = null
  manifestSource: ManifestSource = 'unsigned'
  private held: Uint8Array | null = null
  /** Hears by how many bytes the segment grew or shrank in memory. */
  onResize: ((change: number) => void) | null = null
  /** Bytes are outside memory, all verified: the host's `PieceReader` has them. */
  external = false
  /** Being fetched by HTTP here or, for a seeder, by its host. */
  fetching = false
  /** A neighbour is fetching it, and we want it: others may expect it from us. */
  expected = false
  /** Pieces of it are on their way from peers. */
  receiving = false
  /** Span that an HTTP load brings now, whichever want it is for; peers are not asked for it. */
  loading: ByteSpan | null = null
  /** Manifests of peers failed for it: it comes from HTTP alone. */
  httpOnly = false
  /** Pieces whose bytes are the manifest's: they may be passed on. */
  readonly verified = new PieceSet()
  /** Complete pieces that wait for their hash. */
  readonly hashing = new PieceSet()
  /** Pieces of which HTTP gave the bytes: right whatever a manifest of a peer says. */
  readonly fromHttp = new PieceSet()
  /** The peer whose manifest this is, where it is neither signed nor our own. */
  manifestAuthor: LinkId | null = null
  /**
   * Peers whose bytes of a piece did not fit the manifest: they lie, or its author does. True once
   * it is known to be they.
   */
  private readonly accused = new Map<number, Map<LinkId, boolean>>()
  readonly sources = { http: 0, peers: 0, seeders: 0 }
  lastUsed = 0

  constructor(id: SegmentId) {
    this.id = id
    this.key = segmentKey(id)
  }

  /** Bytes of the segment, once its size is known: verified, from the origin, or not here yet. */
  get buffer(): Uint8Array | null {
    return this.held
  }

  set buffer(buffer: Uint8Array | null) {
    const change = (buffer?.byteLength ?? 0) - (this.held?.byteLength ?? 0)
    this.held = buffer
    if (change !== 0) this.onResize?.(change)
  }

  /** More pieces will follow: neighbours need not look for them elsewhere. */
  get arriving(): boolean {
    return this.fetching || this.receiving
  }

  get size(): number | null {
    return this.manifest?.size ?? this.buffer?.byteLength ?? null
  }

  get pieceCount(): number {
    return this.manifest === null ? 0 : pieceCountOf(this.manifest.size, this.manifest.pieceSize)
  }

  get complete(): boolean {
    return this.manifest !== null && this.verified.size === this.pieceCount
  }

  /** Bytes that a piece spans; the last one may be shorter than the others. */
  pieceSpan(piece: number): ByteSpan {
    const { pieceSize = 0, size = 0 } = this.manifest ?? {}
    return { start: piece * pieceSize, end: Math.min(size, (piece + 1) * pieceSize) }
  }

  /** The piece's bytes in the buffer: a view, not a copy. */
  pieceBytes(piece: number): Uint8Array | null {
    const span = this.pieceSpan(piece)
    return this.buffer?.subarray(span.start, span.end) ?? null
  }

  /** Bytes of verified pieces. */
  verifiedBytes(): number {
    let bytes = 0
    for (let piece = 0; piece < this.pieceCount; piece++) {
      const span = this.pieceSpan(piece)
      if (this.verified.has(piece)) bytes += span.end - span.start
    }
    return bytes
  }

  /** Takes a manifest and makes room for the bytes. */
  adopt(manifest: SegmentManifest, source: ManifestSource, author: LinkId | null = null): void {
    this.manifest = manifest
    this.manifestAuthor = author
    this.manifestSource = source
    if (this.buffer === null && !this.external) this.buffer = new Uint8Array(manifest.size)
  }

  isAccused(piece: number, link: LinkId): boolean {
    return this.accused.get(piece)?.has(link) === true
  }

  /** A peer's bytes of a piece do not fit the manifest. Returns how many peers' bytes do not. */
  accuse(piece: number, link: LinkId): number {
    const links = this.accused.get(piece) ?? new Map<LinkId, boolean>()
    this.accused.set(piece, links.set(link, links.get(link) ?? false))
    return links.size
  }

  /** The manifest holds for this piece. Returns who sent other bytes for it, each of them once. */
  convict(piece: number): LinkId[] {
    const links = this.accused.get(piece)
    if (links === undefined) return []
    const convicted = [...links.keys()].filter((link) => links.get(link) === false)
    for (const link of convicted) links.set(link, true)
    return convicted
  }

  /** Forgets manifest and bytes: they were not what the origin serves. */
  reset(): void {
    for (let piece = 0; piece < this.pieceCount; piece++) {
      this.verified.delete(piece)
      this.hashing.delete(piece)
      this.fromHttp.delete(piece)
    }
    this.manifest = null
    this.manifestAuthor = null
    this.accused.clear()
    this.buffer = null
  }
}

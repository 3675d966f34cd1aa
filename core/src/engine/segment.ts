import {
  type ByteSpan,
  type ManifestSignature,
  pieceCountOf,
  type SegmentId,
  type SegmentManifest,
  segmentKey,
} from '@shoal/protocol'
import type { Random } from '../ports/clock.js'
import type { ManifestTrust } from '../ports/digest.js'
import type { SegmentSources } from '../runtime/swarm-api.js'
import type { LinkId } from './io.js'
import { segmentMemory } from './memory.js'
import { PieceSet } from './piece-set.js'

const NO_PIECES = new PieceSet()

/** Where a manifest came from: `own` was made here, from bytes of the origin. */
export type ManifestSource = 'own' | ManifestTrust

/** Bytes of a piece that did not fit the manifest: their digest, and whether their sender was found to lie. */
interface Accusation {
  readonly digest: Uint8Array
  convicted: boolean
}

/** What a peer said of a segment where another said otherwise: the origin will tell. */
export interface Contradiction {
  readonly link: LinkId
  readonly manifest: SegmentManifest
}

/** Who delivered a piece. */
export type PieceSource = keyof SegmentSources

/** One segment as this peer knows it: its manifest, the bytes that are here, what is verified. */
export class Segment {
  readonly id: SegmentId
  readonly key: string
  manifest: SegmentManifest | null = null
  manifestSource: ManifestSource = 'unsigned'
  /** The manifest's, which grow while the segment is fetched; and those of later pieces, made here. */
  private hashes: Uint8Array[] = []
  private readonly ownHashes = new Map<number, Uint8Array>()
  /** When the manifest was last adopted or extended. */
  grewAt = 0
  private held: Uint8Array | null = null
  /** Hears by how many bytes the segment grew or shrank in memory. */
  onResize: ((change: number) => void) | null = null
  /** Bytes are outside memory, all verified: the host's `PieceReader` has them. */
  external = false
  /** The host brought it in, whole: nobody else had it then. */
  published = false
  /** Being fetched by HTTP here or, for a seeder, by its host. */
  fetching = false
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
  /** Pieces that are asked of peers and not here. */
  readonly asked = new PieceSet()
  private firstPiece: number | null = null
  /** Pieces of which HTTP gave the bytes: right whatever a manifest of a peer says. */
  readonly fromHttp = new PieceSet()
  /** Of those, the ones that came in answer to a Range request: they count once they are verified. */
  readonly fromPart = new PieceSet()
  /**
   * Bytes in the buffer that an HTTP load has brought, from its first one: the next load goes on
   * there.
   */
  tail: ByteSpan | null = null
  /** The peer whose manifest this is, where it is neither signed nor our own. */
  manifestAuthor: LinkId | null = null
  /** Peers whose bytes of a piece did not fit the manifest: they lie, or its author does. */
  private readonly accused = new Map<number, Map<LinkId, Accusation>>()
  /** Whose bytes of a piece certainly were wrong: nothing more of the segment is asked of them. */
  readonly convicted = new Set<LinkId>()
  /** Manifests of peers that contradict each other, until the origin's own is here. */
  contradictions: readonly Contradiction[] = []
  /** Hashes of it are a peer's word, though it was begun here. */
  foreign = false
  /** Nobody may take it from us before its manifest is signed: it is not announced. */
  withheld = false
  /** The tracker is asked to sign what was loaded here: others wait for it. */
  awaitsSignature = false
  readonly sources = { http: 0, peers: 0, seeders: 0 }
  /** What they were before it was fetched ahead: what came since counts for the want that follows. */
  sourcesAhead: SegmentSources | null = null
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

  /**
   * The piece that is asked of peers first, other things being equal, and after which the others come in
   * order, and round: each viewer begins elsewhere, and what is left at last is one span.
   */
  firstChoice(random: Random): number {
    this.firstPiece ??= Math.floor(random() * this.pieceCount)
    return this.firstPiece
  }

  /** The origin brings what ends here: peers begin behind it. */
  beginAfter(end: number): void {
    const { manifest, pieceCount } = this
    if (manifest !== null) this.firstPiece = Math.ceil(end / manifest.pieceSize) % pieceCount
  }

  /** More pieces will follow: neighbours need not look for them elsewhere. */
  get arriving(): boolean {
    return this.fetching || this.receiving || this.awaitsSignature
  }

  /** Pieces that may be passed on. */
  get shared(): PieceSet {
    return this.withheld ? NO_PIECES : this.verified
  }

  /** A manifest by which a piece that does not fit it is certainly wrong. */
  get certain(): boolean {
    return this.manifestSource === 'trusted' || (this.manifestSource === 'own' && !this.foreign)
  }

  get size(): number | null {
    return this.manifest?.size ?? this.buffer?.byteLength ?? null
  }

  get pieceCount(): number {
    return this.manifest === null ? 0 : pieceCountOf(this.manifest.size, this.manifest.pieceSize)
  }

  /** The manifest lacks hashes of pieces that have not been fetched yet, here or at its author's. */
  get growing(): boolean {
    return this.manifest !== null && this.manifest.hashes.length < this.pieceCount
  }

  /** True where the hash of the piece is known: what comes from peers can be verified. */
  hashKnown(piece: number): boolean {
    return this.manifest !== null && piece < this.manifest.hashes.length
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
    if (this.buffer !== null && this.buffer.byteLength !== manifest.size) {
      this.buffer = null
      this.tail = null
    }
    this.hashes = [...manifest.hashes]
    this.manifest = { ...manifest, hashes: this.hashes }
    this.manifestAuthor = author
    this.manifestSource = source
    this.foreign = false
    this.withheld = false
    if (this.buffer === null && !this.external) this.buffer = segmentMemory(this.id, manifest.size)
  }

  /** Takes hashes of the pieces from `first` on. False where they are not those that are known. */
  extend(first: number, hashes: readonly Uint8Array[]): boolean {
    for (const [index, hash] of hashes.entries()) {
      const piece = first + index
      const known = this.hashes[piece]
      if (known !== undefined && !sameBytes(known, hash)) return false
      // A gap is left to whoever asks for the manifest anew.
      if (piece === this.hashes.length && piece < this.pieceCount) this.hashes.push(hash)
    }
    this.joinOwnHashes()
    return true
  }

  /** The hash of a piece of the origin's, in whatever order: it counts once those before it are known. */
  addOwnHash(piece: number, hash: Uint8Array): void {
    this.ownHashes.set(piece, hash)
    this.joinOwnHashes()
  }

  private joinOwnHashes(): void {
    for (;;) {
      const hash = this.ownHashes.get(this.hashes.length)
      if (hash === undefined) return
      this.ownHashes.delete(this.hashes.length)
      this.hashes.push(hash)
    }
  }

  /** The peer's bytes of this piece, or certainly those of another one, were wrong. */
  isAccused(piece: number, link: LinkId): boolean {
    return this.convicted.has(link) || this.accused.get(piece)?.has(link) === true
  }

  /** A peer's bytes of a piece do not fit the manifest. Returns how many peers' bytes do not. */
  accuse(piece: number, link: LinkId, digest: Uint8Array): number {
    const links = this.accused.get(piece) ?? new Map<LinkId, Accusation>()
    if (!links.has(link)) links.set(link, { digest, convicted: false })
    this.accused.set(piece, links)
    return links.size
  }

  /** The piece has this digest. Returns who sent other bytes for it, each of them once, and who sent these. */
  convict(piece: number, digest: Uint8Array): { convicted: LinkId[]; cleared: LinkId[] } {
    const convicted: LinkId[] = []
    const cleared: LinkId[] = []
    for (const [link, accusation] of this.accused.get(piece) ?? []) {
      if (sameBytes(accusation.digest, digest)) cleared.push(link)
      else if (!accusation.convicted) convicted.push(link)
      accusation.convicted = true
    }
    for (const link of convicted) this.convicted.add(link)
    return { convicted, cleared }
  }

  /** Takes the signature that its manifest has got: it may be passed on. */
  sign(signature: ManifestSignature): void {
    if (this.manifest === null) return
    this.manifest = { ...this.manifest, signature }
    this.manifestSource = 'trusted'
    this.withheld = false
  }

  /** Forgets manifest and bytes: they were not what the origin serves. */
  reset(): void {
    this.dissolve()
    this.tail = null
    this.buffer = null
  }

  /** Forgets the manifest, and which pieces the bytes are: the size that it was made for was wrong. */
  dissolve(): void {
    this.firstPiece = null
    for (let piece = 0; piece < this.pieceCount; piece++) {
      this.verified.delete(piece)
      this.hashing.delete(piece)
      this.fromHttp.delete(piece)
      this.fromPart.delete(piece)
    }
    this.manifest = null
    this.manifestAuthor = null
    this.withheld = false
    this.awaitsSignature = false
    this.hashes = []
    this.ownHashes.clear()
    this.accused.clear()
  }
}

export function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a?.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])
}

/** True where a peer's manifest says other than what is known of the segment, as far as both go. */
export function contradicts({ manifest: own }: Segment, other: SegmentManifest): boolean {
  if (own === null) return false
  const alike = own.offset === other.offset && own.size === other.size && own.pieceSize === other.pieceSize
  return (
    !alike ||
    other.hashes.some((hash, piece) => own.hashes[piece] !== undefined && !sameBytes(own.hashes[piece], hash))
  )
}

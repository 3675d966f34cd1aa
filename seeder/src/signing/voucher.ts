import type { CryptoPort } from '@shoal/core'
import { DecodeError, decodeSidecar, type SegmentManifest, segmentKey, sidecarUrl } from '@shoal/protocol'
import { type Origin, OriginFailure, shownUrl } from '../origin/origin.js'
import type { ResourceRef } from '../source/playlist.js'
import type { Resource } from '../source/resource.js'
import { sameHashes } from './pieces.js'
import { isSignedBy, type Signer } from './signer.js'

/** A segment's content, the same under each of its ids. */
export type Content = Pick<SegmentManifest, 'offset' | 'size' | 'pieceSize' | 'hashes'>

/** Signed manifests of the content under each of a resource's ids; null where it is not what was signed. */
export type Vouch = (content: Content) => readonly SegmentManifest[] | null

/** Who signs what the seeder offers. */
export interface Voucher {
  /** What peers are to trust: told to the tracker. */
  readonly publicKeys: readonly string[]
  readonly crypto: CryptoPort
  /**
   * Asked before a segment is fetched.
   *
   * @throws OriginFailure where nobody has signed it yet
   */
  prepare(resource: Resource, from: ResourceRef, signal: AbortSignal): Promise<Vouch>
  /** Signed manifests of what an earlier run has stored, as `Vouch`; null where they have to be asked for. */
  recovered(resource: Resource, stored: SegmentManifest): readonly SegmentManifest[] | null
}

/** The seeder's own key. */
export function ownVoucher(signer: Signer, swarmId: Uint8Array): Voucher {
  const signed = ({ ids }: Resource, { offset, size, pieceSize, hashes }: Content) =>
    ids.map((segment) => signer.sign(swarmId, { segment, offset, size, pieceSize, hashes, signature: null }))
  return {
    publicKeys: [signer.publicKey],
    crypto: signer.crypto,
    prepare: async (resource) => (content) => signed(resource, content),
    recovered: signed,
  }
}

/** Sidecars that are remembered: the byte ranges of one resource share one. */
const MAX_SIDECARS = 16

type Sidecar = ReadonlyMap<string, SegmentManifest>

/**
 * The publisher, who has put signed manifests beside the segments (docs/protocol.md, "Sidecar"): the
 * seeder passes them on and holds no private key.
 */
export class SidecarVoucher implements Voucher {
  readonly publicKeys: readonly string[]
  readonly crypto: CryptoPort
  private readonly origin: Origin
  private readonly swarmId: Uint8Array
  private readonly recent = new Map<string, Sidecar>()

  constructor(publicKeys: readonly string[], crypto: CryptoPort, origin: Origin, swarmId: Uint8Array) {
    this.publicKeys = publicKeys
    this.crypto = crypto
    this.origin = origin
    this.swarmId = swarmId
  }

  async prepare({ ids }: Resource, from: ResourceRef, signal: AbortSignal): Promise<Vouch> {
    const keys = ids.map(segmentKey)
    const known = this.recent.get(from.url)
    const lists = (sidecar: Sidecar | undefined) => keys.every((key) => sidecar?.has(key))
    // One that does not list the segment may be of before: a live resource grows.
    const sidecar = known !== undefined && lists(known) ? known : await this.load(from.url, signal)
    const signed = keys.map((key) => sidecar.get(key)).filter((manifest) => manifest !== undefined)
    if (signed.length < keys.length) {
      throw new OriginFailure('status', `${shownUrl(sidecarUrl(from.url))} does not list it yet`, 404)
    }
    return (content) => {
      if (signed.every((manifest) => isOf(manifest, content))) return signed
      // It may be of before: a stream that began anew uses names again.
      this.recent.delete(from.url)
      return null
    }
  }

  recovered({ ids }: Resource, stored: SegmentManifest): readonly SegmentManifest[] | null {
    const [only, ...others] = ids
    if (only === undefined || others.length > 0) return null
    const isOurs = segmentKey(only) === segmentKey(stored.segment)
    return isOurs && isSignedBy(this.publicKeys, this.swarmId, stored) ? [stored] : null
  }

  private async load(url: string, signal: AbortSignal): Promise<Sidecar> {
    const where = sidecarUrl(url)
    const bytes = await this.origin.loadSegment({ url: where, range: null }, signal)
    const sidecar = new Map<string, SegmentManifest>()
    try {
      for (const manifest of decodeSidecar(bytes)) {
        if (!isSignedBy(this.publicKeys, this.swarmId, manifest)) continue
        sidecar.set(segmentKey(manifest.segment), manifest)
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      throw new OriginFailure('bad-response', `${shownUrl(where)} is no sidecar: ${error.message}`)
    }
    this.recent.delete(url)
    this.recent.set(url, sidecar)
    const [oldest] = this.recent.keys()
    if (this.recent.size > MAX_SIDECARS && oldest !== undefined) this.recent.delete(oldest)
    return sidecar
  }
}

function isOf(manifest: SegmentManifest, { offset, size, pieceSize, hashes }: Content): boolean {
  const { offset: at, size: bytes, pieceSize: pieces } = manifest
  return at === offset && bytes === size && pieces === pieceSize && sameHashes(manifest.hashes, hashes)
}

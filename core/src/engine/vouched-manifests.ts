import type { SegmentManifest } from '@shoal/protocol'
import { contradicts, type Segment } from './segment.js'
import type { Trust } from './trust.js'

/** Signed manifests kept for segments that are still loading: more loads are never under way. */
const MAX_WAITING = 16

export interface VouchedManifestsPorts {
  /** Whether a manifest's signature is a trusted key's. */
  isTrusted(manifest: SegmentManifest, then: (trusted: boolean) => void): void
  /** A segment has got its signature: who asked for its manifest gets it. */
  signed(segment: Segment): void
}

/**
 * Signed manifests that the host found beside segments at the origin: with one, what was loaded there may be
 * passed on, though no peer has its signature.
 */
export class VouchedManifests {
  private readonly trust: Trust
  private readonly ports: VouchedManifestsPorts
  /** By segment key, oldest first. */
  private readonly waiting = new Map<string, SegmentManifest>()

  constructor(trust: Trust, ports: VouchedManifestsPorts) {
    this.trust = trust
    this.ports = ports
  }

  /** @param segment undefined where it is not known here: then it is nobody's concern */
  found(manifest: SegmentManifest, segment: Segment | undefined): void {
    if (segment === undefined || manifest.signature === null || !this.trust.needsSignature) return
    if (segment.manifestSource === 'trusted' && segment.manifest !== null) return
    this.ports.isTrusted(manifest, (trusted) => {
      if (!trusted) return
      this.waiting.delete(segment.key)
      this.waiting.set(segment.key, manifest)
      const oldest = this.waiting.keys().next().value
      if (this.waiting.size > MAX_WAITING && oldest !== undefined) this.waiting.delete(oldest)
      this.loaded(segment)
    })
  }

  /** The segment's manifest was made here, of what the origin served: signed, if the publisher says the same. */
  loaded(segment: Segment): void {
    const { manifest } = segment
    if (manifest === null || !segment.withheld) return
    const vouched = this.waiting.get(segment.key)
    this.waiting.delete(segment.key)
    if (vouched?.signature == null || vouched.hashes.length !== manifest.hashes.length) return
    if (contradicts(segment, vouched)) return
    segment.sign(vouched.signature)
    this.ports.signed(segment)
  }
}

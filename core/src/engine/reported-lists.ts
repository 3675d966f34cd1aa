import {
  base64urlOf,
  type ManifestSignature,
  type Millis,
  type SegmentId,
  type SegmentManifest,
  signedManifestBytes,
} from '@shoal/protocol'
import type { EmitEffect } from './io.js'
import type { Segment } from './segment.js'
import type { Trust } from './trust.js'

/** Lists of our own that the tracker may still have something to say about. */
const MAX_LISTS = 64

/** Others wait for the tracker's signature for so long at most, in milliseconds; then for the origin. */
const SIGNATURE_PATIENCE_MS = 4_000

/** What the tracker says of a segment, to those who may act on it. */
export type SegmentVerdict =
  /** Members in different networks loaded the list with this digest; the tracker has signed it. */
  | {
      readonly type: 'attested'
      readonly segment: SegmentId
      readonly digest: string
      readonly signature: ManifestSignature
    }
  /** Members disagree. `wrong`: digests that a majority of networks contradicts. */
  | { readonly type: 'disputed'; readonly segment: SegmentId; readonly wrong: readonly string[] }

export interface ReportedListsPorts {
  readonly swarmId: Uint8Array
  readonly emit: EmitEffect
  /** SHA-256. */
  digest(bytes: Uint8Array, then: (digest: Uint8Array) => void): void
  /** Whether a manifest's signature is a trusted key's. */
  isTrusted(manifest: SegmentManifest, then: (trusted: boolean) => void): void
  /** What may be passed on of it has changed. */
  changed(segment: Segment): void
  /** It has got its signature: who asked for its manifest gets it. */
  signed(segment: Segment): void
  /** What peers said of it is not to be used; `wrong`: whoever said it is to blame. */
  disputed(segment: Segment, wrong: boolean): void
}

/** Tells the tracker what was loaded here, and acts on what it finds by comparing. */
export class ReportedLists {
  private readonly trust: Trust
  private readonly ports: ReportedListsPorts
  /** Digests of own lists, by segment key. */
  private readonly own = new Map<string, string>()
  private readonly awaited = new Map<Segment, Millis>()

  constructor(trust: Trust, ports: ReportedListsPorts) {
    this.trust = trust
    this.ports = ports
  }

  /** The whole segment came from the origin; its manifest was made here. */
  loaded(segment: Segment, now: Millis): void {
    const { manifest } = segment
    if (!this.trust.reports || manifest === null || segment.growing || this.own.has(segment.key)) return
    if (segment.withheld && this.trust.level === 'attested') {
      segment.awaitsSignature = true
      this.awaited.set(segment, (now + SIGNATURE_PATIENCE_MS) as Millis)
    }
    this.digestOf(manifest, (digest) => {
      this.own.set(segment.key, digest)
      const oldest = this.own.keys().next().value
      if (this.own.size > MAX_LISTS && oldest !== undefined) this.own.delete(oldest)
      this.ports.emit({ type: 'list', segment: segment.id, digest, wrong: false })
    })
  }

  /** The origin has other bytes than this manifest of a peer says. */
  wrong(segment: Segment): void {
    const { manifest } = segment
    if (!this.trust.reports || manifest === null || segment.growing || segment.certain) return
    this.digestOf(manifest, (digest) =>
      this.ports.emit({ type: 'list', segment: segment.id, digest, wrong: true }),
    )
  }

  /** Acts on what the tracker says. A segment that is not known here is nobody's concern. */
  heard(verdict: SegmentVerdict, segment: Segment | undefined): void {
    if (segment?.manifest == null || !this.trust.reports) return
    if (verdict.type === 'attested') return this.attested(segment, verdict.digest, verdict.signature)
    if (segment.manifestSource === 'trusted' || segment.growing) return
    const { manifest } = segment
    this.digestOf(manifest, (digest) => {
      if (segment.manifest !== manifest) return
      const wrong = verdict.wrong.includes(digest)
      if (!segment.certain) return this.ports.disputed(segment, wrong)
      // Our own way to the origin may be the broken one: we play it, and nobody gets it from us.
      if (!wrong || segment.withheld) return
      segment.withheld = true
      this.ports.changed(segment)
    })
  }

  /** Nobody waits any longer for a signature that has not come. */
  look(now: Millis): void {
    for (const [segment, until] of this.awaited) {
      if (now < until && segment.awaitsSignature) continue
      this.awaited.delete(segment)
      if (!segment.awaitsSignature) continue
      segment.awaitsSignature = false
      this.ports.changed(segment)
    }
  }

  private attested(segment: Segment, digest: string, signature: ManifestSignature): void {
    const { manifest } = segment
    const own = this.own.get(segment.key)
    if (manifest === null || !segment.withheld || own !== digest) return
    this.ports.isTrusted({ ...manifest, signature }, (trusted) => {
      if (!trusted || segment.manifest !== manifest) return
      segment.sign(signature)
      segment.awaitsSignature = false
      this.ports.signed(segment)
    })
  }

  private digestOf(manifest: SegmentManifest, then: (digest: string) => void): void {
    this.ports.digest(signedManifestBytes(this.ports.swarmId, manifest), (digest) => {
      if (digest.byteLength > 0) then(base64urlOf(digest))
    })
  }
}

import { type Millis, pieceSizeFor, type SegmentManifest } from '@shoal/protocol'
import type { ManifestTrust } from '../ports/digest.js'
import type { ManifestRequests } from './manifest-requests.js'
import type { Peer } from './peer.js'
import type { Segment } from './segment.js'
import type { Trust } from './trust.js'
import type { Verifier } from './verifier.js'
import { describes, type Want } from './want.js'

/** A manifest that has not grown for this long is asked of others, in milliseconds. */
const GROWTH_MS = 600

/** What comes of manifests. */
export interface ManifestEvents {
  /** The segment has got its manifest, or more hashes of it. */
  known(segment: Segment): void
  /** A peer's manifest was adopted for a segment that these wants are for. */
  adopted(want: Want): void
  /** Every piece is verified by the manifest that was made here. */
  made(segment: Segment): void
  /** Peers say different things of the segment: the origin will tell who lies. */
  contradicted(segment: Segment): void
  wantsOf(segment: Segment): readonly Want[]
  readyPeers(): readonly Peer[]
}

/** Takes manifests, whole or as they grow, from peers and from what the origin sends here. */
export class ManifestIntake {
  private readonly trust: Trust
  private readonly requests: ManifestRequests
  private readonly verifier: Verifier
  private readonly events: ManifestEvents

  constructor(trust: Trust, requests: ManifestRequests, verifier: Verifier, events: ManifestEvents) {
    this.trust = trust
    this.requests = requests
    this.verifier = verifier
    this.events = events
  }

  /** A manifest from a peer: looked at only where it was asked for. */
  offered(peer: Peer, manifest: SegmentManifest, segment: Segment, now: Millis): void {
    if (!this.requests.takeAnswer(peer, segment.key) || this.distrusts(peer, now)) return
    if ((segment.manifest !== null && !segment.growing) || segment.httpOnly) return
    this.verifier.checkManifest(peer, segment, manifest)
  }

  /** Further hashes of a growing manifest count where they come from whom the first ones came from. */
  hashes(peer: Peer, first: number, hashes: readonly Uint8Array[], segment: Segment, now: Millis): void {
    if (!segment.growing || segment.manifestAuthor !== peer.link || this.distrusts(peer, now)) return
    if (segment.extend(first, hashes)) this.grew(segment, now)
    else this.events.contradicted(segment)
  }

  grew(segment: Segment, now: Millis): void {
    segment.grewAt = now
    this.events.known(segment)
  }

  /** True where whoever sent the first hashes has gone, or has no more: another may. */
  isStuck(segment: Segment, now: Millis): boolean {
    return segment.growing && now - segment.grewAt >= GROWTH_MS
  }

  /**
   * A segment is on its way from the origin: its pieces are hashed and passed on as they come. Where
   * manifests must be signed, nobody would take them from us.
   */
  begin({ segment, wanted }: Want, size: number, now: Millis): void {
    const fits = wanted.range === null || size === wanted.range.end - wanted.range.start
    if (this.trust.needsSignature || !fits) return
    const offset = wanted.range?.start ?? 0
    const pieceSize = pieceSizeFor(size)
    segment.adopt({ segment: segment.id, offset, size, pieceSize, hashes: [], signature: null }, 'own')
    segment.grewAt = now
  }

  /** The check of a peer's manifest is done. */
  checked(peer: Peer, segment: Segment, manifest: SegmentManifest, trust: ManifestTrust, now: Millis): void {
    const trusted = !this.trust.needsSignature || trust === 'trusted'
    if (segment.growing && !segment.httpOnly && trusted) return this.extended(peer, segment, manifest, now)
    if (segment.manifest !== null || segment.httpOnly || segment.fetching) return
    const wants = this.events.wantsOf(segment)
    if (!trusted || !wants.every((want) => describes(manifest, want.wanted.range))) {
      // Not a manifest of what is wanted here: to us, this peer does not hold the segment.
      peer.have.forget(segment.id)
      this.requests.refused(segment.key)
      return
    }
    this.requests.settled(segment.key, this.events.readyPeers())
    const [want] = wants
    if (want === undefined) return
    segment.adopt(manifest, trust, peer.link)
    this.grew(segment, now)
    this.events.adopted(want)
  }

  /** A manifest was made here of the whole segment. */
  made(segment: Segment, manifest: SegmentManifest): void {
    if (segment.manifest !== null || segment.buffer?.byteLength !== manifest.size) return
    this.requests.settled(segment.key, this.events.readyPeers())
    segment.adopt(manifest, 'own')
    segment.withheld = this.trust.needsSignature
    this.events.known(segment)
    for (let piece = 0; piece < segment.pieceCount; piece++) segment.verified.add(piece)
    this.events.made(segment)
  }

  /** What this peer said of another segment was not the origin's. A signature would say who said it. */
  private distrusts(peer: Peer, now: Millis): boolean {
    return !this.trust.needsSignature && peer.isDistrusted(now)
  }

  /** The same manifest from somebody who has more of it. */
  private extended(peer: Peer, segment: Segment, manifest: SegmentManifest, now: Millis): void {
    this.requests.settled(segment.key, this.events.readyPeers())
    const { offset, size, pieceSize } = segment.manifest ?? {}
    const same = manifest.offset === offset && manifest.size === size && manifest.pieceSize === pieceSize
    if (!same || !segment.extend(0, manifest.hashes)) {
      const { manifest: first, manifestAuthor: author } = segment
      const said = first === null || author === null ? [] : [{ link: author, manifest: first }]
      segment.contradictions = [...said, { link: peer.link, manifest }]
      return this.events.contradicted(segment)
    }
    segment.manifestAuthor = peer.link
    // Hashes of a load of our own that broke off are the origin's; those that follow are a peer's word.
    segment.foreign = true
    this.grew(segment, now)
  }
}

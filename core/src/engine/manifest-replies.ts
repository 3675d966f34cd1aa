import { encodeMessage, type PeerMessage, type SegmentId, segmentKey } from '@shoal/protocol'
import type { EmitEffect } from './io.js'
import type { Peer } from './peer.js'
import type { Segment } from './segment.js'
import type { SegmentStore } from './segment-store.js'

/** Manifests that a peer may be promised at a time: six parts of half a second, on a few tracks. */
const MAX_WISHES = 16

/**
 * Answers requests for manifests: at once, as soon as a segment that is being fetched has its own, and
 * again as a manifest grows with the bytes that come.
 */
export class ManifestReplies {
  private readonly store: SegmentStore
  private readonly swarmTag: number
  private readonly emit: EmitEffect

  constructor(store: SegmentStore, swarmTag: number, emit: EmitEffect) {
    this.store = store
    this.swarmTag = swarmTag
    this.emit = emit
  }

  /** A peer asks. What is neither here nor on its way is not answered: the asker notices by time. */
  request(peer: Peer, id: SegmentId): void {
    const segment = this.store.get(segmentKey(id))
    if (segment === undefined) return
    if ((segment.manifest === null || segment.withheld) && !segment.arriving) return
    const { manifestWishes } = peer
    manifestWishes.set(segment.key, 0)
    const oldest = manifestWishes.keys().next().value
    if (manifestWishes.size > MAX_WISHES && oldest !== undefined) manifestWishes.delete(oldest)
    this.tell(peer, segment)
  }

  /** The segment has got its manifest, or more of it: those that asked for it hear it now. */
  known(segment: Segment, peers: Iterable<Peer>): void {
    for (const peer of peers) if (peer.manifestWishes.has(segment.key)) this.tell(peer, segment)
  }

  /** The segment is not what was told of it: nothing that follows belongs to that. */
  forget(segment: Segment, peers: Iterable<Peer>): void {
    for (const peer of peers) peer.manifestWishes.delete(segment.key)
  }

  /** Says what the peer has not heard; it is told more for as long as there will be more. */
  private tell(peer: Peer, segment: Segment): void {
    const { key, manifest } = segment
    const told = peer.manifestWishes.get(key) ?? 0
    if (manifest === null || segment.withheld || manifest.hashes.length <= told) return
    const { swarmTag } = this
    if (told === 0) this.send(peer, { type: 'manifest', swarmTag, manifest })
    else {
      const hashes = manifest.hashes.slice(told)
      this.send(peer, { type: 'hashes', swarmTag, segment: segment.id, first: told, hashes })
    }
    if (segment.growing) peer.manifestWishes.set(key, manifest.hashes.length)
    else peer.manifestWishes.delete(key)
  }

  private send(peer: Peer, message: PeerMessage): void {
    this.emit({ type: 'send', link: peer.link, channel: 'control', bytes: encodeMessage(message) })
  }
}

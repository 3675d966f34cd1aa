import type { Swarm } from '@shoal/core'
import { MAX_SEGMENT_BYTES, pieceSizeFor, type SegmentManifest } from '@shoal/protocol'
import type { Library } from '../holdings/library.js'
import type { Logger } from '../log.js'
import { type Origin, OriginFailure, shownUrl } from '../origin/origin.js'
import { hashPieces, sameHashes, sha256 } from '../signing/pieces.js'
import type { Voucher } from '../signing/voucher.js'
import type { ResourceRef } from '../source/playlist.js'
import type { Resource } from '../source/resource.js'
import type { RecoveredSegment, SegmentStore, StoredBytes } from '../store/segment-store.js'

export interface AcquirerParts {
  readonly origin: Origin
  readonly store: SegmentStore
  readonly library: Library
  readonly swarm: Swarm
  readonly voucher: Voucher
  readonly log: Logger
}

/** Brings one segment from the cache or the origin into the store, and offers it to the swarm. */
export class Acquirer {
  /** Largest segment so far: what the next one may take in the store. */
  largestBytes = 0
  /** Segments on their way into the store. */
  underWay = 0

  constructor(private readonly parts: AcquirerParts) {}

  /**
   * @param from where it is now: its URL may have another token than when it was first seen
   * @throws OriginFailure where it could not be fetched
   * @throws StoreError where it could not be kept
   */
  async acquire(resource: Resource, from: ResourceRef, signal: AbortSignal): Promise<void> {
    this.underWay++
    try {
      await this.recoverOrFetch(resource, from, signal)
    } finally {
      this.underWay--
    }
  }

  /**
   * Fetches a segment that an earlier run has stored, whatever is stored; true where both are the same.
   *
   * @throws OriginFailure, StoreError as `acquire`
   */
  async prove(resource: Resource, from: ResourceRef, signal: AbortSignal): Promise<boolean> {
    const before = await this.recover(resource)
    const hashes = await this.announceAndFetch(resource, from, signal)
    return before !== null && hashes !== null && sameHashes(before.manifest.hashes, hashes)
  }

  /** Fetches an initialisation section, for HTTP alone: it does not travel between peers. */
  async acquireInit(ref: ResourceRef, signal: AbortSignal): Promise<void> {
    const bytes = await this.parts.origin.loadSegment(ref, signal)
    this.parts.library.addInitSection(ref, bytes, tagOf([await sha256(bytes)]))
  }

  private async recoverOrFetch(resource: Resource, from: ResourceRef, signal: AbortSignal): Promise<void> {
    // The proof of a run has fetched one before its turn.
    if (this.parts.library.has(resource.key)) return
    const recovered = resource.recoverable ? await this.recover(resource) : null
    if (recovered !== null) {
      const { manifest, stored } = recovered
      const { voucher } = this.parts
      const signed =
        voucher.recovered(resource, manifest) ?? (await voucher.prepare(resource, from, signal))(manifest)
      if (signal.aborted) return
      if (signed !== null) return this.offer(resource, signed, stored)
      this.parts.store.remove(resource.key)
    }
    await this.announceAndFetch(resource, from, signal)
  }

  private async announceAndFetch(
    resource: Resource,
    from: ResourceRef,
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[] | null> {
    const { swarm } = this.parts
    for (const id of resource.ids) swarm.announceFetching(id)
    let hashes: readonly Uint8Array[] | null = null
    try {
      hashes = await this.fetch(resource, from, signal)
    } finally {
      // What was announced and does not come must not be waited for.
      if (hashes === null) for (const id of resource.ids) swarm.drop(id)
    }
    return hashes
  }

  private async recover({ key, segment }: Resource): Promise<RecoveredSegment | null> {
    const recovered = await this.parts.store.recover(key)
    if (recovered === null) return null
    const { offset, size } = recovered.manifest
    const { range } = segment
    const wanted = range === null ? offset === 0 : offset === range.start && size === range.end - range.start
    if (wanted) return recovered
    this.parts.store.remove(key)
    return null
  }

  /** The pieces' hashes; null where the segment cannot be offered at all. */
  private async fetch(
    resource: Resource,
    from: ResourceRef,
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[] | null> {
    const { origin, store, voucher } = this.parts
    const { key, segment } = resource
    const vouch = await voucher.prepare(resource, from, signal)
    const bytes = await origin.loadSegment(from, signal)
    const size = bytes.byteLength
    if (size === 0 || size > MAX_SEGMENT_BYTES) {
      this.parts.log.warn(
        { url: shownUrl(segment.url), size },
        'this segment is left out: it is empty or too large',
      )
      return null
    }
    const pieceSize = pieceSizeFor(size)
    const hashes = await hashPieces(bytes, pieceSize)
    const signed = vouch({ offset: segment.range?.start ?? 0, size, pieceSize, hashes })
    if (signed === null) {
      throw new OriginFailure('bad-response', `${shownUrl(segment.url)} is not what its publisher signed`)
    }
    const [primary] = signed
    if (primary === undefined) return null
    throwIfAborted(signal, segment.url)
    const stored = await store.put(key, segment, bytes, primary)
    if (signal.aborted) store.remove(key)
    throwIfAborted(signal, segment.url)
    this.offer(resource, signed, stored)
    return hashes
  }

  private offer(resource: Resource, signed: readonly SegmentManifest[], stored: StoredBytes): void {
    const { library, swarm, log } = this.parts
    this.largestBytes = Math.max(this.largestBytes, stored.size)
    library.add(resource, stored, tagOf(signed[0]?.hashes ?? []), signed)
    // Without bytes: the swarm reads pieces from the library, so that what is held has one owner.
    for (const manifest of signed) swarm.publish(manifest, null)
    log.debug({ url: shownUrl(resource.segment.url), bytes: stored.size }, 'segment offered')
  }
}

function throwIfAborted(signal: AbortSignal, url: string): void {
  if (signal.aborted) throw new OriginFailure('aborted', `${shownUrl(url)} is no longer wanted`)
}

/** Names the content: 8 bytes of the first and of the last piece's hash, and how many there are. */
function tagOf(hashes: readonly Uint8Array[]): string {
  const hex = (hash: Uint8Array | undefined) => Buffer.from(hash?.subarray(0, 8) ?? []).toString('hex')
  return `${hex(hashes[0])}-${hex(hashes.at(-1))}-${hashes.length}`
}

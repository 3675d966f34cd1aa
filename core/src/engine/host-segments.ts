import { type Millis, type SegmentId, type SegmentManifest, segmentKey } from '@shoal/protocol'
import type { Downloader } from './downloader.js'
import type { HaveAnnouncer } from './have-announcer.js'
import type { Segment } from './segment.js'
import type { SegmentStore } from './segment-store.js'
import type { Uploader } from './uploader.js'

interface HostSegmentsParts {
  readonly store: SegmentStore
  readonly downloader: Downloader
  readonly uploader: Uploader
  readonly announcer: HaveAnnouncer
  readonly manifestKnown: (segment: Segment) => void
}

/** Segments that the host brings in, or takes out, by itself. */
export class HostSegments {
  private readonly parts: HostSegmentsParts

  constructor(parts: HostSegmentsParts) {
    this.parts = parts
  }

  /** @param bytes null where they lie outside memory */
  publish(manifest: SegmentManifest, bytes: Uint8Array | null, now: Millis): void {
    const { store, downloader, uploader, announcer, manifestKnown } = this.parts
    let segment = store.open(manifest.segment)
    if (bytes === null && downloader.isWanted(segment)) {
      // Outside memory it is of no use to who wants it here: that load goes on by itself.
      store.delete(segment.key)
      segment = store.open(manifest.segment)
    }
    downloader.published(segment, () => {
      segment.reset()
      segment.fetching = false
      segment.external = bytes === null
      segment.published = true
      if (bytes !== null) segment.buffer = bytes
      segment.adopt(manifest, 'own')
      for (let piece = 0; piece < segment.pieceCount; piece++) segment.verified.add(piece)
    })
    manifestKnown(segment)
    for (let piece = 0; piece < segment.pieceCount; piece++) uploader.pieceReady(segment, piece)
    announcer.segmentChanged(segment, now)
  }

  announceFetching(id: SegmentId, now: Millis): void {
    const segment = this.parts.store.open(id)
    if (segment.complete) return
    segment.fetching = true
    this.parts.announcer.segmentChanged(segment, now)
  }

  /** A part of a segment is wanted: parts of much older ones are of no use any more. */
  dropOldParts(newest: SegmentId, now: Millis): void {
    const { store, downloader, announcer } = this.parts
    if (newest.part === null) return
    const dropped = store.dropOldParts(newest, (segment) => downloader.pinned(segment))
    for (const segment of dropped) announcer.segmentDropped(segment, now)
  }

  drop(id: SegmentId, now: Millis): void {
    const { store, downloader, announcer } = this.parts
    const segment = store.get(segmentKey(id))
    // A fetch that the host announced and has given up ends here too.
    if (segment === undefined || downloader.isWanted(segment)) return
    store.delete(segment.key)
    announcer.segmentDropped(segment, now)
  }
}

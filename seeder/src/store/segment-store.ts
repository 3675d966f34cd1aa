import type { SegmentManifest } from '@shoal/protocol'
import type { ResourceRef } from '../source/playlist.js'

/** Bytes of one held segment, wherever they are. */
export interface StoredBytes {
  readonly size: number
  /** Bytes from `start` to `end` of the segment, or null where they are gone. Never rejects. */
  read(start: number, end: number): Promise<Uint8Array | null>
}

export interface RecoveredSegment {
  /** As it was stored; its pieces' hashes have been checked against the bytes, its signature not. */
  readonly manifest: SegmentManifest
  readonly stored: StoredBytes
}

/**
 * Where the bytes of segments are kept: memory, a folder of a cache, or the origin's own files.
 *
 * Keys are chosen by the caller from letters, digits and hyphens: they are file names.
 */
export interface SegmentStore {
  /** Bytes at most; Infinity where nothing is ever evicted. */
  readonly capacity: number
  readonly bytes: number
  /** True where `recover` may find the segment, or it is held already. */
  has(key: string): boolean
  /** A complete segment of an earlier run, or null where there is none or it is damaged. */
  recover(key: string): Promise<RecoveredSegment | null>
  /** @throws StoreError where the bytes cannot be kept */
  put(key: string, source: ResourceRef, bytes: Uint8Array, manifest: SegmentManifest): Promise<StoredBytes>
  remove(key: string): void
  /** Forgets what an earlier run left and this one does not want. */
  prune(wanted: ReadonlySet<string>): void
  close(): Promise<void>
}

/** Called when a store gave up a segment by itself: evicted, or its file changed underneath. */
export type OnEvict = (key: string) => void

/** The bytes could not be kept: no space, no permission. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}

import type { Clock } from '@shoal/core'
import { type Millis, millis, type SegmentManifest } from '@shoal/protocol'
import type { Logger } from '../log.js'
import type { ResourceRef } from '../source/playlist.js'
import { type RecoveredSegment, type SegmentStore, type StoredBytes, StoreError } from './segment-store.js'

/** After a write that failed, in milliseconds, the disk is not tried: a full one stays full for a while. */
const RETRY_MS = millis(30_000)

/** Between two lines in the log about it, in milliseconds. */
const SAY_AGAIN_MS = 10 * 60_000

/** Keeps on disk what it can, and in memory what the disk does not take: it is full, or broken. */
export class SpillStore implements SegmentStore {
  private retryAt: Millis | null = null
  private saidAt = Number.NEGATIVE_INFINITY

  constructor(
    private readonly disk: SegmentStore,
    private readonly memory: SegmentStore,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** While the disk takes nothing, only memory has room. */
  get capacity(): number {
    return this.retryAt === null ? this.disk.capacity : this.disk.bytes + this.memory.capacity
  }

  get bytes(): number {
    return this.disk.bytes + this.memory.bytes
  }

  has(key: string): boolean {
    return this.disk.has(key) || this.memory.has(key)
  }

  recover(key: string): Promise<RecoveredSegment | null> {
    return this.disk.recover(key)
  }

  async put(
    key: string,
    source: ResourceRef,
    bytes: Uint8Array,
    manifest: SegmentManifest,
  ): Promise<StoredBytes> {
    if (this.retryAt === null || this.clock.now() >= this.retryAt) {
      try {
        const stored = await this.disk.put(key, source, bytes, manifest)
        this.memory.remove(key)
        if (this.retryAt !== null) this.log.info({}, 'the cache can be written again')
        this.retryAt = null
        return stored
      } catch (error) {
        if (!(error instanceof StoreError)) throw error
        this.failed(error)
      }
    }
    return await this.memory.put(key, source, bytes, manifest)
  }

  remove(key: string): void {
    this.disk.remove(key)
    this.memory.remove(key)
  }

  prune(wanted: ReadonlySet<string>): void {
    this.disk.prune(wanted)
  }

  async close(): Promise<void> {
    await this.disk.close()
    await this.memory.close()
  }

  private failed({ message }: StoreError): void {
    const now = this.clock.now()
    this.retryAt = millis(now + RETRY_MS)
    if (now - this.saidAt < SAY_AGAIN_MS) return
    this.saidAt = now
    this.log.warn({ error: message }, 'the cache cannot be written: keeping segments in memory')
  }
}

import type { ResourceRef } from '../source/playlist.js'
import { LruBudget } from './lru.js'
import type { OnEvict, RecoveredSegment, SegmentStore, StoredBytes } from './segment-store.js'

/** Keeps segments in memory, the least recently used go first. */
export class MemoryStore implements SegmentStore {
  private readonly segments = new Map<string, Uint8Array>()
  private readonly budget: LruBudget

  constructor(
    readonly capacity: number,
    private readonly onEvict: OnEvict,
  ) {
    this.budget = new LruBudget(capacity)
  }

  get bytes(): number {
    return this.budget.bytes
  }

  has(key: string): boolean {
    return this.segments.has(key)
  }

  async recover(): Promise<RecoveredSegment | null> {
    return null
  }

  async put(key: string, _source: ResourceRef, bytes: Uint8Array): Promise<StoredBytes> {
    this.segments.set(key, bytes)
    for (const evicted of this.budget.add(key, bytes.byteLength)) {
      this.segments.delete(evicted)
      this.onEvict(evicted)
    }
    return {
      size: bytes.byteLength,
      read: async (start, end) => {
        this.budget.touch(key)
        return this.segments.get(key)?.subarray(start, end) ?? null
      },
    }
  }

  remove(key: string): void {
    this.segments.delete(key)
    this.budget.remove(key)
  }

  prune(): void {}

  async close(): Promise<void> {
    this.segments.clear()
  }
}

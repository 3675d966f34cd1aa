import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { ResourceRef } from '../source/playlist.js'
import { FileReader, type FileVersion } from './file-reader.js'
import type { OnEvict, RecoveredSegment, SegmentStore, StoredBytes } from './segment-store.js'
import { StoreError } from './segment-store.js'

/**
 * Leaves segments in the files of a source folder and reads pieces from there.
 *
 * The origin adapter has checked that the file lies in the folder. A file that changes after it was
 * hashed gives nothing any more: its bytes would not be those of the manifest.
 */
export class FolderStore implements SegmentStore {
  readonly capacity = Number.POSITIVE_INFINITY
  private readonly sizes = new Map<string, number>()
  private sum = 0

  constructor(
    private readonly onEvict: OnEvict,
    private readonly reader = new FileReader(),
  ) {}

  get bytes(): number {
    return this.sum
  }

  has(key: string): boolean {
    return this.sizes.has(key)
  }

  async recover(): Promise<RecoveredSegment | null> {
    return null
  }

  async put(key: string, source: ResourceRef, bytes: Uint8Array): Promise<StoredBytes> {
    const path = fileURLToPath(source.url)
    const version = await fileVersion(path)
    const offset = source.range?.start ?? 0
    if (source.range === null && version.size !== bytes.byteLength) {
      throw new StoreError(`${path} changed while it was read`)
    }
    this.remove(key)
    this.sizes.set(key, bytes.byteLength)
    this.sum += bytes.byteLength
    return {
      size: bytes.byteLength,
      read: async (start, end) => {
        if (!this.sizes.has(key)) return null
        const piece = await this.reader.read(path, offset + start, offset + end, version)
        if (piece === null && this.sizes.has(key)) {
          this.reader.forget(path)
          this.remove(key)
          this.onEvict(key)
        }
        return piece
      },
    }
  }

  remove(key: string): void {
    this.sum -= this.sizes.get(key) ?? 0
    this.sizes.delete(key)
  }

  prune(): void {}

  async close(): Promise<void> {
    this.reader.close()
  }
}

async function fileVersion(path: string): Promise<FileVersion> {
  try {
    const { size, mtimeMs } = await stat(path)
    return { size, modifiedMs: mtimeMs }
  } catch (error) {
    throw new StoreError(error instanceof Error ? error.message : String(error))
  }
}

import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeManifest, manifestBytes, type SegmentManifest } from '@shoal/protocol'
import { SeederError } from '../errors.js'
import { hashPieces, sameHashes } from '../signing/pieces.js'
import type { ResourceRef } from '../source/playlist.js'
import { FileReader, type FileVersion } from './file-reader.js'
import { LruBudget } from './lru.js'
import {
  type OnEvict,
  type RecoveredSegment,
  type SegmentStore,
  type StoredBytes,
  StoreError,
} from './segment-store.js'

const SEGMENT = '.seg'
const MANIFEST = '.manifest'
const TEMPORARY = '.tmp'

/**
 * Keeps each segment as a file, its manifest beside it, in one folder per swarm.
 *
 * Both are written to a temporary name and renamed, the manifest last: a segment without manifest
 * was not complete. What an earlier run left is used only after its hashes have been checked, so
 * nothing needs to be forced to the disk; a file that changes after that is not read any more.
 */
export class DiskStore implements SegmentStore {
  private readonly budget: LruBudget
  /** Keys that an earlier run left and that nobody has checked yet. */
  private readonly unverified = new Set<string>()
  private temporaries = 0

  /**
   * Opens the folder, and makes it where it is missing.
   *
   * @throws SeederError (`cache-unusable`)
   */
  constructor(
    private readonly folder: string,
    readonly capacity: number,
    private readonly onEvict: OnEvict,
    private readonly reader = new FileReader(),
  ) {
    this.budget = new LruBudget(capacity)
    try {
      mkdirSync(folder, { recursive: true })
      this.scan()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new SeederError(
        'cache-unusable',
        `cannot use the cache folder ${folder}: ${reason}. Give --cache a folder that can be written.`,
      )
    }
  }

  get bytes(): number {
    return this.budget.bytes
  }

  has(key: string): boolean {
    return this.budget.has(key)
  }

  async recover(key: string): Promise<RecoveredSegment | null> {
    if (!this.unverified.has(key)) return null
    const found = await this.readVerified(key)
    if (found === null) {
      this.remove(key)
      return null
    }
    const { manifest, version } = found
    this.unverified.delete(key)
    this.budget.touch(key)
    return { manifest, stored: this.stored(key, version) }
  }

  async put(
    key: string,
    _source: ResourceRef,
    bytes: Uint8Array,
    manifest: SegmentManifest,
  ): Promise<StoredBytes> {
    this.unverified.delete(key)
    this.reader.forget(this.path(key, SEGMENT))
    for (const evicted of this.budget.add(key, bytes.byteLength)) {
      this.removeFiles(evicted)
      this.unverified.delete(evicted)
      this.onEvict(evicted)
    }
    let version: FileVersion
    try {
      version = await this.write(this.path(key, SEGMENT), bytes)
      await this.write(this.path(key, MANIFEST), manifestBytes(manifest))
    } catch (error) {
      this.remove(key)
      throw new StoreError(error instanceof Error ? error.message : String(error))
    }
    // Removed while it was being written: the files must not stay behind.
    if (!this.budget.has(key)) this.removeFiles(key)
    return this.stored(key, version)
  }

  remove(key: string): void {
    this.budget.remove(key)
    this.unverified.delete(key)
    this.removeFiles(key)
  }

  prune(wanted: ReadonlySet<string>): void {
    for (const key of [...this.unverified]) if (!wanted.has(key)) this.remove(key)
  }

  async close(): Promise<void> {
    this.reader.close()
  }

  private stored(key: string, version: FileVersion): StoredBytes {
    return {
      size: version.size,
      read: async (start, end) => {
        this.budget.touch(key)
        const piece = await this.reader.read(this.path(key, SEGMENT), start, end, version)
        if (piece === null && end <= version.size && this.budget.has(key)) {
          // Gone, or not what was hashed any more.
          this.remove(key)
          this.onEvict(key)
        }
        return piece
      },
    }
  }

  private path(key: string, suffix: string): string {
    return join(this.folder, key + suffix)
  }

  private async write(path: string, bytes: Uint8Array): Promise<FileVersion> {
    const temporary = `${path}.${this.temporaries++}${TEMPORARY}`
    try {
      const handle = await open(temporary, 'w', 0o644)
      let version: FileVersion
      try {
        await handle.writeFile(bytes)
        const { size, mtimeMs } = await handle.stat()
        version = { size, modifiedMs: mtimeMs }
      } finally {
        await handle.close()
      }
      await rename(temporary, path)
      return version
    } catch (error) {
      // What cannot be removed now goes at the next start.
      await rm(temporary, { force: true }).catch(() => undefined)
      throw error
    }
  }

  private removeFiles(key: string): void {
    this.reader.forget(this.path(key, SEGMENT))
    try {
      // The manifest first: without it the segment counts as incomplete.
      rmSync(this.path(key, MANIFEST), { force: true })
      rmSync(this.path(key, SEGMENT), { force: true })
    } catch {
      // A broken disk keeps them: they are checked before they are used again.
    }
  }

  /** The stored manifest, where the stored bytes are what it says, and which file they are of. */
  private async readVerified(
    key: string,
  ): Promise<{ readonly manifest: SegmentManifest; readonly version: FileVersion } | null> {
    try {
      const manifest = decodeManifest(await readFile(this.path(key, MANIFEST)))
      // Before the read: a writer that begins during it is seen later.
      const { size, mtimeMs } = statSync(this.path(key, SEGMENT))
      if (size !== manifest.size) return null
      const bytes = await readFile(this.path(key, SEGMENT))
      const hashes = await hashPieces(bytes, manifest.pieceSize)
      if (!sameHashes(hashes, manifest.hashes)) return null
      return { manifest, version: { size, modifiedMs: mtimeMs } }
    } catch {
      // Not there, not readable or not a manifest: the segment is fetched again.
      return null
    }
  }

  private scan(): void {
    const names = new Set(readdirSync(this.folder))
    const found: { key: string; size: number; usedMs: number }[] = []
    for (const name of names) {
      const key = name.slice(0, name.lastIndexOf('.'))
      if (name.endsWith(SEGMENT) && names.has(key + MANIFEST)) {
        const { size, mtimeMs } = statSync(join(this.folder, name))
        found.push({ key, size, usedMs: mtimeMs })
      } else if (name.endsWith(TEMPORARY) || name.endsWith(SEGMENT)) {
        rmSync(join(this.folder, name), { force: true })
      } else if (name.endsWith(MANIFEST) && !names.has(key + SEGMENT)) {
        rmSync(join(this.folder, name), { force: true })
      }
    }
    for (const { key, size } of found.sort((a, b) => a.usedMs - b.usedMs)) {
      this.unverified.add(key)
      for (const evicted of this.budget.add(key, size)) this.remove(evicted)
    }
  }
}

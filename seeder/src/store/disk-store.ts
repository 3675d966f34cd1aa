import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeManifest, manifestBytes, type SegmentManifest } from '@shoal/protocol'
import { SeederError } from '../errors.js'
import { hashPieces, sameHashes } from '../signing/pieces.js'
import type { ResourceRef } from '../source/playlist.js'
import { FileReader } from './file-reader.js'
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
 * nothing needs to be forced to the disk.
 */
export class DiskStore implements SegmentStore {
  private readonly budget: LruBudget
  private readonly reader = new FileReader()
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
    const manifest = await this.readVerified(key)
    if (manifest === null) {
      this.remove(key)
      return null
    }
    this.unverified.delete(key)
    this.budget.touch(key)
    return { manifest, stored: this.stored(key, manifest.size) }
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
    try {
      await this.write(this.path(key, SEGMENT), bytes)
      await this.write(this.path(key, MANIFEST), manifestBytes(manifest))
    } catch (error) {
      this.remove(key)
      throw new StoreError(error instanceof Error ? error.message : String(error))
    }
    // Removed while it was being written: the files must not stay behind.
    if (!this.budget.has(key)) this.removeFiles(key)
    return this.stored(key, bytes.byteLength)
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

  private stored(key: string, size: number): StoredBytes {
    return {
      size,
      read: (start, end) => {
        this.budget.touch(key)
        return this.reader.read(this.path(key, SEGMENT), start, end, null)
      },
    }
  }

  private path(key: string, suffix: string): string {
    return join(this.folder, key + suffix)
  }

  private async write(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = `${path}.${this.temporaries++}${TEMPORARY}`
    try {
      const handle = await open(temporary, 'w', 0o644)
      try {
        await handle.writeFile(bytes)
      } finally {
        await handle.close()
      }
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  private removeFiles(key: string): void {
    this.reader.forget(this.path(key, SEGMENT))
    // The manifest first: without it the segment counts as incomplete.
    rmSync(this.path(key, MANIFEST), { force: true })
    rmSync(this.path(key, SEGMENT), { force: true })
  }

  /** The stored manifest, where the stored bytes are what it says. */
  private async readVerified(key: string): Promise<SegmentManifest | null> {
    try {
      const manifest = decodeManifest(await readFile(this.path(key, MANIFEST)))
      if (statSync(this.path(key, SEGMENT)).size !== manifest.size) return null
      const bytes = await readFile(this.path(key, SEGMENT))
      const hashes = await hashPieces(bytes, manifest.pieceSize)
      return sameHashes(hashes, manifest.hashes) ? manifest : null
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

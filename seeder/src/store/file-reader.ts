import { type FileHandle, open } from 'node:fs/promises'
import { BLOCK_BYTES, BlockCache } from './block-cache.js'

/** Open files at most: below the usual soft limit of 1024 with room for sockets. */
const MAX_OPEN_FILES = 128

/** What a file was when its bytes were hashed; another size or time means other bytes. */
export interface FileVersion {
  readonly size: number
  readonly modifiedMs: number
}

interface OpenFile {
  readonly handle: Promise<FileHandle>
  users: number
  retired: boolean
}

/** Reads spans of files through a bounded number of open descriptors. */
export class FileReader {
  private readonly files = new Map<string, OpenFile>()

  constructor(
    private readonly blocks = new BlockCache(),
    private readonly limit = MAX_OPEN_FILES,
  ) {}

  /**
   * Bytes from `start` to `end` of a file; null where they cannot be read, or the file is not the
   * version that is asked for. A change is noticed within a second; until then the bytes are those of the
   * version.
   */
  async read(path: string, start: number, end: number, version: FileVersion): Promise<Uint8Array | null> {
    const first = Math.floor(start / BLOCK_BYTES)
    if (end <= (first + 1) * BLOCK_BYTES && end <= version.size) {
      const from = first * BLOCK_BYTES
      const blockEnd = Math.min(from + BLOCK_BYTES, version.size)
      return (await this.block(path, first, blockEnd, version))?.subarray(start - from, end - from) ?? null
    }
    const bytes = new Uint8Array(end - start)
    for (let at = start; at < end; ) {
      const index = Math.floor(at / BLOCK_BYTES)
      const from = index * BLOCK_BYTES
      const blockEnd = Math.min(from + BLOCK_BYTES, version.size)
      const block = at < blockEnd ? await this.block(path, index, blockEnd, version) : null
      if (block === null) return null
      const to = Math.min(end, blockEnd)
      bytes.set(block.subarray(at - from, to - from), at - start)
      at = to
    }
    return bytes
  }

  private block(path: string, index: number, end: number, version: FileVersion): Promise<Uint8Array | null> {
    const part = `${index} ${version.size} ${version.modifiedMs}`
    return this.blocks.get(path, part, (known) => this.load(path, index * BLOCK_BYTES, end, version, known))
  }

  private async load(
    path: string,
    start: number,
    end: number,
    version: FileVersion,
    known: Uint8Array | null,
  ): Promise<Uint8Array | null> {
    const file = this.use(path)
    try {
      const handle = await file.handle
      // What has been read of this version is not read again.
      if (known?.byteLength === end - start)
        return sameVersion(version, await versionOf(handle)) ? known : null
      const bytes = new Uint8Array(end - start)
      let filled = 0
      while (filled < bytes.byteLength) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.byteLength - filled, start + filled)
        if (bytesRead === 0) return null
        filled += bytesRead
      }
      // After the read: a writer that began before it is seen.
      return sameVersion(version, await versionOf(handle)) ? bytes : null
    } catch {
      // Whatever the reason, the bytes are not to be had: the caller drops the segment.
      this.forget(path)
      return null
    } finally {
      file.users--
      this.closeIfDone(file)
    }
  }

  /** Closes the file as soon as nobody reads it. */
  forget(path: string): void {
    this.blocks.forget(path)
    this.closeFile(path)
  }

  private closeFile(path: string): void {
    const file = this.files.get(path)
    if (file === undefined) return
    this.files.delete(path)
    file.retired = true
    this.closeIfDone(file)
  }

  close(): void {
    this.blocks.clear()
    for (const path of [...this.files.keys()]) this.closeFile(path)
  }

  private use(path: string): OpenFile {
    const file = this.files.get(path) ?? { handle: open(path, 'r'), users: 0, retired: false }
    file.users++
    this.files.delete(path)
    this.files.set(path, file)
    if (this.files.size > this.limit) {
      const [oldest] = this.files.keys()
      if (oldest !== undefined) this.closeFile(oldest)
    }
    return file
  }

  private closeIfDone(file: OpenFile): void {
    if (!file.retired || file.users > 0) return
    // A file that could not be opened, or closed, holds nothing.
    file.handle.then((handle) => handle.close()).catch(() => undefined)
  }
}

async function versionOf(handle: FileHandle): Promise<FileVersion> {
  const { size, mtimeMs } = await handle.stat()
  return { size, modifiedMs: mtimeMs }
}

function sameVersion(a: FileVersion, b: FileVersion): boolean {
  return a.size === b.size && a.modifiedMs === b.modifiedMs
}

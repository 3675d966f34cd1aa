import { type FileHandle, open } from 'node:fs/promises'

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

  constructor(private readonly limit = MAX_OPEN_FILES) {}

  /**
   * Bytes from `start` to `end` of a file; null where they cannot be read, or the file is not the
   * version that is asked for.
   */
  async read(
    path: string,
    start: number,
    end: number,
    version: FileVersion | null,
  ): Promise<Uint8Array | null> {
    const file = this.use(path)
    try {
      const handle = await file.handle
      const bytes = new Uint8Array(end - start)
      let filled = 0
      while (filled < bytes.byteLength) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.byteLength - filled, start + filled)
        if (bytesRead === 0) return null
        filled += bytesRead
      }
      // After the read: a writer that began before it is seen.
      if (version !== null && !sameVersion(version, await versionOf(handle))) return null
      return bytes
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
    const file = this.files.get(path)
    if (file === undefined) return
    this.files.delete(path)
    file.retired = true
    this.closeIfDone(file)
  }

  close(): void {
    for (const path of [...this.files.keys()]) this.forget(path)
  }

  private use(path: string): OpenFile {
    const file = this.files.get(path) ?? { handle: open(path, 'r'), users: 0, retired: false }
    file.users++
    this.files.delete(path)
    this.files.set(path, file)
    if (this.files.size > this.limit) {
      const [oldest] = this.files.keys()
      if (oldest !== undefined) this.forget(oldest)
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

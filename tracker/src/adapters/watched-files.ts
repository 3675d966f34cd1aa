import { readFile, stat } from 'node:fs/promises'
import type { Log } from './log.js'

/** Largest file that is read, in bytes: a list of a million info hashes has 41 MB. */
const MAX_FILE_BYTES = 64 * 1024 * 1024

/** Which files are read, and read anew when they change. */
interface FilesToRead {
  /** For the log and the health page: "the deny list". */
  readonly what: string
  /** Read together: a certificate and its key. */
  readonly paths: readonly string[]
  /** Largest file that is read; 64 MiB when left out. */
  readonly maxBytes?: number
}

/** Takes texts or bytes, in the order of `paths`; throws when they are wrong, and what was stays then. */
export type FileReader = FilesToRead &
  ({ use(texts: readonly string[]): void | Promise<void> } | { useBytes(files: readonly Buffer[]): void })

/** Files that are looked at now and then. Not by the system's events, which miss what is mounted or renamed. */
export class WatchedFiles {
  private readonly reader: FileReader
  private readonly log: Log
  private seen = ''
  private busy = false
  /** Why the files as they are now are not in use; null when they are. */
  problem: string | null = null

  private constructor(reader: FileReader, log: Log) {
    this.reader = reader
    this.log = log
  }

  /** Reads the files a first time. @throws Error when they cannot be read or are wrong */
  static async open(reader: FileReader, log: Log): Promise<WatchedFiles> {
    const files = new WatchedFiles(reader, log)
    files.seen = await fingerprint(reader)
    await files.read()
    return files
  }

  /** Reads the files anew if they have changed; wrong ones change nothing, and are logged once. */
  async look(): Promise<void> {
    if (this.busy) return
    this.busy = true
    const { what, paths } = this.reader
    try {
      const found = await this.fingerprint()
      if (found === this.seen) return
      this.seen = found
      await this.read()
      this.problem = null
      this.log.info({ paths }, `${what} read anew`)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (this.problem !== reason) this.log.error({ paths, reason }, `${what} not read, the old one stays`)
      this.problem = reason
    } finally {
      this.busy = false
    }
  }

  /** Files that were away are read anew when they are back, whatever they look like. */
  private async fingerprint(): Promise<string> {
    try {
      return await fingerprint(this.reader)
    } catch (error) {
      this.seen = ''
      throw error
    }
  }

  get what(): string {
    return this.reader.what
  }

  private async read(): Promise<void> {
    const { reader } = this
    const files: Buffer[] = []
    for (const path of reader.paths) files.push(await readFile(path))
    if ('useBytes' in reader) reader.useBytes(files)
    else await reader.use(files.map((bytes) => bytes.toString('utf8')))
  }
}

async function fingerprint({ paths, maxBytes = MAX_FILE_BYTES }: FilesToRead): Promise<string> {
  const marks: string[] = []
  for (const path of paths) {
    const { ino, size, mtimeMs } = await stat(path)
    if (size > maxBytes) throw new Error(`${path} is larger than ${maxBytes} bytes`)
    marks.push(`${ino} ${size} ${mtimeMs}`)
  }
  return marks.join('\n')
}

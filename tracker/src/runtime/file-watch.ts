import type { Log } from '../adapters/log.js'
import type { FileReader } from '../adapters/watched-files.js'
import { WatchedFiles } from '../adapters/watched-files.js'
import type { Health } from './health.js'
import { OptionsError } from './options.js'

/** What the system and OpenSSL say, in words. */
const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
  ERR_OSSL_PEM_NO_START_LINE: 'not PEM: a line -----BEGIN …----- is missing',
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'the key is not that of the certificate',
}

/** All files that are read anew when they change; what is amiss with them is on the health page. */
export class FileWatch {
  private readonly health: Health
  private readonly log: Log
  private readonly files: WatchedFiles[] = []
  private readonly seconds: number
  private timer: NodeJS.Timeout | undefined

  /** @param seconds between two looks at each file */
  constructor(seconds: number, health: Health, log: Log) {
    this.health = health
    this.log = log
    this.seconds = seconds
  }

  /** Begins to look. Not before: a tracker that cannot start leaves nothing behind. */
  start(): void {
    this.timer ??= setInterval(() => {
      for (const file of this.files) void file.look()
    }, this.seconds * 1000).unref()
  }

  /**
   * Reads a file now, and when it changes.
   *
   * @param key the setting that names it
   * @throws OptionsError when it cannot be used
   */
  async add(key: string, reader: FileReader): Promise<void> {
    try {
      const file = await WatchedFiles.open(reader, this.log)
      this.files.push(file)
      this.health.watch(key, () => (file.problem === null ? null : `${file.what}: the old one is in use`))
    } catch (error) {
      const { code, message, path = reader.paths.join(', ') } = error as NodeJS.ErrnoException
      const why = FILE_ERRORS[code ?? ''] ?? (code === undefined ? message : `${message} (${code})`)
      throw new OptionsError(`${key}: ${path}: ${why}`)
    }
  }

  close(): void {
    clearInterval(this.timer)
  }
}

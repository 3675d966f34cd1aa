import { readdir, readFile } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import type { HttpReply } from './server-port.js'

/** Files and bytes that are taken into memory at most: a dashboard has about ten files, 0.5 MB. */
const MAX_FILES = 500
const MAX_TOTAL_BYTES = 32 * 1024 * 1024

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

/** Ready replies by path below the folder, `index.html` also under the empty path. */
export type StaticFiles = ReadonlyMap<string, HttpReply>

/**
 * Takes a folder into memory. Only what was listed at the start can be asked for, so that no path
 * in a request ever reaches the file system.
 *
 * @returns null when there is no such folder, or no `index.html` in it
 */
export async function loadStaticFiles(folder: string): Promise<StaticFiles | null> {
  const files = new Map<string, HttpReply>()
  let total = 0
  let entries: string[]
  try {
    entries = await readdir(folder, { recursive: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
  for (const entry of entries.slice(0, MAX_FILES)) {
    const type = CONTENT_TYPES[extname(entry)]
    if (type === undefined) continue
    const body = await readFile(join(folder, entry))
    total += body.byteLength
    if (total > MAX_TOTAL_BYTES) break
    const path = entry.split(sep).join('/')
    files.set(path, { status: 200, headers: headersOf(path, type), body })
  }
  const index = files.get('index.html')
  if (index === undefined) return null
  return files.set('', index)
}

/** The bundler puts a hash of the content into the names below `assets/`. */
function headersOf(path: string, type: string): Record<string, string> {
  return {
    'content-type': type,
    'cache-control': path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    'x-content-type-options': 'nosniff',
  }
}

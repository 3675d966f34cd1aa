import { stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import type { LiveStream } from './live.js'

/** Something to answer with: made for this request, or a file. */
export type Content =
  | { readonly type: 'made'; readonly bytes: Buffer }
  | { readonly type: 'file'; readonly file: string; readonly size: number; readonly etag: string }

const LIVE_PATH = /^\/live\/(?:([^/]+)\/)?([^/]+)$/

/** Finds what a decoded path names; `null` when there is no such thing (now). */
export async function findContent(
  path: string,
  options: {
    readonly root: string
    readonly liveFrom: string
    readonly live: LiveStream | null
    readonly now: number
  },
): Promise<Content | null> {
  const inLive = LIVE_PATH.exec(path)
  if (options.live === null || inLive === null) return findFile(options.root, path)

  const [, track, name = ''] = inLive
  const source = join(options.root, options.liveFrom)
  if (track === undefined) return name === 'master.m3u8' ? findFile(source, `/${name}`) : null
  if (name === 'index.m3u8') {
    const text = options.live.playlist(track, options.now)
    return text === null ? null : { type: 'made', bytes: Buffer.from(text) }
  }
  const file = options.live.segmentFile(track, name, options.now)
  return file === null ? null : findFile(source, `/${file}`)
}

/** A file below `root`. Hidden files, folders and whatever lies outside are not found. */
async function findFile(root: string, path: string): Promise<Content | null> {
  if (path.includes('\0') || path.split('/').some((part) => part.startsWith('.'))) return null
  const base = resolve(root)
  const file = resolve(base, `.${path}`)
  if (!file.startsWith(base + sep)) return null
  const found = await stat(file).catch(() => null)
  if (!found?.isFile()) return null
  const etag = `"${found.size.toString(36)}-${Math.floor(found.mtimeMs).toString(36)}"`
  return { type: 'file', file, size: found.size, etag }
}

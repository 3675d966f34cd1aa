import { open, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MAX_SEGMENT_BYTES } from '@shoal/protocol'
import { SeederError } from '../errors.js'
import type { ResourceRef } from '../source/playlist.js'
import { looksLikePlaylist } from '../source/playlist-text.js'
import { type Origin, OriginFailure, type PlaylistLoad, type Validators } from './origin.js'

/** Reads from a folder, and from nowhere else: a playlist may name any path. */
export class FolderOrigin implements Origin {
  /** @param root the folder's real path */
  constructor(private readonly root: string) {}

  async loadPlaylist(url: string, validators: Validators | null): Promise<PlaylistLoad> {
    const path = await this.pathOf(url)
    try {
      const { mtimeMs, size } = await stat(path)
      const etag = `${mtimeMs}-${size}`
      if (etag === validators?.etag) return { kind: 'unchanged' }
      const text = await readFile(path, 'utf8')
      return { kind: 'loaded', text, url, validators: { etag, lastModified: null }, contentType: '', site: 0 }
    } catch (error) {
      throw fileFailure(error, path)
    }
  }

  async loadSegment({ url, range }: ResourceRef): Promise<Uint8Array> {
    const path = await this.pathOf(url)
    try {
      const handle = await open(path, 'r')
      try {
        const { size } = await handle.stat()
        const span = range ?? { start: 0, end: size }
        const length = span.end - span.start
        if (length > MAX_SEGMENT_BYTES) throw new OriginFailure('too-large', `${path} has ${length} bytes`)
        const bytes = new Uint8Array(length)
        let filled = 0
        while (filled < length) {
          const { bytesRead } = await handle.read(bytes, filled, length - filled, span.start + filled)
          if (bytesRead === 0) {
            throw new OriginFailure('bad-response', `${path} ends before byte ${span.end}`)
          }
          filled += bytesRead
        }
        return bytes
      } finally {
        await handle.close()
      }
    } catch (error) {
      throw error instanceof OriginFailure ? error : fileFailure(error, path)
    }
  }

  /** Symbolic links are followed first: what counts is where the file really is. */
  private async pathOf(url: string): Promise<string> {
    if (!url.startsWith('file:')) {
      throw new OriginFailure('status', `${url} is not in the folder: give the playlist's URL as SOURCE`, 403)
    }
    let real: string
    try {
      real = await realpath(fileURLToPath(url))
    } catch (error) {
      throw fileFailure(error, url)
    }
    if (!real.startsWith(this.root + sep)) {
      throw new OriginFailure('status', `${real} is outside of the folder ${this.root}`, 403)
    }
    return real
  }
}

/** A folder as a source: its real path, and the URL of the playlist in it. */
export interface FolderSource {
  readonly root: string
  readonly playlistUrl: string
}

/**
 * Finds the playlist of a folder: `master.m3u8` or `index.m3u8`, else the only multivariant playlist,
 * else the only `*.m3u8`.
 *
 * @throws SeederError (`no-playlist`)
 */
export async function findPlaylist(folder: string): Promise<FolderSource> {
  let root: string
  let names: string[]
  try {
    root = await realpath(folder)
    names = (await readdir(root)).filter((name) => name.toLowerCase().endsWith('.m3u8')).sort()
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const what = reason === 'ENOENT' ? 'there is no such folder' : reason
    throw new SeederError(
      'no-playlist',
      `cannot read the folder ${folder}: ${what}. SOURCE is a folder with a playlist, or its URL.`,
    )
  }
  const source = (name: string) => ({ root, playlistUrl: pathToFileURL(`${root}${sep}${name}`).href })
  for (const name of ['master.m3u8', 'index.m3u8']) if (names.includes(name)) return source(name)
  const multivariant: string[] = []
  for (const name of names) {
    const text = await readFile(`${root}${sep}${name}`, 'utf8').catch(() => '')
    if (looksLikePlaylist(text) && /^#EXT-X-STREAM-INF:/m.test(text)) multivariant.push(name)
  }
  const candidates = multivariant.length > 0 ? multivariant : names
  const [only] = candidates
  if (only !== undefined && candidates.length === 1) return source(only)
  if (only === undefined) {
    throw new SeederError('no-playlist', `there is no playlist (*.m3u8) in ${folder}.`)
  }
  throw new SeederError(
    'no-playlist',
    `${folder} has several playlists (${candidates.slice(0, 5).join(', ')}): name the one to serve master.m3u8.`,
  )
}

function fileFailure(error: unknown, path: string): OriginFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') return new OriginFailure('status', `there is no file ${path}`, 404)
  return new OriginFailure('status', `cannot read ${path}: ${code || String(error)}`, 403)
}

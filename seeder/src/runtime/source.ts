import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Clock } from '@shoal/core'
import { contentIdOfUrl } from '@shoal/protocol'
import { SeederError } from '../errors.js'
import { FolderOrigin, type FolderSource, findPlaylist } from '../origin/folder-origin.js'
import { HttpOrigin } from '../origin/http-origin.js'
import { type Origin, OriginFailure, type PlaylistLoad, shownUrl } from '../origin/origin.js'
import { type ParsedPlaylist, PlaylistError, parsePlaylist } from '../source/playlist.js'

/** Where the title comes from. */
export interface Source {
  readonly kind: 'folder' | 'url'
  readonly origin: Origin
  readonly playlistUrl: string
  readonly contentId: string
}

/** A source's playlist as it was loaded at the start. */
export interface Entry {
  readonly load: Extract<PlaylistLoad, { kind: 'loaded' }>
  readonly playlist: ParsedPlaylist
}

/**
 * Makes out what SOURCE is.
 *
 * @throws SeederError
 */
export async function resolveSource(
  source: string,
  contentId: string | undefined,
  clock: Clock,
): Promise<Source> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) {
    if (!/^https?:/i.test(source) || !URL.canParse(source)) {
      throw new SeederError('usage', `${source} is not an http:// or https:// URL.`)
    }
    const { href } = new URL(source)
    const id = contentId ?? contentIdOfUrl(href)
    return { kind: 'url', origin: new HttpOrigin(clock), playlistUrl: href, contentId: id }
  }
  if (contentId === undefined) {
    throw new SeederError(
      'usage',
      `a folder needs --content-id: viewers find the swarm by the URL of the playlist that they load, ` +
        `which a folder does not have. Give that URL (without query), or the contentId set in the player.`,
    )
  }
  const { root, playlistUrl } = await folderSource(source)
  return { kind: 'folder', origin: new FolderOrigin(root), playlistUrl, contentId }
}

/** SOURCE may also be the playlist file itself. */
async function folderSource(path: string): Promise<FolderSource> {
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
  if (!isFile) return findPlaylist(path)
  const root = await realpath(dirname(resolve(path)))
  return { root, playlistUrl: pathToFileURL(resolve(root, basename(path))).href }
}

/**
 * Loads and reads the source's playlist.
 *
 * @throws SeederError that says what is wrong with it
 */
export async function loadEntry({ origin, playlistUrl }: Source): Promise<Entry> {
  let load: PlaylistLoad
  try {
    load = await origin.loadPlaylist(playlistUrl, null, new AbortController().signal)
  } catch (error) {
    if (!(error instanceof OriginFailure)) throw error
    if (error.kind === 'unreachable') {
      throw new SeederError(
        'origin-unreachable',
        `cannot reach the origin: ${error.message}. Check the URL, and that the origin runs.`,
      )
    }
    throw new SeederError('origin-status', `cannot load the playlist: ${error.message}. Check the URL.`)
  }
  if (load.kind === 'unchanged')
    throw new SeederError('origin-status', `${shownUrl(playlistUrl)} answered HTTP 304`)
  try {
    return { load, playlist: parsePlaylist(load.text, load.url) }
  } catch (error) {
    if (!(error instanceof PlaylistError)) throw error
    const type = load.contentType === '' ? '' : ` (it says ${load.contentType})`
    throw new SeederError(
      'not-a-playlist',
      `${shownUrl(playlistUrl)} is not an HLS playlist${type}: ${error.message}. Give the URL of a .m3u8 playlist.`,
    )
  }
}

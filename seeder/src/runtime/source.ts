import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Clock } from '@shoal/core'
import { contentIdOfUrl, millis, trackIdentity, trackIdOf } from '@shoal/protocol'
import { SeederError } from '../errors.js'
import type { Logger } from '../log.js'
import { FolderOrigin, type FolderSource, findPlaylist } from '../origin/folder-origin.js'
import { HttpOrigin, type Patience } from '../origin/http-origin.js'
import { type Origin, OriginFailure, type PlaylistLoad, shownUrl } from '../origin/origin.js'
import { RedundantOrigin } from '../origin/redundant-origin.js'
import {
  type MediaPlaylistRef,
  type ParsedPlaylist,
  PlaylistError,
  parsePlaylist,
} from '../source/playlist.js'

/** Where the title comes from. */
export type Source = { readonly playlistUrl: string; readonly contentId: string } & (
  | { readonly kind: 'folder'; readonly origin: Origin }
  | { readonly kind: 'url'; readonly origin: RedundantOrigin }
)

/** Where there is another origin, that one is asked while the segment can still come in time. */
const HASTY: Patience = { limit: millis(4_000), targetDurations: 0.5, least: millis(500) }

/** A source's playlist as it was loaded at the start. */
export interface Entry {
  readonly load: Extract<PlaylistLoad, { kind: 'loaded' }>
  readonly playlist: ParsedPlaylist
}

/**
 * Makes out what SOURCE is.
 *
 * @param origins where the same playlist is too
 * @throws SeederError
 */
export async function resolveSource(
  source: string,
  origins: readonly string[],
  contentId: string | undefined,
  clock: Clock,
  log: Logger,
): Promise<Source> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) {
    const href = httpUrl(source)
    const origin = new RedundantOrigin(new HttpOrigin(clock), new HttpOrigin(clock, HASTY), log)
    for (const other of origins) origin.add(href, httpUrl(other))
    return { kind: 'url', origin, playlistUrl: href, contentId: contentId ?? contentIdOfUrl(href) }
  }
  if (origins.length > 0) {
    throw new SeederError('usage', 'a folder has no other origins: --origin goes with the URL of a playlist.')
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

function httpUrl(text: string): string {
  if (/^https?:/i.test(text) && URL.canParse(text)) return new URL(text).href
  throw new SeederError('usage', `${text} is not an http:// or https:// URL.`)
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
    if (error.kind === 'unreachable' || error.kind === 'silent') {
      throw new SeederError(
        'origin-unreachable',
        `cannot reach the origin: ${error.message}. Check the URL, and that the origin runs.`,
      )
    }
    if (error.kind === 'not-media') {
      throw new SeederError('not-a-playlist', `${error.message}. Give the URL of a .m3u8 playlist.`)
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

/** The media playlists to follow: the source itself, where it is one. @throws SeederError */
export function playlistRefs(source: Source, { playlist }: Entry): readonly MediaPlaylistRef[] {
  if (playlist.kind === 'media') {
    return [{ url: source.playlistUrl, tracks: [trackIdOf(trackIdentity({ kind: 'single' }))], backups: [] }]
  }
  if (playlist.playlists.length > 0) return playlist.playlists
  throw new SeederError('not-a-playlist', `${source.playlistUrl} lists no variant that can be followed.`)
}

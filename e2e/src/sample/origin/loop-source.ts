import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readMediaPlaylist } from '../media/playlists.js'
import type { LoopSource } from './live.js'

/** Segments of a source may differ from each other by so much, in seconds. */
const DURATION_TOLERANCE_SECONDS = 0.05

/**
 * Reads the VOD in `folder` (`master.m3u8`, MPEG-TS, sound in the video's segments) as the source of a
 * live stream.
 *
 * @throws {Error} when its renditions cannot be repeated in step
 */
export async function readLoopSource(folder: string): Promise<LoopSource> {
  const master = await readFile(join(folder, 'master.m3u8'), 'utf8')
  const uris = master.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const playlists = await Promise.all(uris.map((uri) => readMediaPlaylist(join(folder, uri))))
  const first = playlists[0]?.segments ?? []
  const segmentSeconds = first[0]?.seconds ?? 0
  const inStep = playlists.every(
    ({ segments }) =>
      segments.length === first.length &&
      segments.every(({ seconds }) => Math.abs(seconds - segmentSeconds) <= DURATION_TOLERANCE_SECONDS),
  )
  if (first.length === 0 || !inStep) {
    throw new Error(`${folder} cannot be repeated as a live stream: its segments are not all equally long`)
  }
  return {
    tracks: new Map(
      uris.map((uri, index) => [
        dirname(uri),
        (playlists[index]?.segments ?? []).map((segment) => segment.uri),
      ]),
    ),
    segmentCount: first.length,
    segmentSeconds,
  }
}

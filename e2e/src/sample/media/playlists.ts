import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** One segment of a media playlist on disk. */
interface ListedSegment {
  readonly uri: string
  readonly seconds: number
  readonly bytes: number
}

export interface MediaPlaylist {
  readonly targetDuration: number
  readonly segments: readonly ListedSegment[]
}

/** Reads a media playlist as ffmpeg writes it, with the size of each segment's file or byte range. */
export async function readMediaPlaylist(file: string): Promise<MediaPlaylist> {
  const lines = (await readFile(file, 'utf8')).split(/\r?\n/)
  const segments: ListedSegment[] = []
  let targetDuration = 0
  let seconds = 0
  let range: number | null = null
  for (const line of lines) {
    if (line.startsWith('#EXT-X-TARGETDURATION:')) targetDuration = Number(line.slice(22))
    else if (line.startsWith('#EXTINF:')) seconds = Number.parseFloat(line.slice(8))
    else if (line.startsWith('#EXT-X-BYTERANGE:')) range = Number.parseInt(line.slice(17), 10)
    else if (line !== '' && !line.startsWith('#')) {
      const bytes = range ?? (await stat(join(dirname(file), line))).size
      segments.push({ uri: line, seconds, bytes })
      range = null
    }
  }
  return { targetDuration, segments }
}

/** Shorter segments than this share of the target duration do not count for the peak (RFC 8216, 4.1). */
const PEAK_MIN_SHARE = 0.5

/** Bits per second of a playlist: the peak segment rate, and the average. */
export function bitRates(playlist: MediaPlaylist): { readonly peak: number; readonly average: number } {
  const { segments, targetDuration } = playlist
  const bits = segments.reduce((sum, { bytes }) => sum + bytes * 8, 0)
  const seconds = segments.reduce((sum, segment) => sum + segment.seconds, 0)
  const peaks = segments
    .filter((segment) => segment.seconds >= targetDuration * PEAK_MIN_SHARE)
    .map((segment) => (segment.bytes * 8) / segment.seconds)
  return { peak: Math.ceil(Math.max(0, ...peaks)), average: Math.ceil(bits / seconds) }
}

/** A variant of a multivariant playlist. */
export interface Variant {
  readonly uri: string
  readonly bandwidth: number
  readonly averageBandwidth: number
  readonly width: number
  readonly height: number
  readonly framesPerSecond: number
  readonly codecs: string
  readonly audioGroup?: string
}

/** An alternative audio rendition. */
export interface AudioRendition {
  readonly uri: string
  readonly group: string
  readonly language: string
  readonly name: string
  readonly isDefault: boolean
}

/** Text of a multivariant playlist (RFC 8216, section 4.3.4). */
export function multivariantPlaylist(
  variants: readonly Variant[],
  audio: readonly AudioRendition[] = [],
): string {
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...audio.map(
      (rendition) =>
        `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${rendition.group}",LANGUAGE="${rendition.language}",` +
        `NAME="${rendition.name}",DEFAULT=${rendition.isDefault ? 'YES' : 'NO'},AUTOSELECT=YES,` +
        `CHANNELS="2",URI="${rendition.uri}"`,
    ),
    ...variants.flatMap((variant) => [
      `#EXT-X-STREAM-INF:BANDWIDTH=${variant.bandwidth},AVERAGE-BANDWIDTH=${variant.averageBandwidth},` +
        `RESOLUTION=${variant.width}x${variant.height},FRAME-RATE=${variant.framesPerSecond.toFixed(3)},` +
        `CODECS="${variant.codecs}"${variant.audioGroup === undefined ? '' : `,AUDIO="${variant.audioGroup}"`}`,
      variant.uri,
    ]),
    '',
  ].join('\n')
}

/** Puts media playlists of finished streams one after the other, with EXT-X-DISCONTINUITY between. */
export function concatenatePlaylists(playlists: readonly MediaPlaylist[]): string {
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    `#EXT-X-TARGETDURATION:${Math.max(...playlists.map(({ targetDuration }) => targetDuration))}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...playlists.flatMap(({ segments }, index) => [
      ...(index === 0 ? [] : ['#EXT-X-DISCONTINUITY']),
      ...segments.flatMap(({ seconds, uri }) => [`#EXTINF:${seconds.toFixed(6)},`, uri]),
    ]),
    '#EXT-X-ENDLIST',
    '',
  ].join('\n')
}

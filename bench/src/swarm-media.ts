import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeVod, readMediaPlaylist } from '../../e2e/dist/sample/index.js'
import type { Scenario } from './swarm-scenarios.js'

interface SegmentFile {
  readonly bytes: number
  /** SHA-256, in hexadecimal digits. */
  readonly digest: string
}

/** A scenario's media on disk. */
export interface Media {
  /** For the origin. */
  readonly root: string
  /** Of the highest rendition: whole files over the time they play. */
  readonly bytesPerSecond: number
  readonly segmentSeconds: number
  /** By track, in order. A live stream repeats them for ever. */
  readonly tracks: ReadonlyMap<string, readonly SegmentFile[]>
}

const ROOT = fileURLToPath(new URL('../../.shoal/bench', import.meta.url))

/** Makes a scenario's media, once. */
export async function prepareMedia(scenario: Scenario): Promise<Media> {
  const root = join(ROOT, scenario.media)
  const sample = await makeVod({ root, recipe: scenario.recipe })
  const tracks = new Map<string, SegmentFile[]>()
  let bytesPerSecond = 0
  let segmentSeconds = 0
  for (const track of (await readdir(sample.folder)).filter((name) => /^v\d+$/.test(name)).sort()) {
    const { segments } = await readMediaPlaylist(join(sample.folder, track, 'index.m3u8'))
    const files = await Promise.all(
      segments.map(async ({ uri }) => {
        const content = await readFile(join(sample.folder, track, uri))
        return { bytes: content.length, digest: createHash('sha256').update(content).digest('hex') }
      }),
    )
    tracks.set(track, files)
    const seconds = segments.reduce((sum, segment) => sum + segment.seconds, 0)
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    bytesPerSecond = Math.max(bytesPerSecond, bytes / seconds)
    segmentSeconds = seconds / segments.length
  }
  return { root, bytesPerSecond, segmentSeconds, tracks }
}

/** What a segment should be; undefined where the stream has no such track. */
export function segmentFile(
  { tracks }: Pick<Media, 'tracks'>,
  track: string,
  sequence: number,
): SegmentFile | undefined {
  const files = tracks.get(track)
  return files?.[sequence % files.length]
}

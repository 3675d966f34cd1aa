import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeVod, type Recipe, readMediaPlaylist } from '../../e2e/dist/sample/index.js'

/** What is played, and what happens to the origin meanwhile. */
export interface Scenario {
  readonly name: string
  readonly kind: 'live' | 'vod'
  readonly recipe: Partial<Recipe>
  /** Share of the play after which the origin is gone, and for how long; null where it stays. */
  readonly outage: { readonly afterShare: number; readonly seconds: number } | null
}

/**
 * Few frames of few pixels at a rate that is really spent: ten pages decode them on two cores, and what
 * travels is as much as of a stream that looks better. Longer than a run, so that it does not repeat.
 */
const LIVE_RECIPE: Partial<Recipe> = {
  seconds: 160,
  framesPerSecond: 12,
  renditions: [{ name: '240p', width: 426, height: 240, videoKbps: 500 }],
}

const VOD_RECIPE: Partial<Recipe> = {
  seconds: 160,
  framesPerSecond: 12,
  renditions: [{ name: '360p', width: 640, height: 360, videoKbps: 1350 }],
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'live', kind: 'live', recipe: LIVE_RECIPE, outage: null },
  { name: 'vod', kind: 'vod', recipe: VOD_RECIPE, outage: null },
  { name: 'origin-gone', kind: 'live', recipe: LIVE_RECIPE, outage: { afterShare: 0.4, seconds: 20 } },
]

/** A scenario's media on disk. */
export interface Media {
  /** For the origin. */
  readonly root: string
  /** Of whole files over the time they play. */
  readonly bytesPerSecond: number
  /** Mean size of a segment. */
  readonly segmentBytes: number
  readonly segmentSeconds: number
}

const ROOT = fileURLToPath(new URL('../../.shoal/bench', import.meta.url))

/** Makes a scenario's media, once. */
export async function prepareMedia(scenario: Scenario): Promise<Media> {
  const root = join(ROOT, scenario.kind)
  const sample = await makeVod({ root, recipe: scenario.recipe })
  const { segments } = await readMediaPlaylist(join(sample.folder, 'v0/index.m3u8'))
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0)
  const seconds = segments.reduce((sum, segment) => sum + segment.seconds, 0)
  return {
    root,
    bytesPerSecond: bytes / seconds,
    segmentBytes: bytes / segments.length,
    segmentSeconds: seconds / segments.length,
  }
}

import { createDecipheriv, createHash } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type EncodeOptions, encodeAudio, encodeRenditions } from './encode.js'
import { writeMultivariant } from './multivariant.js'
import {
  type AudioRendition,
  concatenatePlaylists,
  type MediaPlaylist,
  readMediaPlaylist,
} from './playlists.js'
import { type Recipe, SMALL_RECIPE, VOD_RECIPE } from './recipe.js'
import { makeOnce } from './store.js'

/** A multivariant playlist and its media on disk. */
export interface Sample {
  /** Its folder's name below the root, and its first path element at the origin. */
  readonly name: string
  readonly folder: string
  /** `master.m3u8` in `folder`. */
  readonly playlist: string
}

export interface SampleOptions {
  /** Holds one folder per sample. Default: `.shoal/sample` in the repository. */
  readonly root?: string
  /** Told when the sample has to be made. Default: a line on standard error. */
  readonly onProgress?: (line: string) => void
  /** Changes to the sample's recipe. A changed recipe wants a root of its own. */
  readonly recipe?: Partial<Recipe>
}

const LOW_TONE_HZ = 220
const MIDDLE_TONE_HZ = 330
const HIGH_TONE_HZ = 494

/** This file is `e2e/dist/sample/media/samples.js` when it runs. */
export const DEFAULT_SAMPLE_ROOT = fileURLToPath(new URL('../../../../.shoal/sample', import.meta.url))

/** The sample of `npm start`: MPEG-TS, H.264 and AAC, three renditions, segments of 4 s, 64 s in all. */
export function makeVod(options: SampleOptions = {}): Promise<Sample> {
  return makeSample('vod', VOD_RECIPE, options, async (recipe, folder) => {
    await encodeRenditions(withDefaults({ recipe, folder }))
    await writeMultivariant({ recipe, folder })
  })
}

/** Fragmented MP4 with EXT-X-MAP. */
export function makeFmp4(options: SampleOptions = {}): Promise<Sample> {
  return makeSample('fmp4', SMALL_RECIPE, options, async (recipe, folder) => {
    await encodeRenditions(withDefaults({ recipe, folder, container: 'fmp4' }))
    await writeMultivariant({ recipe, folder, container: 'fmp4' })
  })
}

/** One MPEG-TS file per rendition, with EXT-X-BYTERANGE. */
export function makeByteRange(options: SampleOptions = {}): Promise<Sample> {
  return makeSample('byterange', SMALL_RECIPE, options, async (recipe, folder) => {
    await encodeRenditions(withDefaults({ recipe, folder, singleFile: true }))
    await writeMultivariant({ recipe, folder })
  })
}

/** AES-128 with an explicit IV; the key is `enc.key` beside the multivariant playlist. */
export function makeAes(options: SampleOptions = {}): Promise<Sample> {
  return makeSample('aes', SMALL_RECIPE, options, async (recipe, folder) => {
    const secret = createHash('sha256').update('shoal sample key').digest()
    const [key, iv] = [secret.subarray(0, 16), secret.subarray(16)]
    const keyFile = join(folder, 'enc.key')
    const keyInfoFile = join(folder, 'key-info')
    await writeFile(keyFile, key)
    await writeFile(keyInfoFile, `../enc.key\n${keyFile}\n${iv.toString('hex')}\n`)
    await encodeRenditions(withDefaults({ recipe, folder, keyInfoFile }))
    await rm(keyInfoFile)
    await writeMultivariant({
      recipe,
      folder,
      decrypt: (segment) => {
        const cipher = createDecipheriv('aes-128-cbc', key, iv)
        return Buffer.concat([cipher.update(segment), cipher.final()])
      },
    })
  })
}

/** Silent video variants and an audio group in two languages, English (default) and French. */
export function makeAlternateAudio(options: SampleOptions = {}): Promise<Sample> {
  return makeSample('altaudio', SMALL_RECIPE, options, async (recipe, folder) => {
    await encodeRenditions(withDefaults({ recipe, folder, muxAudio: false }))
    await encodeAudio({ recipe, folder, container: 'ts', name: 'en', tone: MIDDLE_TONE_HZ })
    await encodeAudio({ recipe, folder, container: 'ts', name: 'fr', tone: HIGH_TONE_HZ })
    const audio: AudioRendition[] = [
      { uri: 'en/index.m3u8', group: 'sound', language: 'en', name: 'English', isDefault: true },
      { uri: 'fr/index.m3u8', group: 'sound', language: 'fr', name: 'Français', isDefault: false },
    ]
    await writeMultivariant({ recipe, folder, audio })
  })
}

/** Two sources of half the length each, one after the other with EXT-X-DISCONTINUITY. */
export function makeDiscontinuity(options: SampleOptions = {}): Promise<Sample> {
  return makeSample('discontinuity', SMALL_RECIPE, options, async (recipe, folder) => {
    const halves: Pick<EncodeOptions, 'prefix' | 'recipe' | 'tone'>[] = [
      { prefix: 'a', recipe: { ...recipe, seconds: recipe.seconds / 2 }, tone: MIDDLE_TONE_HZ },
      { prefix: 'b', recipe: { ...recipe, seconds: recipe.seconds / 2, scene: 'reef' }, tone: LOW_TONE_HZ },
    ]
    const playlistFiles = recipe.renditions.map((_, index) => join(folder, `v${index}`, 'index.m3u8'))
    const encoded: MediaPlaylist[][] = []
    for (const half of halves) {
      await encodeRenditions({ ...withDefaults({ recipe, folder }), ...half })
      encoded.push(await Promise.all(playlistFiles.map(readMediaPlaylist)))
    }
    for (const [index, file] of playlistFiles.entries()) {
      await writeFile(file, concatenatePlaylists(encoded.flatMap((lists) => lists[index] ?? [])))
    }
    await writeMultivariant({ recipe, folder })
  })
}

function withDefaults(
  options: Pick<EncodeOptions, 'recipe' | 'folder'> & Partial<EncodeOptions>,
): EncodeOptions {
  return { container: 'ts', muxAudio: true, tone: MIDDLE_TONE_HZ, ...options }
}

async function makeSample(
  name: string,
  base: Recipe,
  options: SampleOptions,
  build: (recipe: Recipe, folder: string) => Promise<void>,
): Promise<Sample> {
  const folder = join(options.root ?? DEFAULT_SAMPLE_ROOT, name)
  const recipe = { ...base, ...options.recipe }
  const tell = options.onProgress ?? ((line: string) => process.stderr.write(`${line}\n`))
  await makeOnce(folder, [name, recipe], async (unfinished) => {
    tell(`Making the sample video "${name}" (${recipe.seconds} s, once) …`)
    const start = performance.now()
    await build(recipe, unfinished)
    tell(`Made "${name}" in ${((performance.now() - start) / 1000).toFixed(1)} s.`)
  })
  return { name, folder, playlist: join(folder, 'master.m3u8') }
}

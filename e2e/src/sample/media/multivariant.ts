import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AAC_CODEC, h264Codec } from './codecs.js'
import {
  type AudioRendition,
  bitRates,
  type MediaPlaylist,
  multivariantPlaylist,
  readMediaPlaylist,
  type Variant,
} from './playlists.js'
import type { Container, Recipe } from './recipe.js'

interface MultivariantOptions {
  readonly recipe: Recipe
  readonly folder: string
  readonly container?: Container
  /** Alternative audio of one group; without it the sound is in the video's segments. */
  readonly audio?: readonly AudioRendition[]
  /** Makes an encrypted first segment readable. */
  readonly decrypt?: (segment: Buffer) => Buffer
}

/** Writes `master.m3u8` for the renditions encoded in `folder`: rates and codecs are what they really are. */
export async function writeMultivariant(options: MultivariantOptions): Promise<void> {
  const { recipe, folder, audio = [] } = options
  const audioLists = await Promise.all(audio.map(({ uri }) => readMediaPlaylist(join(folder, uri))))
  const audioRates = audioLists.map(bitRates)
  const audioPeak = Math.max(0, ...audioRates.map(({ peak }) => peak))
  const audioAverage = Math.max(0, ...audioRates.map(({ average }) => average))

  const variants = await Promise.all(
    recipe.renditions.map(async ({ width, height }, index): Promise<Variant> => {
      const playlist = await readMediaPlaylist(join(folder, `v${index}`, 'index.m3u8'))
      const rates = bitRates(playlist)
      return {
        uri: `v${index}/index.m3u8`,
        bandwidth: rates.peak + audioPeak,
        averageBandwidth: rates.average + audioAverage,
        width,
        height,
        framesPerSecond: recipe.framesPerSecond,
        codecs: `${await videoCodec(options, index, playlist)},${AAC_CODEC}`,
        ...(audio[0] === undefined ? {} : { audioGroup: audio[0].group }),
      }
    }),
  )
  await writeFile(join(folder, 'master.m3u8'), multivariantPlaylist(variants, audio))
}

async function videoCodec(
  { folder, container, decrypt }: MultivariantOptions,
  index: number,
  { segments }: MediaPlaylist,
): Promise<string> {
  const first = container === 'fmp4' ? 'init.mp4' : (segments[0]?.uri ?? '')
  const bytes = await readFile(join(folder, `v${index}`, first))
  return h264Codec(decrypt === undefined ? bytes : decrypt(bytes))
}

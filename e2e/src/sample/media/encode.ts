import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { textSize } from './bitmap-font.js'
import { Canvas } from './canvas.js'
import { runFfmpeg } from './ffmpeg.js'
import { frames, PICTURE_HEIGHT, PICTURE_WIDTH } from './picture.js'
import { AUDIO_KBPS, type Container, type Recipe, type Rendition } from './recipe.js'

export interface EncodeOptions {
  readonly recipe: Recipe
  /** Where the renditions' folders `v0`, `v1`, … are made. */
  readonly folder: string
  readonly container: Container
  /** Sound in the video's own segments; otherwise the video is silent. */
  readonly muxAudio: boolean
  /** Hz of the tone that is heard under the beep of each second. */
  readonly tone: number
  /** One file per rendition, addressed by byte ranges. */
  readonly singleFile?: boolean
  /** ffmpeg's key info file, for AES-128. */
  readonly keyInfoFile?: string
  /** Put before a segment's number in its file name. Default `seg`. */
  readonly prefix?: string
}

/** Encodes all renditions in one run of ffmpeg; each gets `v<index>/index.m3u8`. */
export async function encodeRenditions(options: EncodeOptions): Promise<void> {
  const { recipe, folder } = options
  await Promise.all(
    recipe.renditions.map(async (rendition, index) => {
      await mkdir(join(folder, `v${index}`), { recursive: true })
      await writeFile(join(folder, `label-${index}.yuv`), labelPicture(rendition).bytes)
    }),
  )
  const audioInput = recipe.renditions.length + 1
  await runFfmpeg(
    [
      ...rawVideo(PICTURE_WIDTH, PICTURE_HEIGHT),
      ...['-framerate', String(recipe.framesPerSecond), '-i', 'pipe:0'],
      ...recipe.renditions.flatMap((rendition, index) => {
        const { width, height } = labelPicture(rendition)
        return [...rawVideo(width, height), '-i', `label-${index}.yuv`]
      }),
      ...(options.muxAudio ? toneInput(options.tone) : []),
      ...['-filter_complex', filterGraph(recipe.renditions)],
      ...recipe.renditions.flatMap((rendition, index) => [
        ...['-map', `[out${index}]`, ...videoArguments(rendition, recipe)],
        ...(options.muxAudio ? ['-map', `${audioInput}:a`, ...audioArguments()] : []),
        ...['-t', String(recipe.seconds)],
        ...hlsArguments(`v${index}`, options),
      ]),
    ],
    { cwd: folder, input: frames(recipe) },
  )
  await Promise.all(recipe.renditions.map((_, index) => rm(join(folder, `label-${index}.yuv`))))
}

/** Taken off an audio rendition's end: the encoder's priming would make a segment of a few frames there. */
const ENCODER_DELAY_SECONDS = 0.05

/** Encodes a tone of its own as an audio rendition `<name>/index.m3u8`. */
export async function encodeAudio(
  options: Pick<EncodeOptions, 'recipe' | 'folder' | 'container' | 'tone'> & { readonly name: string },
): Promise<void> {
  await mkdir(join(options.folder, options.name), { recursive: true })
  await runFfmpeg(
    [
      ...toneInput(options.tone),
      ...audioArguments(),
      ...['-t', String(options.recipe.seconds - ENCODER_DELAY_SECONDS)],
      ...hlsArguments(options.name, options),
    ],
    { cwd: options.folder },
  )
}

function rawVideo(width: number, height: number): string[] {
  return ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-video_size', `${width}x${height}`]
}

/** A steady tone with a beep each second. */
function toneInput(tone: number): string[] {
  return ['-f', 'lavfi', '-i', `sine=frequency=${tone}:beep_factor=4:sample_rate=48000,volume=0.5`]
}

function audioArguments(): string[] {
  return ['-c:a', 'aac', '-b:a', `${AUDIO_KBPS}k`, '-ac', '2']
}

/** Scales the drawn picture for each rendition and lays the rendition's label over it. */
function filterGraph(renditions: readonly Rendition[]): string {
  const copies = renditions.map((_, index) => `[copy${index}]`).join('')
  return [
    `[0:v]split=${renditions.length}${copies}`,
    ...renditions.flatMap(({ width, height }, index) => [
      `[copy${index}]scale=${width}:${height}:flags=bilinear,setsar=1[size${index}]`,
      `[size${index}][${index + 1}:v]overlay=x=W*0.0375:y=H-h-H*0.055:eof_action=repeat[out${index}]`,
    ]),
  ].join(';')
}

/**
 * Constant bit rate with filler: segments of one rendition are of nearly the same size, so what a test
 * measures in bytes does not depend on what the picture shows. Keyframes come with each segment only.
 */
function videoArguments({ videoKbps }: Rendition, recipe: Recipe): string[] {
  const group = String(recipe.segmentSeconds * recipe.framesPerSecond)
  const rate = `${videoKbps}k`
  return [
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-bf', '0'],
    ...['-g', group, '-keyint_min', group, '-sc_threshold', '0'],
    ...['-b:v', rate, '-minrate', rate, '-maxrate', rate, '-bufsize', rate],
    ...['-x264-params', 'nal-hrd=cbr:force-cfr=1'],
  ]
}

function hlsArguments(name: string, options: Omit<EncodeOptions, 'muxAudio' | 'tone'>): string[] {
  const prefix = options.prefix ?? 'seg'
  const extension = options.container === 'ts' ? 'ts' : 'm4s'
  const file = options.singleFile ? `main.${extension}` : `${prefix}-%03d.${extension}`
  return [
    ...['-f', 'hls', '-hls_time', String(options.recipe.segmentSeconds)],
    ...['-hls_playlist_type', 'vod', '-hls_list_size', '0'],
    ...(options.container === 'fmp4'
      ? ['-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'init.mp4']
      : []),
    ...['-hls_flags', `independent_segments${options.singleFile ? '+single_file' : ''}`],
    ...(options.keyInfoFile === undefined ? [] : ['-hls_key_info_file', options.keyInfoFile]),
    ...['-hls_segment_filename', `${name}/${file}`],
    `${name}/index.m3u8`,
  ]
}

/** The rendition's name and size, drawn at its own resolution so that it is sharp in every one. */
function labelPicture({ name, width, height }: Rendition): Canvas {
  const text = `${name} ${width}x${height}`
  const scale = Math.max(2, Math.round(height / 120))
  const size = textSize(text, scale)
  const even = (value: number) => value + (value % 2)
  const canvas = new Canvas(even(size.width + 4 * scale), even(size.height + 4 * scale))
  canvas.clear()
  canvas.label(text, 0, 0, scale)
  return canvas
}

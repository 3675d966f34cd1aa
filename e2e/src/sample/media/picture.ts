import { Canvas, type Yuv } from './canvas.js'

/** What the camera sees: the name tells two sources apart in a playlist with a discontinuity. */
export type Scene = 'lagoon' | 'reef'

/** Pictures are drawn once at this size and scaled for each rendition. */
export const PICTURE_WIDTH = 640
export const PICTURE_HEIGHT = 360

const FISH = 70
const CHROMA_TOP: Readonly<Record<Scene, readonly [u: number, v: number]>> = {
  lagoon: [148, 92],
  reef: [132, 158],
}
const CHROMA_BOTTOM: Readonly<Record<Scene, readonly [u: number, v: number]>> = {
  lagoon: [164, 112],
  reef: [156, 140],
}
const FISH_COLOURS: Readonly<Record<Scene, readonly Yuv[]>> = {
  lagoon: [
    [205, 88, 160],
    [190, 120, 170],
    [220, 124, 130],
  ],
  reef: [
    [215, 108, 116],
    [200, 150, 106],
    [225, 128, 126],
  ],
}

/**
 * The frames of a moving picture with a burnt-in clock and segment number: a shoal of fish under
 * moving light. A pure function of its arguments. Every frame is yielded in the same buffer.
 */
export function* frames(options: {
  readonly scene: Scene
  readonly seconds: number
  readonly framesPerSecond: number
  readonly segmentSeconds: number
}): Generator<Uint8Array> {
  const canvas = new Canvas(PICTURE_WIDTH, PICTURE_HEIGHT)
  const count = Math.round(options.seconds * options.framesPerSecond)
  for (let frame = 0; frame < count; frame += 1) {
    const seconds = frame / options.framesPerSecond
    drawWater(canvas, seconds, options.scene)
    drawFish(canvas, seconds, options.scene)
    drawClock(canvas, seconds, Math.floor(seconds / options.segmentSeconds))
    yield canvas.bytes
  }
}

function drawWater(canvas: Canvas, seconds: number, scene: Scene): void {
  const { width, height } = canvas
  const across = Float32Array.from(
    { length: width },
    (_, x) => 9 * Math.sin(x / 47 + seconds * 0.9) + 5 * Math.sin(x / 19 - seconds * 1.3),
  )
  const slanted = Float32Array.from(
    { length: width + height },
    (_, d) => 8 * Math.sin(d / 71 - seconds * 0.7) + 4 * Math.sin(d / 23 + seconds),
  )
  for (let row = 0; row < height; row += 1) {
    const depth = 118 - (78 * row) / height
    const light = 1 - (0.75 * row) / height
    const start = row * width
    for (let x = 0; x < width; x += 1) {
      canvas.y[start + x] = depth + light * ((across[x] ?? 0) + (slanted[x + row] ?? 0))
    }
  }
  const [topU, topV] = CHROMA_TOP[scene]
  const [bottomU, bottomV] = CHROMA_BOTTOM[scene]
  for (let row = 0; row < height / 2; row += 1) {
    const share = row / (height / 2)
    const start = (row * width) / 2
    canvas.u.fill(topU + (bottomU - topU) * share, start, start + width / 2)
    canvas.v.fill(topV + (bottomV - topV) * share, start, start + width / 2)
  }
}

function drawFish(canvas: Canvas, seconds: number, scene: Scene): void {
  const colours = FISH_COLOURS[scene]
  for (let fish = 0; fish < FISH; fish += 1) {
    const colour = colours[fish % colours.length]
    if (colour === undefined) continue
    const size = 4 + 7 * scatter(fish, 1)
    const speed = 26 + 5 * size
    const span = canvas.width + 120
    const x = ((scatter(fish, 2) * span + seconds * speed) % span) - 60
    const lane = canvas.height * (0.16 + 0.74 * scatter(fish, 3))
    const y = lane + 16 * Math.sin(seconds * 0.8 + x / 70 + 6 * scatter(fish, 4))
    const wag = Math.sin(seconds * 9 + fish)
    canvas.ellipse(x, y, size * 1.9, size * 0.75, colour)
    canvas.ellipse(x - size * 2.1, y + wag * size * 0.25, size * 0.55, size * 0.8, colour)
    canvas.ellipse(x + size * 1.2, y - size * 0.15, size * 0.22, size * 0.22, [30, 128, 128])
  }
}

function drawClock(canvas: Canvas, seconds: number, segment: number): void {
  // The small addend keeps 0.3 from showing as 0.2.
  const tenths = Math.floor(seconds * 10 + 1e-6)
  const pad = (value: number, digits: number) => String(value).padStart(digits, '0')
  const clock = `${pad(Math.floor(tenths / 600), 2)}:${pad(Math.floor(tenths / 10) % 60, 2)}.${tenths % 10}`
  canvas.label(clock, 24, 20, 6)
  canvas.label(`SEGMENT ${segment}`, 24, 92, 3)
}

/** A fixed number in 0..1 for each fish and property. */
function scatter(fish: number, property: number): number {
  const value = Math.sin(fish * 127.1 + property * 311.7) * 43758.5453
  return value - Math.floor(value)
}

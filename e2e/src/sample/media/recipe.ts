import type { Scene } from './picture.js'

/** One rendition of the ladder. Rates are of the elementary streams, in kbit/s. */
export interface Rendition {
  /** Burnt into the picture together with the size; letters of the bitmap font only. */
  readonly name: string
  readonly width: number
  readonly height: number
  readonly videoKbps: number
}

export type Container = 'ts' | 'fmp4'

/** Everything that decides what a sample's bytes look like. */
export interface Recipe {
  readonly scene: Scene
  readonly seconds: number
  readonly segmentSeconds: number
  readonly framesPerSecond: number
  readonly renditions: readonly Rendition[]
}

export const AUDIO_KBPS = 64

export const RENDITION_240P: Rendition = { name: '240p', width: 426, height: 240, videoKbps: 220 }
export const RENDITION_360P: Rendition = { name: '360p', width: 640, height: 360, videoKbps: 600 }
export const RENDITION_480P: Rendition = { name: '480p', width: 854, height: 480, videoKbps: 1250 }

/** The sample that `npm start` plays: 64 s in three renditions of about 300, 700 and 1400 kbit/s. */
export const VOD_RECIPE: Recipe = {
  scene: 'lagoon',
  seconds: 64,
  segmentSeconds: 4,
  framesPerSecond: 24,
  renditions: [RENDITION_240P, RENDITION_360P, RENDITION_480P],
}

/** What the browser tests' variants are made of: shorter, and two renditions. */
export const SMALL_RECIPE: Recipe = {
  ...VOD_RECIPE,
  seconds: 40,
  renditions: [RENDITION_240P, RENDITION_360P],
}

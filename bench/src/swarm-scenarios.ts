import type { Recipe } from '../../e2e/dist/sample/index.js'

/** A time of the run: share of the run after which it begins, and how long it lasts. */
interface Outage {
  readonly afterShare: number
  readonly seconds: number
}

/** What is played, and what happens meanwhile. */
export interface Scenario {
  readonly name: string
  readonly title: string
  readonly kind: 'live' | 'vod'
  /** Scenarios of one recipe share the media below this name. */
  readonly media: string
  readonly recipe: Partial<Recipe>
  /** The origin's uplink over the highest rendition's bitrate, shared by all; null: no limit. */
  readonly originX: number | null
  readonly arrivals: 'spread' | 'flash'
  readonly originGone: Outage | null
  readonly trackerGone: Outage | null
  /** A viewer is killed every so many seconds, and a new one comes in its place; null: nobody. */
  readonly killEverySeconds: number | null
  /** The first viewer spoils what it sends to peers, and is not counted as a viewer. */
  readonly polluter: boolean
  /** Between viewers: round trip in ms, and the share of packets lost each way; null: this machine's. */
  readonly path: { readonly roundTripMs: number; readonly loss: number } | null
  /** The second viewer's HTTP comes at most so fast, in bit/s; null: as it comes. */
  readonly throttledBitsPerSecond: number | null
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
  renditions: [{ name: '360p', width: 640, height: 360, videoKbps: 1430 }],
}

const LADDER_RECIPE: Partial<Recipe> = {
  seconds: 160,
  framesPerSecond: 12,
  renditions: [
    { name: '240p', width: 426, height: 240, videoKbps: 220 },
    { name: '240p', width: 426, height: 240, videoKbps: 500 },
    { name: '360p', width: 640, height: 360, videoKbps: 1100 },
  ],
}

export const STEADY: Scenario = {
  name: 'steady',
  title: 'live, viewers a second apart',
  kind: 'live',
  media: 'live',
  recipe: LIVE_RECIPE,
  originX: null,
  arrivals: 'spread',
  originGone: null,
  trackerGone: null,
  killEverySeconds: null,
  polluter: false,
  path: null,
  throttledBitsPerSecond: null,
}

export const SCENARIOS: readonly Scenario[] = [
  STEADY,
  { ...STEADY, name: 'flash-crowd', title: 'live, all come within 5 s', arrivals: 'flash' },
  {
    ...STEADY,
    name: 'churn',
    title: 'live, a viewer is killed every 10 s and another one comes',
    killEverySeconds: 10,
  },
  { ...STEADY, name: 'origin-2x', title: 'live, origin limited to twice the bitrate', originX: 2 },
  {
    ...STEADY,
    name: 'origin-gone',
    title: 'live, origin gone for 20 s',
    originGone: { afterShare: 0.4, seconds: 20 },
  },
  {
    ...STEADY,
    name: 'tracker-gone',
    title: 'live, tracker gone for 60 s',
    trackerGone: { afterShare: 0.2, seconds: 60 },
  },
  { ...STEADY, name: 'polluter', title: 'live, one more viewer spoils what it sends', polluter: true },
  {
    ...STEADY,
    name: 'lossy-path',
    title: 'live, 100 ms and 1 % loss between viewers',
    path: { roundTripMs: 100, loss: 0.01 },
  },
  {
    ...STEADY,
    name: 'ladder',
    title: 'live in three renditions, one viewer at 700 kbit/s',
    media: 'ladder',
    recipe: LADDER_RECIPE,
    throttledBitsPerSecond: 700_000,
  },
  {
    ...STEADY,
    name: 'vod',
    title: 'on demand, 1.5 Mbit/s',
    kind: 'vod',
    media: 'vod',
    recipe: VOD_RECIPE,
  },
]

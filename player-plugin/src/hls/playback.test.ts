import { expect, test } from 'vitest'
import { type PlayingHls, playheadOf } from './playback.js'

interface Situation {
  readonly live: boolean | null
  readonly currentTime?: number
  readonly latency?: number
  readonly startPosition?: number
  readonly attached?: boolean
}

/** What `playheadOf` looks at; `live: null` before a media playlist has come. */
function hls({ live, currentTime = 0, latency = 0, startPosition = -1, attached = true }: Situation) {
  return {
    media: attached ? { currentTime } : null,
    levels: [{}, live === null ? {} : { details: { live } }],
    latency,
    config: { startPosition },
  } as unknown as PlayingHls
}

test.each([
  ['live, seconds behind the edge', { live: true, currentTime: 5000, latency: 12.5 }, 12.5],
  ['live, before hls.js knows it', { live: true, currentTime: 5000 }, null],
  ['on demand, the position', { live: false, currentTime: 321.5, latency: 40 }, 321.5],
  ['on demand, before it begins', { live: false }, 0],
  ['on demand, where it is to begin', { live: false, startPosition: 600 }, 600],
  ['before a playlist has come', { live: null, currentTime: 3 }, null],
  ['without a media element', { live: false, currentTime: 3, attached: false }, null],
])('the playhead: %s', (_what, situation, expected) => {
  expect(playheadOf(hls(situation))).toBe(expected)
})

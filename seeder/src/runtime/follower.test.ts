import { VirtualClock } from '@shoal/core/testing'
import type { TrackId } from '@shoal/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Origin, OriginFailure, type PlaylistLoad, type Validators } from '../origin/origin.js'
import { RecordingLog } from '../testing/recording-log.js'
import { mediaText } from '../testing/test-origin.js'
import { Follower } from './follower.js'
import { OriginHealth, watchedOrigin } from './origin-health.js'

const URL = 'http://origin.test/live.m3u8'

/** An origin of one playlist, with the time of each load. */
class PlaylistOrigin implements Origin {
  readonly loads: number[] = []
  readonly conditions: (string | null)[] = []
  text = ''
  failure: OriginFailure | null = null

  constructor(private readonly clock: VirtualClock) {}

  async loadPlaylist(url: string, validators: Validators | null): Promise<PlaylistLoad> {
    this.loads.push(this.clock.now())
    this.conditions.push(validators?.etag ?? null)
    if (this.failure !== null) throw this.failure
    if (validators?.etag === this.text) return { kind: 'unchanged' }
    const fresh = { etag: this.text, lastModified: null }
    return { kind: 'loaded', text: this.text, url, validators: fresh, contentType: '' }
  }

  loadSegment(): never {
    throw new Error('a follower loads no segments')
  }
}

let clock: VirtualClock
let log: RecordingLog
let origin: PlaylistOrigin
let follower: Follower
let events: string[]
let ended: boolean

beforeEach(() => {
  clock = new VirtualClock()
  log = new RecordingLog()
  origin = new PlaylistOrigin(clock)
  events = []
  ended = false
  const health = new OriginHealth(log, () => undefined)
  const watched = watchedOrigin(origin, health)
  const parts = { clock, random: () => 1, log, origin: watched, variables: new Map<string, string>() }
  const names = (segments: readonly { readonly sequence: number }[]) =>
    segments.map(({ sequence }) => sequence).join(' ')
  follower = new Follower({ url: URL, tracks: [1 as TrackId] }, parts, {
    onText: () => undefined,
    onAdded: (_playlist, change, first) => {
      if (change.kind !== 'stale') events.push(`${first ? 'first' : 'added'} ${names(change.added)}`)
    },
    onGone: (change) => {
      if (change.kind !== 'stale') events.push(`gone ${names(change.left)}`)
    },
  })
})

afterEach(() => follower.close())

const live = (sequence: number, ...segments: string[]) =>
  mediaText({ target: 4, sequence, live: true, segments })

async function run(): Promise<void> {
  void follower.run().then(() => {
    ended = true
  })
  await clock.advanceAsync(0)
}

test('a playlist that grows is loaded every target duration, an unchanged one after half', async () => {
  origin.text = live(0, 'a', 'b')
  await run()
  origin.text = live(1, 'b', 'c')
  await clock.advanceAsync(4_000)
  await clock.advanceAsync(4_000)
  expect(origin.loads).toEqual([0, 4_000, 8_000])
  await clock.advanceAsync(2_000)
  expect(origin.loads).toEqual([0, 4_000, 8_000, 10_000])
  expect(events).toEqual(['first 0 1', 'added 2'])
  expect(origin.conditions.slice(0, 2)).toEqual([null, live(0, 'a', 'b')])
})

test('a segment goes three target durations after it left the window', async () => {
  origin.text = live(0, 'a', 'b')
  await run()
  origin.text = live(1, 'b', 'c')
  await clock.advanceAsync(4_000)
  await clock.advanceAsync(11_999)
  expect(events).toEqual(['first 0 1', 'added 2'])
  await clock.advanceAsync(1)
  expect(events.at(-1)).toBe('gone 0')
})

test('a stream that begins anew gives up all that was held, also what was in its grace', async () => {
  origin.text = live(10, 'a', 'b')
  await run()
  origin.text = live(11, 'b', 'c')
  await clock.advanceAsync(4_000)
  origin.text = live(0, 'x')
  await clock.advanceAsync(4_000)
  expect(events).toEqual(['first 10 11', 'added 12', 'gone 10', 'gone 11 12', 'first 0'])
  expect(log.count('began anew')).toBe(1)
  await clock.advanceAsync(60_000)
  expect(events).toHaveLength(5)
})

test('an origin that is down is said once, asked again with growing waits, and found again', async () => {
  origin.text = live(0, 'a')
  await run()
  origin.failure = new OriginFailure('unreachable', 'the connection was refused')
  await clock.advanceAsync(120_000)
  expect(log.count('the origin is down')).toBe(1)
  expect(origin.loads.length).toBeGreaterThan(20)
  expect(origin.loads.length).toBeLessThan(50)
  expect(events).toEqual(['first 0'])
  origin.failure = null
  origin.text = live(0, 'a', 'b')
  await clock.advanceAsync(4_001)
  expect(log.count('the origin is back')).toBe(1)
  expect(events).toEqual(['first 0', 'added 1'])
})

test('a playlist that turns into something else is said once and survived', async () => {
  origin.text = live(0, 'a')
  await run()
  origin.text = '<html>'
  await clock.advanceAsync(30_000)
  expect(log.count('cannot use this playlist')).toBe(1)
  origin.text = live(1, 'b')
  await clock.advanceAsync(5_000)
  expect(events).toContain('added 1')
})

test('a playlist that ends is not loaded again', async () => {
  origin.text = mediaText({ segments: ['a'] })
  await run()
  await clock.advanceAsync(60_000)
  expect(origin.loads).toHaveLength(1)
  expect(ended).toBe(true)
})

test('nothing happens after close', async () => {
  origin.text = live(0, 'a')
  await run()
  follower.close()
  await clock.advanceAsync(60_000)
  expect(ended).toBe(true)
  expect(origin.loads).toHaveLength(1)
})

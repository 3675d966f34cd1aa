import { VirtualClock } from '@shoal/core/testing'
import { millis, type TrackId } from '@shoal/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sleep } from '../host/sleep.js'
import {
  type BlockingReload,
  type Origin,
  OriginFailure,
  type PlaylistLoad,
  type Validators,
} from '../origin/origin.js'
import { RecordingLog } from '../testing/recording-log.js'
import { mediaText } from '../testing/test-origin.js'
import { newCounters } from './counters.js'
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

  holdMs = 0
  mistrusted = 0
  readonly blocked: string[] = []

  mistrust(): void {
    this.mistrusted++
  }

  async loadPlaylist(
    url: string,
    validators: Validators | null,
    signal: AbortSignal,
    blocking: BlockingReload | null = null,
  ): Promise<PlaylistLoad> {
    this.loads.push(this.clock.now())
    this.conditions.push(validators?.etag ?? null)
    if (blocking !== null) {
      this.blocked.push(`${blocking.sequence}.${blocking.part}`)
      await sleep(this.clock, millis(this.holdMs), signal)
    }
    if (this.failure !== null) throw this.failure
    if (validators?.etag === this.text) return { kind: 'unchanged' }
    const fresh = { etag: this.text, lastModified: null }
    return { kind: 'loaded', text: this.text, url, validators: fresh, contentType: '', site: 0 }
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

const partName = ({ sequence, part }: { readonly sequence: number; readonly part: number }) =>
  `${sequence}.${part}`

beforeEach(() => {
  clock = new VirtualClock()
  log = new RecordingLog()
  origin = new PlaylistOrigin(clock)
  events = []
  ended = false
  const health = new OriginHealth(log, () => undefined)
  const watched = watchedOrigin(origin, health, newCounters())
  const parts = { clock, random: () => 1, log, origin: watched, variables: new Map<string, string>() }
  const names = (segments: readonly { readonly sequence: number }[]) =>
    segments.map(({ sequence }) => sequence).join(' ')
  follower = new Follower({ url: URL, tracks: [1 as TrackId], backups: [] }, parts, {
    onText: () => undefined,
    onAdded: (_playlist, change, first) => {
      if (change.kind !== 'stale') events.push(`${first ? 'first' : 'added'} ${names(change.added)}`)
    },
    onGone: (change) => {
      if (change.kind !== 'stale') events.push(`gone ${names(change.left)}`)
    },
    onParts: (_playlist, added) => events.push(`parts ${added.map(partName).join(' ')}`),
    onPartsGone: (left) => events.push(`parts gone ${left.map(partName).join(' ')}`),
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

test('a playlist is loaded in the middle of what is possible, then when the next segment is due', async () => {
  origin.text = live(0, 'a', 'b')
  await run()
  origin.text = live(1, 'b', 'c')
  await clock.advanceAsync(4_000)
  await clock.advanceAsync(4_000)
  // Nothing at 5 s, when the next one might have come: after growing waits, as far as half a target duration.
  expect(origin.loads).toEqual([0, 2_000, 5_000, 6_125, 7_125])
  await clock.advanceAsync(2_000)
  expect(origin.loads.slice(5)).toEqual([9_125])
  expect(events).toEqual(['first 0 1', 'added 2'])
  expect(origin.conditions.slice(0, 2)).toEqual([null, live(0, 'a', 'b')])
})

test('a segment goes three target durations after it left the window', async () => {
  origin.text = live(0, 'a', 'b')
  await run()
  origin.text = live(1, 'b', 'c')
  await clock.advanceAsync(2_000)
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

test('a live playlist that stands still is said once, and that it goes on', async () => {
  origin.text = live(0, 'a')
  await run()
  await clock.advanceAsync(60_000)
  expect(log.count('brings nothing new')).toBe(1)
  expect(origin.mistrusted).toBeGreaterThan(1)
  origin.text = live(0, 'a', 'b')
  await clock.advanceAsync(4_000)
  expect(log.count('goes on')).toBe(1)
})

describe('an origin that can wait', () => {
  const lowLatency = (sequence: number, parts: number) =>
    [
      '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3',
      `#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-MEDIA-SEQUENCE:${sequence}\n#EXTINF:4,\ns${sequence}`,
      ...Array.from({ length: parts }, (_, i) => `#EXT-X-PART:DURATION=1,URI="s${sequence + 1}.${i}"`),
    ].join('\n')

  test('is asked for the next part, and again as soon as it has answered', async () => {
    origin.holdMs = 700
    origin.text = lowLatency(5, 2)
    await run()
    origin.text = lowLatency(5, 3)
    await clock.advanceAsync(720)
    origin.text = lowLatency(5, 4)
    await clock.advanceAsync(740)
    expect(origin.blocked).toEqual(['6.2', '6.3', '6.4'])
    expect(origin.loads).toEqual([0, 20, 740, 1_460])
    expect(events).toEqual(['parts 6.0 6.1', 'first 5', 'parts 6.2', 'added ', 'parts 6.3', 'added '])
  })

  test('and does not wait is asked as seldom as others', async () => {
    origin.text = lowLatency(5, 2)
    await run()
    await clock.advanceAsync(30_000)
    expect(origin.loads.length).toBeLessThan(35)
    await clock.advanceAsync(40_000)
    expect(origin.blocked.length).toBeGreaterThan(2)
  })
})

test('nothing happens after close', async () => {
  origin.text = live(0, 'a')
  await run()
  follower.close()
  await clock.advanceAsync(60_000)
  expect(ended).toBe(true)
  expect(origin.loads).toHaveLength(1)
})

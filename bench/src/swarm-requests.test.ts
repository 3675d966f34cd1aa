// biome-ignore lint/correctness/noUndeclaredDependencies: the repository's own test runner
import { describe, expect, it } from 'vitest'
import type { LoggedRequest } from '../../e2e/dist/sample/index.js'
import { LiveClock } from './swarm-live-clock.js'
import { countOrigin, segmentRequests } from './swarm-requests.js'
import { ROWS } from './swarm-rows.js'
import type { RowRun } from './swarm-run.js'
import type { ViewerRecord } from './swarm-viewer.js'

const SIZE = 1000
const MEDIA = { tracks: new Map([['v0', [{ bytes: SIZE, digest: '' }]]]) }
/** Segment n is published at n * 4 s. */
const CLOCK = new LiveClock({ window: (now) => ({ first: 0, last: Math.floor(now / 4000) }) }, 4, 0)

function viewer(startedAt: number, sequences: readonly number[]): ViewerRecord {
  const load = {
    track: 'v0',
    askedAt: 0,
    ahead: 0,
    untilMs: 0,
    links: 0,
    loadedAt: null,
    digest: null,
  }
  return {
    startedAt,
    readAt: startedAt,
    firstFrameMs: null,
    firstPeerByteMs: null,
    stalls: [],
    fatal: [],
    errors: [],
    warnings: {},
    wire: { received: 0, sent: 0, open: 0, made: 0, spoiled: 0 },
    levels: { switches: 0, seconds: 0, bits: 0 },
    fragments: sequences.map((sequence) => ({ sequence, ...load })),
    samples: [],
    lateMs: { count: 0, sum: 0, max: 0, over100: 0 },
    counters: null,
    playedSeconds: 0,
    frames: 0,
    droppedFrames: 0,
  }
}

function request(sequence: number, agent: string, bytes = SIZE): LoggedRequest {
  const path = `/live/v0/seg-${sequence}.ts`
  const head = { method: 'GET', path, query: '', kind: 'segment' as const, range: null, agent }
  return { ...head, at: 0, status: 200, bytes, complete: bytes === SIZE }
}

function run(requests: readonly LoggedRequest[]): RowRun {
  const [row] = ROWS
  if (row === undefined) throw new Error('no rows')
  const machine = {
    ...{
      cores: 1,
      busy: 0,
      ours: 0,
      browserWaitShare: 0,
      browserCpuSeconds: 0,
      oursCpuSeconds: 0,
      browserPeakMiB: 0,
    },
  }
  const viewers = [viewer(9000, [2, 3, 4]), viewer(13_000, [3, 4])]
  const nobody = { polluter: null, killed: new Set<number>(), pathLateShare: null, tracker: null }
  return { row, viewers, requests, clock: CLOCK, endedAt: 32_000, machine, ...nobody }
}

describe('LiveClock', () => {
  it('finds when segments are published from what the stream says of any time', () => {
    expect(CLOCK.publishedAt(5)).toBeCloseTo(20_000, 0)
    expect(CLOCK.nextAfter(9000)).toBeCloseTo(12_000, 0)
  })
})

describe('countOrigin', () => {
  const requests = [
    request(2, 'swarm-viewer/0'),
    request(3, 'swarm-viewer/0'),
    request(3, 'swarm-viewer/1'),
    request(4, 'swarm-viewer/1'),
    request(4, 'swarm-viewer/0', SIZE / 2),
    request(4, 'node'),
  ]

  it('tells start-ups from the rest by who was there when the segment was published', () => {
    const startups = segmentRequests(run(requests)).filter(({ startup }) => startup)
    expect(startups.map(({ sequence, viewer }) => [sequence, viewer])).toEqual([
      [2, 0],
      [3, 1],
    ])
  })

  it('counts copies of a segment, the seeder’s too, and start-ups in all alone', () => {
    const { all, steady, viewerBytes, seederBytes, viewerBytesComplete } = countOrigin(run(requests), MEDIA)
    expect(all).toEqual({ segments: 3, mean: 5.5 / 3, max: 2.5, requestsPerSegment: 2 })
    // Of segment 3, one copy is left; segment 4 has all of its own.
    expect(steady).toEqual({ segments: 2, mean: 3.5 / 2, max: 2.5, requestsPerSegment: 2 })
    expect([viewerBytes, seederBytes, viewerBytesComplete]).toEqual([4.5 * SIZE, SIZE, 4 * SIZE])
  })
})

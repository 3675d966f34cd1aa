import type { LoggedRequest } from '../../e2e/dist/sample/index.js'
import { type Media, segmentFile } from './swarm-media.js'
import type { RowRun } from './swarm-run.js'
import { sum } from './swarm-statistics.js'
import { viewerOfAgent } from './swarm-viewer.js'

/** On demand, a viewer's first segments belong to its start-up. */
const STARTUP_SEGMENTS = 3

/**
 * Before the end of a row, in ms: segments published later are left out, since some viewers have not
 * asked for them yet. Three target durations, where hls.js begins to play.
 */
const TAIL_MS = 12_000

/** A request of a segment. */
export interface SegmentRequest extends LoggedRequest {
  readonly track: string
  readonly sequence: number
  /** Null for the seeder. */
  readonly viewer: number | null
  /** For a segment that was there before its viewer came (on demand: one of the first three). */
  readonly startup: boolean
}

export interface Copies {
  /** Segments looked at, and the bytes sent for one over its size: the mean, and the most of any. */
  readonly segments: number
  readonly mean: number
  readonly max: number
  readonly requestsPerSegment: number
}

export interface OriginCounts {
  /** What the origin sent to viewers (no polluter) and to the seeder, initialisation segments included. */
  readonly viewerBytes: number
  readonly seederBytes: number
  /** Those to viewers in answers that were sent in full. */
  readonly viewerBytesComplete: number
  /** Those to viewers of segments that were not there when they came. */
  readonly viewerBytesSteady: number
  readonly segmentRequests: number
  readonly playlistRequests: number
  /** By everybody, for every segment that was asked for. */
  readonly all: Copies
  /** Without start-ups: live, of segments published while viewers were there and early enough to be played. */
  readonly steady: Copies
}

export function segmentRequests({ requests, viewers, clock }: RowRun): readonly SegmentRequest[] {
  return requests.flatMap((request) => {
    const match = /([^/]+)\/seg-(\d+)\.\w+$/.exec(request.path)
    if (request.kind !== 'segment' || match === null) return []
    const [, track = ''] = match
    const sequence = Number(match[2])
    const viewer = viewerOfAgent(request.agent)
    const startedAt = viewer === null ? null : (viewers[viewer]?.startedAt ?? null)
    return [{ ...request, track, sequence, viewer, startup: isStartup(sequence, startedAt, clock) }]
  })
}

/** Whether a viewer that came at `startedAt` begins with this segment; never for the seeder (null). */
export function isStartup(sequence: number, startedAt: number | null, clock: RowRun['clock']): boolean {
  if (startedAt === null) return false
  return clock === null ? sequence < STARTUP_SEGMENTS : clock.publishedAt(sequence) < startedAt
}

export function countOrigin(run: RowRun, media: Pick<Media, 'tracks'>): OriginCounts {
  const sent = run.requests.filter(({ kind }) => kind === 'segment' || kind === 'init')
  const isViewer = (viewer: number | null) => viewer !== null && viewer !== run.polluter
  const toViewers = sent.filter(({ agent }) => isViewer(viewerOfAgent(agent)))
  const toSeeder = sent.filter(({ agent }) => viewerOfAgent(agent) === null)
  const requests = segmentRequests(run)
  const asked = new Map(
    run.viewers.flatMap(({ fragments }) => fragments.map((one) => [`${one.track}/${one.sequence}`, one])),
  )
  const steady = [...asked.values()].filter(({ sequence }) => isSteady(sequence, run))
  const withoutStartup = requests.filter(({ startup }) => !startup)
  return {
    viewerBytes: bytesOf(toViewers),
    seederBytes: bytesOf(toSeeder),
    viewerBytesComplete: bytesOf(toViewers.filter(({ complete }) => complete)),
    viewerBytesSteady: bytesOf(withoutStartup.filter(({ viewer }) => isViewer(viewer))),
    segmentRequests: requests.filter(({ viewer }) => viewer !== null).length,
    playlistRequests: run.requests.filter(({ kind }) => kind === 'playlist').length,
    all: copies([...asked.values()], requests, media),
    steady: copies(steady, withoutStartup, media),
  }
}

function bytesOf(requests: readonly LoggedRequest[]): number {
  return sum(requests.map(({ bytes }) => bytes))
}

/** Whether what the origin sent for a segment is all that it will have sent, start-ups apart. */
function isSteady(sequence: number, { viewers, clock, endedAt }: RowRun): boolean {
  if (clock === null) return sequence >= STARTUP_SEGMENTS
  const firstAt = Math.min(...viewers.map(({ startedAt }) => startedAt ?? Number.POSITIVE_INFINITY))
  const at = clock.publishedAt(sequence)
  return at >= firstAt && at <= endedAt - TAIL_MS
}

function copies(
  segments: readonly { readonly track: string; readonly sequence: number }[],
  requests: readonly SegmentRequest[],
  media: Pick<Media, 'tracks'>,
): Copies {
  const each = segments.map(({ track, sequence }) => {
    const own = requests.filter((request) => request.sequence === sequence && request.track === track)
    const size = segmentFile(media, track, sequence)?.bytes
    return { count: own.length, copies: size === undefined ? 0 : bytesOf(own) / size }
  })
  const mean = (values: readonly number[]) => sum(values) / Math.max(1, values.length)
  return {
    segments: each.length,
    mean: mean(each.map((one) => one.copies)),
    max: Math.max(0, ...each.map((one) => one.copies)),
    requestsPerSegment: mean(each.map((one) => one.count)),
  }
}

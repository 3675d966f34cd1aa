import { type Media, segmentFile } from './swarm-media.js'
import { isStartup } from './swarm-requests.js'
import type { RowRun } from './swarm-run.js'
import { share, spread, sum } from './swarm-statistics.js'
import { type FragmentLoad, type ViewerRecord, viewerOfAgent } from './swarm-viewer.js'

/** One viewer's play. */
export interface ViewerSummary {
  readonly startupMs: number | null
  /** Left by being killed. */
  readonly killed: boolean
  readonly stalls: number
  readonly stallSeconds: number
  /** Median over the play of the seconds behind the stream's clock; null on demand. */
  readonly latencySeconds: number | null
  readonly playedSeconds: number
  /** From the first frame on, stalls, seeks and all. */
  readonly presentSeconds: number
  /** Handed to hls.js, whatever the program. */
  readonly deliveredBytes: number
  /** That the origin sent to this viewer. */
  readonly originBytes: number
  readonly originRequests: number
  /** Of messages on data channels, whatever the program. */
  readonly channelBytesIn: number
  readonly channelBytesOut: number
  /** RTCPeerConnections that its page made, whatever became of them. */
  readonly connectionsMade: number
  /** As the program counts. */
  readonly httpBytes: number
  readonly peerBytes: number
  readonly seederBytes: number
  readonly uploadedBytes: number
  /** Null where the program does not tell. */
  readonly duplicateBytes: number | null
  readonly firstPeerByteMs: number | null
  /** Of peers and seeders, as the program counts: in all, and of segments that were not there at the start. */
  readonly peerShare: number
  readonly peerShareSteady: number
  readonly levelSwitches: number
  /** Mean of what was shown, by the multivariant playlist. */
  readonly shownBitsPerSecond: number | null
  /** Segments handed to hls.js that are not what the origin has; null where nobody looked. */
  readonly pollutedSegments: number | null
  readonly droppedFrames: number
  readonly frames: number
  /** Most that the page's thread was late by, in ms. */
  readonly mostLateMs: number
  /** Share of the page's timers that were late by more than 100 ms. */
  readonly lateShare: number
  readonly degraded: string | null
  readonly fatal: readonly string[]
  readonly errors: readonly string[]
  readonly warnings: Readonly<Record<string, number>>
}

/** After the first frame, in ms, before latency is looked at: hls.js settles. */
const SETTLE_MS = 5000

export function summarizeViewer(
  number: number,
  viewer: ViewerRecord,
  run: RowRun,
  media: Media,
): ViewerSummary {
  const { counters, firstFrameMs, startedAt, levels } = viewer
  const settledAt = (startedAt ?? 0) + (firstFrameMs ?? 0) + SETTLE_MS
  const latencies = viewer.samples.filter(({ at }) => at >= settledAt).map(({ latency }) => latency)
  const steady = steadyBytes(run, [viewer], media)
  const { http = 0, peers = 0, seeders = 0, uploaded = 0, wasted = 0 } = counters ?? {}
  const sent = run.requests.filter(
    ({ kind, agent }) => kind !== 'playlist' && viewerOfAgent(agent) === number,
  )
  return {
    startupMs: firstFrameMs,
    killed: run.killed.has(number),
    stalls: viewer.stalls.length,
    stallSeconds: sum(viewer.stalls.map(({ ms }) => ms / 1000)),
    latencySeconds: spread(latencies).median,
    playedSeconds: viewer.playedSeconds,
    presentSeconds:
      startedAt === null || firstFrameMs === null ? 0 : (viewer.readAt - startedAt - firstFrameMs) / 1000,
    deliveredBytes: sum(viewer.fragments.map((load) => deliveredBytes(load, media))),
    originBytes: sum(sent.map(({ bytes }) => bytes)),
    originRequests: sent.length,
    channelBytesIn: viewer.wire.received,
    channelBytesOut: viewer.wire.sent,
    connectionsMade: viewer.wire.made,
    httpBytes: http,
    peerBytes: peers,
    seederBytes: seeders,
    uploadedBytes: uploaded,
    duplicateBytes: wasted,
    firstPeerByteMs: viewer.firstPeerByteMs,
    peerShare: share(peers + seeders, http),
    peerShareSteady: share(steady.peers, steady.http),
    levelSwitches: levels.switches,
    shownBitsPerSecond: levels.seconds === 0 ? null : levels.bits / levels.seconds,
    pollutedSegments: polluted(viewer, media),
    droppedFrames: viewer.droppedFrames,
    frames: viewer.frames,
    mostLateMs: viewer.lateMs.max,
    lateShare: viewer.lateMs.over100 / Math.max(1, viewer.lateMs.count),
    degraded: counters?.degraded ?? null,
    fatal: viewer.fatal,
    errors: viewer.errors,
    warnings: viewer.warnings,
  }
}

function polluted({ fragments }: ViewerRecord, media: Media): number | null {
  const looked = fragments.filter(({ digest }) => digest !== null)
  if (looked.length === 0) return null
  return looked.filter((one) => segmentFile(media, one.track, one.sequence)?.digest !== one.digest).length
}

/** Of one load: what the segment has, where it came. */
function deliveredBytes({ track, sequence, loadedAt }: FragmentLoad, media: Media): number {
  return loadedAt === null ? 0 : (segmentFile(media, track, sequence)?.bytes ?? 0)
}

/** Bytes of the segments that were not there when their viewer came: as programs count, and as delivered. */
export function steadyBytes({ clock }: RowRun, viewers: readonly ViewerRecord[], media: Media) {
  let [http, peers, delivered] = [0, 0, 0]
  for (const { startedAt, counters, fragments } of viewers) {
    for (const load of fragments) {
      if (!isStartup(load.sequence, startedAt, clock)) delivered += deliveredBytes(load, media)
    }
    for (const segment of counters?.segments ?? []) {
      if (isStartup(segment.sequence, startedAt, clock)) continue
      http += segment.http
      peers += segment.peers + segment.seeders
    }
  }
  return { http, peers, delivered }
}

import type { TrackerStats } from '@shoal/protocol'
import { countOrigin, isStartup, type OriginCounts } from './swarm-requests.js'
import type { RowRun } from './swarm-run.js'
import type { Media } from './swarm-scenarios.js'
import type { ViewerRecord } from './swarm-viewer.js'

/** Of the viewers that have the value. Null where none has. */
export interface Spread {
  readonly median: number | null
  readonly p95: number | null
  readonly max: number | null
}

/** One viewer's play. */
export interface ViewerSummary {
  readonly startupMs: number | null
  readonly stalls: number
  readonly stallSeconds: number
  /** Median over the play of the seconds behind the stream's clock; null on demand. */
  readonly latencySeconds: number | null
  readonly playedSeconds: number
  readonly httpBytes: number
  readonly peerBytes: number
  readonly seederBytes: number
  readonly uploadedBytes: number
  readonly duplicateBytes: number
  readonly firstPeerByteMs: number | null
  /** Of peers and seeders, in all; and of segments that were not there when the viewer came. */
  readonly peerShare: number
  readonly peerShareSteady: number
  readonly droppedFrames: number
  readonly frames: number
  /** Most that the page's thread was late by, in ms. */
  readonly mostLateMs: number
  /** Share of the page's timers that were late by more than 100 ms. */
  readonly lateShare: number
  readonly degraded: string | null
  readonly fatal: readonly string[]
}

export interface RowSummary {
  readonly row: string
  readonly startupMs: Spread
  readonly notStarted: number
  readonly stalls: number
  readonly stallSeconds: number
  readonly viewersStalled: number
  readonly latencySeconds: Spread
  readonly megabytes: {
    readonly http: number
    readonly peers: number
    readonly seeders: number
    readonly uploaded: number
    readonly duplicate: number
  }
  readonly peerShare: number
  readonly peerShareSteady: number
  readonly peerShareSteadyPerViewer: Spread
  readonly uploadGini: number
  readonly firstPeerByteMs: Spread
  readonly origin: OriginCounts
  /**
   * HTTP bytes as the players counted them over those that the origin sent: in all (what is under way or
   * given up is counted by it alone), and in answers that it sent to the end. The truth is between.
   */
  readonly countedOverSent: number
  readonly countedOverComplete: number
  /** Bytes from peers and seeders as the tracker was told over what the players counted; null without one. */
  readonly reportedOverCounted: number | null
  readonly browserCpuSecondsPerMegabyte: number
  readonly peakMiBPerViewer: number
  readonly machine: {
    readonly cores: number
    readonly busy: number
    readonly ours: number
    readonly others: number
    readonly droppedFrameShare: number
    readonly mostLateMs: Spread
    readonly lateShare: Spread
    readonly browserWaitShare: number
    /** Whether the machine, and not what is compared, may have decided the row. */
    readonly wasLimit: boolean
  }
  readonly viewers: readonly ViewerSummary[]
}

/**
 * Timers late in the middle page, or pictures dropped where nothing stalled (a player that resumes drops
 * some), from which on the machine counts as the limit.
 */
const LATE_LIMIT = 0.01
const DROPPED_LIMIT = 0.05

/** After the first frame, in ms, before latency is looked at: hls.js settles. */
const SETTLE_MS = 5000

export function summarize(run: RowRun, media: Media): RowSummary {
  const viewers = run.viewers.map((viewer) => summarizeViewer(viewer, run))
  const total = (value: (viewer: ViewerSummary) => number) =>
    viewers.reduce((sum, viewer) => sum + value(viewer), 0)
  const http = total((viewer) => viewer.httpBytes)
  const peers = total((viewer) => viewer.peerBytes)
  const seeders = total((viewer) => viewer.seederBytes)
  const stalls = total((viewer) => viewer.stalls)
  const steady = steadyBytes(run, run.viewers)
  const origin = countOrigin(run, media.segmentBytes)
  const { cores, busy, ours, browserWaitShare, browserCpuSeconds, browserPeakMiB } = run.machine
  const lateShare = spread(viewers.map((viewer) => viewer.lateShare))
  const droppedFrameShare =
    total((viewer) => viewer.droppedFrames) /
    Math.max(
      1,
      total(({ frames }) => frames),
    )
  return {
    row: run.row.name,
    startupMs: spread(viewers.map((viewer) => viewer.startupMs)),
    notStarted: viewers.filter((viewer) => viewer.startupMs === null).length,
    stalls,
    stallSeconds: total((viewer) => viewer.stallSeconds),
    viewersStalled: viewers.filter((viewer) => viewer.stalls > 0).length,
    latencySeconds: spread(viewers.map((viewer) => viewer.latencySeconds)),
    megabytes: {
      http: http / 1e6,
      peers: peers / 1e6,
      seeders: seeders / 1e6,
      uploaded: total((viewer) => viewer.uploadedBytes) / 1e6,
      duplicate: total((viewer) => viewer.duplicateBytes) / 1e6,
    },
    peerShare: share(peers + seeders, http),
    peerShareSteady: share(steady.peers, steady.http),
    peerShareSteadyPerViewer: spread(viewers.map((viewer) => viewer.peerShareSteady)),
    uploadGini: gini(viewers.map((viewer) => viewer.uploadedBytes)),
    firstPeerByteMs: spread(viewers.map((viewer) => viewer.firstPeerByteMs)),
    origin,
    countedOverSent: http / Math.max(1, origin.viewerBytes),
    countedOverComplete: http / Math.max(1, origin.viewerBytesComplete),
    reportedOverCounted: run.tracker === null ? null : reported(run.tracker) / Math.max(1, peers + seeders),
    browserCpuSecondsPerMegabyte: (browserCpuSeconds * 1e6) / Math.max(1, http + peers + seeders),
    peakMiBPerViewer: browserPeakMiB / viewers.length,
    machine: {
      ...{ cores, busy, ours, others: Math.max(0, busy - ours), droppedFrameShare },
      mostLateMs: spread(viewers.map((viewer) => viewer.mostLateMs)),
      ...{ lateShare, browserWaitShare },
      wasLimit: (lateShare.median ?? 0) > LATE_LIMIT || (stalls === 0 && droppedFrameShare > DROPPED_LIMIT),
    },
    viewers,
  }
}

function summarizeViewer(viewer: ViewerRecord, run: RowRun): ViewerSummary {
  const { counters, firstFrameMs, startedAt } = viewer
  const settledAt = (startedAt ?? 0) + (firstFrameMs ?? 0) + SETTLE_MS
  const latencies = viewer.samples.filter(({ at }) => at >= settledAt).map(({ latency }) => latency)
  const steady = steadyBytes(run, [viewer])
  const { http = 0, peers = 0, seeders = 0, uploaded = 0, wasted = 0 } = counters ?? {}
  return {
    startupMs: firstFrameMs,
    stalls: viewer.stalls.length,
    stallSeconds: viewer.stalls.reduce((sum, { ms }) => sum + ms / 1000, 0),
    latencySeconds: spread(latencies).median,
    playedSeconds: viewer.playedSeconds,
    httpBytes: http,
    peerBytes: peers,
    seederBytes: seeders,
    uploadedBytes: uploaded,
    duplicateBytes: wasted,
    firstPeerByteMs: viewer.firstPeerByteMs,
    peerShare: share(peers + seeders, http),
    peerShareSteady: share(steady.peers, steady.http),
    droppedFrames: viewer.droppedFrames,
    frames: viewer.frames,
    mostLateMs: viewer.lateMs.max,
    lateShare: viewer.lateMs.over100 / Math.max(1, viewer.lateMs.count),
    degraded: counters?.degraded ?? null,
    fatal: viewer.fatal,
  }
}

/** Bytes of the segments that were not there when their viewer came. */
function steadyBytes({ clock }: RowRun, viewers: readonly ViewerRecord[]) {
  let [http, peers] = [0, 0]
  for (const { startedAt, counters } of viewers) {
    for (const segment of counters?.segments ?? []) {
      if (isStartup(segment.sequence, startedAt, clock)) continue
      http += segment.http
      peers += segment.peers + segment.seeders
    }
  }
  return { http, peers }
}

function reported({ totals }: TrackerStats): number {
  return totals.peerBytes + totals.seederBytes
}

function share(part: number, rest: number): number {
  return part + rest === 0 ? 0 : part / (part + rest)
}

/** By nearest rank. */
function spread(values: readonly (number | null)[]): Spread {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b)
  const rank = (part: number) => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? null
  return { median: rank(0.5), p95: rank(0.95), max: rank(1) }
}

/** 0: all alike; 1: one has everything. */
function gini(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const sum = sorted.reduce((total, value) => total + value, 0)
  if (sum === 0) return 0
  const weighted = sorted.reduce((total, value, index) => total + (index + 1) * value, 0)
  return (2 * weighted) / (sorted.length * sum) - (sorted.length + 1) / sorted.length
}

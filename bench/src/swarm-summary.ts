import type { TrackerStats } from '@shoal/protocol'
import type { Media } from './swarm-media.js'
import { countOrigin, type OriginCounts } from './swarm-requests.js'
import type { RowRun } from './swarm-run.js'
import { gini, type Spread, share, spread, sum } from './swarm-statistics.js'
import { steadyBytes, summarizeViewer, type ViewerSummary } from './swarm-viewer-summary.js'

export interface RowSummary {
  readonly row: string
  readonly startupMs: Spread
  readonly notStarted: number
  readonly stalls: number
  readonly stallSeconds: number
  readonly viewersStalled: number
  /** Time in which the clock of the video ran, of the time from the first frame on: stalls, waits for seeks and all. */
  readonly playedShare: number
  /** hls.js's errors; those among them that it could not get over by itself. */
  readonly playerErrors: number
  readonly fatalErrors: number
  readonly latencySeconds: Spread
  readonly megabytes: {
    readonly delivered: number
    readonly http: number
    readonly peers: number
    readonly seeders: number
    readonly uploaded: number
    /** Null where the program does not tell. */
    readonly duplicate: number | null
    readonly channelsIn: number
  }
  /**
   * Of what was handed to hls.js, the share that the origin did not send to viewers: the same measure for
   * every program. In all, and of segments that were not there when the viewer came.
   */
  readonly offload: number
  readonly offloadSteady: number
  /** Origin and data channels brought so much that hls.js was not handed, over what they brought. */
  readonly overheadShare: number
  /** As the program counts. */
  readonly peerShare: number
  readonly peerShareSteady: number
  readonly peerShareSteadyPerViewer: Spread
  readonly uploadGini: number
  readonly firstPeerByteMs: Spread
  readonly levelSwitches: number
  readonly shownBitsPerSecond: Spread
  /** Null where nobody looked. */
  readonly pollutedSegments: number | null
  readonly origin: OriginCounts
  /**
   * HTTP bytes as the players counted them over those that the origin sent: in all (what is under way or
   * given up is counted by it alone), and in answers that it sent to the end. The truth is between.
   */
  readonly countedOverSent: number
  readonly countedOverComplete: number
  /** Bytes from peers and seeders as the tracker was told over what the players counted; null without one. */
  readonly reportedOverCounted: number | null
  /** Per MB played: of the browsers, and of origin, tracker, seeder and this program as well. */
  readonly browserCpuSecondsPerMegabyte: number
  readonly allCpuSecondsPerMegabyte: number
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
    /** Of packets on the emulated path between viewers; null where there is none. */
    readonly pathLateShare: number | null
    /** Whether the machine, and not what is compared, may have decided the row. */
    readonly wasLimit: boolean
  }
  readonly viewers: readonly ViewerSummary[]
}

/**
 * From these on the machine counts as the limit: timers late in the middle page, pictures dropped where
 * nothing stalled (a player that resumes drops some).
 */
const LATE_LIMIT = 0.01
const DROPPED_LIMIT = 0.05
/** Cores that other programs kept busy. */
const OTHERS_LIMIT = 0.5
const PATH_LATE_LIMIT = 0.05

export function summarize(run: RowRun, media: Media): RowSummary {
  const records = run.viewers.filter((_, number) => number !== run.polluter)
  const viewers = run.viewers
    .map((viewer, number) => ({ number, summary: summarizeViewer(number, viewer, run, media) }))
    .filter(({ number }) => number !== run.polluter)
    .map(({ summary }) => summary)
  const total = (value: (viewer: ViewerSummary) => number) => sum(viewers.map(value))
  const ofThose = (value: (viewer: ViewerSummary) => number | null) => {
    const told = viewers.map(value).filter((one) => one !== null)
    return told.length === 0 ? null : sum(told)
  }
  const delivered = total((viewer) => viewer.deliveredBytes)
  const http = total((viewer) => viewer.httpBytes)
  const peers = total((viewer) => viewer.peerBytes)
  const seeders = total((viewer) => viewer.seederBytes)
  const channelsIn = total((viewer) => viewer.channelBytesIn)
  const stalls = total((viewer) => viewer.stalls)
  const duplicate = ofThose((viewer) => viewer.duplicateBytes)
  const steady = steadyBytes(run, records, media)
  const origin = countOrigin(run, media)
  const { cores, busy, ours, browserWaitShare, browserCpuSeconds, oursCpuSeconds, browserPeakMiB } =
    run.machine
  const others = Math.max(0, busy - ours)
  const { pathLateShare } = run
  const lateShare = spread(viewers.map((viewer) => viewer.lateShare))
  const droppedFrameShare =
    total((viewer) => viewer.droppedFrames) /
    Math.max(
      1,
      total(({ frames }) => frames),
    )
  const brought = origin.viewerBytes + channelsIn
  return {
    row: run.row.name,
    startupMs: spread(viewers.map((viewer) => viewer.startupMs)),
    notStarted: viewers.filter((viewer) => viewer.startupMs === null).length,
    stalls,
    stallSeconds: total((viewer) => viewer.stallSeconds),
    viewersStalled: viewers.filter((viewer) => viewer.stalls > 0).length,
    playedShare:
      total((viewer) => viewer.playedSeconds) /
      Math.max(
        1,
        total((viewer) => viewer.presentSeconds),
      ),
    playerErrors: total(({ fatal, warnings }) => fatal.length + sum(Object.values(warnings))),
    fatalErrors: total(({ fatal }) => fatal.length),
    latencySeconds: spread(viewers.map((viewer) => viewer.latencySeconds)),
    megabytes: {
      delivered: delivered / 1e6,
      http: http / 1e6,
      peers: peers / 1e6,
      seeders: seeders / 1e6,
      uploaded: total((viewer) => viewer.uploadedBytes) / 1e6,
      duplicate: duplicate === null ? null : duplicate / 1e6,
      channelsIn: channelsIn / 1e6,
    },
    offload: saved(origin.viewerBytes, delivered),
    offloadSteady: saved(origin.viewerBytesSteady, steady.delivered),
    overheadShare: Math.max(0, brought - delivered) / Math.max(1, brought),
    peerShare: share(peers + seeders, http),
    peerShareSteady: share(steady.peers, steady.http),
    peerShareSteadyPerViewer: spread(viewers.map((viewer) => viewer.peerShareSteady)),
    uploadGini: gini(viewers.map((viewer) => viewer.channelBytesOut)),
    firstPeerByteMs: spread(viewers.map((viewer) => viewer.firstPeerByteMs)),
    levelSwitches: total((viewer) => viewer.levelSwitches),
    shownBitsPerSecond: spread(viewers.map((viewer) => viewer.shownBitsPerSecond)),
    pollutedSegments: ofThose((viewer) => viewer.pollutedSegments),
    origin,
    countedOverSent: http / Math.max(1, origin.viewerBytes),
    countedOverComplete: http / Math.max(1, origin.viewerBytesComplete),
    reportedOverCounted: run.tracker === null ? null : reported(run.tracker) / Math.max(1, peers + seeders),
    browserCpuSecondsPerMegabyte: (browserCpuSeconds * 1e6) / Math.max(1, delivered),
    allCpuSecondsPerMegabyte: (oursCpuSeconds * 1e6) / Math.max(1, delivered),
    peakMiBPerViewer: browserPeakMiB / Math.max(1, run.viewers.length - run.killed.size),
    machine: {
      ...{ cores, busy, ours, others, droppedFrameShare },
      mostLateMs: spread(viewers.map((viewer) => viewer.mostLateMs)),
      ...{ lateShare, browserWaitShare },
      pathLateShare,
      wasLimit:
        (lateShare.median ?? 0) > LATE_LIMIT ||
        (stalls === 0 && droppedFrameShare > DROPPED_LIMIT) ||
        others > OTHERS_LIMIT ||
        (pathLateShare ?? 0) > PATH_LATE_LIMIT,
    },
    viewers,
  }
}

/** 0 where the origin sent as much as was played, or more: some was under way, or came twice. */
function saved(sent: number, delivered: number): number {
  return Math.max(0, 1 - sent / Math.max(1, delivered))
}

function reported({ totals }: TrackerStats): number {
  return totals.peerBytes + totals.seederBytes
}

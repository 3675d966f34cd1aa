import type { FeedFrame, StatsSample, TrackerStats } from '@shoal/protocol'
import { SMOOTHING_MS, windowOf, withSample } from './samples.js'

/** What the page knows of the swarm, built from frames alone. */
export interface SwarmState {
  /** Null until the first stats frame. */
  readonly stats: TrackerStats | null
  readonly samples: readonly StatsSample[]
  /** Recent `uploadedBytes`, oldest first: samples carry no rate of uploads. */
  readonly uploads: readonly UploadMark[]
  /** Stalls since this page was opened. */
  readonly newStalls: number
}

interface UploadMark {
  readonly at: number
  readonly bytes: number
}

export const NO_STATE: SwarmState = { stats: null, samples: [], uploads: [], newStalls: 0 }

/** The state after a frame. */
export function withFrame(state: SwarmState, frame: FeedFrame): SwarmState {
  if (frame.type === 'history') return { ...state, samples: windowOf(frame.samples), uploads: [] }
  const { stats, sample } = frame
  const mark = { at: sample.at, bytes: stats.totals.uploadedBytes }
  const earlierStalls = state.stats?.totals.stalls ?? stats.totals.stalls
  return {
    stats,
    samples: withSample(state.samples, sample),
    uploads: withMark(state.uploads, mark),
    // A tracker that was restarted counts from zero again: all it counts is new.
    newStalls:
      state.newStalls +
      (stats.totals.stalls >= earlierStalls ? stats.totals.stalls - earlierStalls : stats.totals.stalls),
  }
}

/** Over less than this, in ms, one report more or less would make the rate. */
const SHORTEST_UPLOAD_SPAN_MS = 4_000

/** Bytes per second that peers and seeders served lately; null until frames span enough time. */
export function uploadRate(state: SwarmState): number | null {
  const first = state.uploads[0]
  const last = state.uploads.at(-1)
  if (first === undefined || last === undefined || last.at - first.at < SHORTEST_UPLOAD_SPAN_MS) return null
  return ((last.bytes - first.bytes) * 1000) / (last.at - first.at)
}

/** How a tracker can be without its first viewer. */
export type Beginning = 'unused' | 'seeded'

/** Which help a new tracker's operator needs; null once anything was played: a quiet night is no beginning. */
export function beginningOf(stats: TrackerStats): Beginning | null {
  const { httpBytes, peerBytes, seederBytes } = stats.totals
  if (stats.viewers > 0 || stats.others > 0 || httpBytes + peerBytes + seederBytes > 0) return null
  return stats.seeders > 0 ? 'seeded' : 'unused'
}

function withMark(marks: readonly UploadMark[], mark: UploadMark): readonly UploadMark[] {
  const last = marks.at(-1)
  // Totals and time only rise within one life of the tracker.
  if (last !== undefined && (mark.at <= last.at || mark.bytes < last.bytes)) return [mark]
  return [...marks.filter((earlier) => earlier.at >= mark.at - SMOOTHING_MS), mark]
}

/** How viewers come and go, and what they watch. */
export const SIM_WORKLOADS = [
  'steady',
  'mix',
  'flash',
  'goal-spike',
  'vod',
  'tail-off',
  'low-latency',
] as const
export type SimWorkload = (typeof SIM_WORKLOADS)[number]

/** What goes wrong, in the middle of a run unless said otherwise. */
export const SIM_FAULTS = [
  'none',
  /** From a quarter to three quarters of the run. */
  'tracker-away',
  /** Every request answered 503 for a fifth of the run, 30 s at most. */
  'cdn-503',
  /** As long, with no answer at all. */
  'cdn-away',
  /** Some viewers (`hostileShare`) send corrupt Data all the time. */
  'polluters',
  /** Some make up manifests, and the Data that fit them. */
  'inventors',
  /** Some make up manifests that the true Data of others do not fit. */
  'slanderers',
  /** Two halves that do not reach each other, for a fifth of the run. */
  'partition',
  /** Every 10 s the viewer that was first to ask the edge dies without a word. */
  'leader-killed',
  /** Every viewer's clock is up to an hour ahead and goes up to 500 ppm wrong, all the time. */
  'clock-skew',
] as const
export type SimFault = (typeof SIM_FAULTS)[number]

/** Whom the tracker gives offers to: anybody, or whom `TrackerMatching` chooses. */
export const SIM_MATCHINGS = ['random', 'local'] as const
export type SimMatching = (typeof SIM_MATCHINGS)[number]

/** Levels of integrity that are simulated; `attested` needs a tracker that signs. */
export const SIM_INTEGRITIES = ['checked', 'signed', 'off'] as const
export type SimIntegrity = (typeof SIM_INTEGRITIES)[number]

/** The HTTP edge that all viewers have in common. */
export interface EdgeOptions {
  /** Time to the first byte, in milliseconds. */
  readonly firstByteMs: number
  /** Bytes per second of one connection at most. */
  readonly connectionBytesPerSecond: number
  /** Bytes per second of all connections together at most. */
  readonly totalBytesPerSecond: number
  /** Share of requests that are answered with a 500. */
  readonly errorShare: number
  /** Share of requests that take ten times as long to their first byte. */
  readonly slowShare: number
}

/** One run of the simulator. Everything that it does follows from these and the code. */
export interface SimOptions {
  /** Viewers that join, or (workload `mix`) that are present on average. */
  readonly viewers: number
  /** Mean uplink over the bitrate. */
  readonly rho: number
  /** Simulated time, in seconds. */
  readonly seconds: number
  readonly seed: number
  readonly workload: SimWorkload
  readonly fault: SimFault
  /** Seconds from a segment's publication to its playback, the start-up delay left aside. */
  readonly latencySeconds: number
  readonly bitsPerSecond: number
  readonly segmentSeconds: number
  /** Duration of a part of a segment, in workload `low-latency`. */
  readonly partSeconds: number
  /** Access line towards the viewer, in bytes per second. */
  readonly downloadBytesPerSecond: number
  /** Chance of one packet's loss between two viewers. */
  readonly loss: number
  /** Share of pairs of viewers whose connection never opens. */
  readonly natFailure: number
  /** Mean of a viewer's stay in workload `mix`, in seconds. */
  readonly sessionSeconds: number
  /** Segments that a viewer keeps in memory. */
  readonly cachedSegments: number
  readonly maxLinks: number
  /** Internet providers that viewers are drawn from, by size as Zipf's law has it; 0 where none are told apart. */
  readonly isps: number
  readonly matching: SimMatching
  /** Share of the viewers that are hostile, with a fault that makes some so. */
  readonly hostileShare: number
  /** With `signed` there is a seeder that signs, whose uplink is four viewers'; checks at `checked`. */
  readonly integrity: SimIntegrity
  readonly edge: EdgeOptions
}

/** Bytes per second of a rate in megabits per second. */
function megabits(rate: number): number {
  return (rate * 1e6) / 8
}

/** The reference's setting: 4 Mbit/s in segments of 4 s, 8 s behind the live edge. */
export const SIM_DEFAULTS: SimOptions = {
  viewers: 100,
  rho: 2,
  seconds: 120,
  seed: 1,
  workload: 'steady',
  fault: 'none',
  latencySeconds: 8,
  bitsPerSecond: 4e6,
  segmentSeconds: 4,
  partSeconds: 0.5,
  downloadBytesPerSecond: megabits(50),
  loss: 0,
  natFailure: 0.2,
  sessionSeconds: 600,
  cachedSegments: 5,
  maxLinks: 14,
  isps: 0,
  matching: 'random',
  hostileShare: 0.05,
  integrity: 'checked',
  edge: {
    firstByteMs: 60,
    connectionBytesPerSecond: megabits(20),
    totalBytesPerSecond: Number.POSITIVE_INFINITY,
    errorShare: 0,
    slowShare: 0,
  },
}

/** Duration of what a player loads at once: a segment, or a part of one. */
export function unitSecondsOf({ workload, segmentSeconds, partSeconds }: SimOptions): number {
  return workload === 'low-latency' ? partSeconds : segmentSeconds
}

/** Parts of a segment, in workload `low-latency`; null where segments are loaded whole. */
export function partsPerSegmentOf({ workload, segmentSeconds, partSeconds }: SimOptions): number | null {
  return workload === 'low-latency' ? Math.round(segmentSeconds / partSeconds) : null
}

/** Bytes of what a player loads at once. */
export function unitBytesOf(options: SimOptions): number {
  return Math.round((options.bitsPerSecond * unitSecondsOf(options)) / 8)
}

import { share } from './swarm-statistics.js'
import type { RowSummary } from './swarm-summary.js'

/** One row of one cell, as the architecture's contract of `bench -- swarm` names things. */
export interface SwarmRow {
  readonly system: string
  readonly scenario: string
  readonly viewers: number
  readonly seed: number
  readonly seconds: number
  /** The origin's uplink over the bitrate; null: no limit. */
  readonly originX: number | null
  readonly bitsPerSecond: number
  readonly startupP50Ms: number | null
  readonly startupP95Ms: number | null
  readonly stalls: number
  readonly stallSeconds: number
  /** Median viewer's; null on demand. */
  readonly latencySeconds: number | null
  /**
   * Of peers and seeders, as the program counts them, in what they and the origin brought, as its own log
   * has it; 0 to 1. `Steady`: without start-ups, as the program counts all.
   */
  readonly peerShare: number
  readonly peerShareSteady: number
  /** Without start-ups. */
  readonly httpCopiesPerSegment: number
  readonly firstPeerByteP50Ms: number | null
  /** Of the browsers' processes, per MB that was played. */
  readonly cpuMsPerMegabyte: number
  /** Per viewer. */
  readonly peakMemoryMiB: number
  /** Received twice or thrown away, of what was received; null where the program does not tell. */
  readonly duplicateShare: number | null
  readonly pluginGzipBytes: number
  /** Whether the machine, and not the program, may have decided. */
  readonly machineWasLimit: boolean
  readonly detail: RowSummary
}

export function rowOf(
  cell: Pick<SwarmRow, 'scenario' | 'viewers' | 'seed' | 'seconds' | 'originX' | 'bitsPerSecond'>,
  detail: RowSummary,
  pluginGzipBytes: number,
): SwarmRow {
  const { http, peers, seeders, duplicate } = detail.megabytes
  const received = http + peers + seeders
  return {
    system: detail.row,
    ...cell,
    startupP50Ms: detail.startupMs.median,
    startupP95Ms: detail.startupMs.p95,
    stalls: detail.stalls,
    stallSeconds: detail.stallSeconds,
    latencySeconds: detail.latencySeconds.median,
    peerShare: share(peers + seeders, detail.origin.viewerBytes / 1e6),
    peerShareSteady: detail.peerShareSteady,
    httpCopiesPerSegment: detail.origin.steady.mean,
    firstPeerByteP50Ms: detail.firstPeerByteMs.median,
    cpuMsPerMegabyte: detail.browserCpuSecondsPerMegabyte * 1000,
    peakMemoryMiB: detail.peakMiBPerViewer,
    duplicateShare: duplicate === null ? null : received === 0 ? 0 : duplicate / received,
    pluginGzipBytes,
    machineWasLimit: detail.machine.wasLimit,
    detail,
  }
}

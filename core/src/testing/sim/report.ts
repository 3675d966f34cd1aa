import type { PeerId } from '@shoal/protocol'
import { componentShare } from './components.js'
import { IspTally } from './isps.js'
import { type Person, usableRho } from './population.js'
import type { SimMatching, SimWorkload } from './sim-options.js'
import type { SimViewer } from './sim-viewer.js'
import { type SimWorld, START_MS } from './sim-world.js'

/** What a run found. Shares and offload are 0 to 1; durations are in the unit of their name. */
export interface SimReport {
  readonly viewers: number
  readonly rho: number
  readonly seed: number
  readonly workload: SimWorkload
  /** Share of the played bytes that the edge did not serve. */
  readonly offload: number
  /** The same, each viewer's start-up buffer left out. */
  readonly offloadSteady: number
  /** What is possible: min(1 - 1/N, usable uplink over bitrate). */
  readonly bound: number
  /** Bytes that the edge served for a segment over its size, without start-ups. */
  readonly httpCopiesPerSegment: number
  readonly rebuffers: number
  readonly twinRebuffers: number
  readonly startupP95Ms: number | null
  readonly twinStartupP95Ms: number | null
  /** Payload that came from peers and was of no use. */
  readonly duplicateShare: number
  /** Bytes between peers in messages other than Data. */
  readonly controlShare: number
  readonly firstPeerByteP50Ms: number | null
  readonly firstPeerByteP95Ms: number | null
  readonly pollutedBytesPlayed: number
  readonly integrity: string
  /** Bytes that the edge served to be compared with what peers sent, as a share of what they sent. */
  readonly checkShare: number
  /** Segments' worth of them for each segment that was played, over all viewers. */
  readonly checkCopiesPerSegment: number
  readonly checksMade: number
  readonly checksFailed: number
  /** Hostile viewers, those of them that an honest one banned, honest ones that one banned, and all such bans. */
  readonly hostile: number
  readonly hostileBanned: number
  readonly honestBanned: number
  readonly bans: number
  /** Viewers in the largest connected part of the mesh at the end. */
  readonly largestComponentShare: number
  readonly fault: string
  readonly seconds: number
  readonly latencySeconds: number
  readonly startupP50Ms: number | null
  readonly twinStartupP50Ms: number | null
  readonly rebufferMs: number
  readonly twinRebufferMs: number
  /** Viewers that stalled more often than their twins. */
  readonly viewersWorseThanTwin: number
  readonly edgeRequestsPerSegment: number
  /** Time left when a segment was complete: its 1st percentile and median, without start-ups. */
  readonly slackP1Ms: number | null
  readonly slackP50Ms: number | null
  readonly meanLinks: number
  readonly corruptPieces: number
  /** Gini coefficient of the bytes that viewers uploaded: 0 all alike, 1 one for all. */
  readonly uploadGini: number
  readonly isps: number
  readonly matching: SimMatching
  /**
   * Payload from peers that came from the viewer's own provider, of viewers whose provider has at least
   * 17 members at the end; of all viewers; and connections at the end, of the former. Null without providers.
   */
  readonly sameIspTrafficShare: number | null
  readonly sameIspShareAll: number | null
  readonly sameIspLinkShare: number | null
  readonly messages: Record<string, { readonly messages: number; readonly bytes: number }>
}

/** Sums up a run that has come to its end. */
export function reportOf(
  world: SimWorld,
  people: readonly Person[],
  viewers: readonly SimViewer[],
): SimReport {
  const { options, ledger, traffic, content } = world
  const { startup, steady } = ledger
  const snapshots = viewers.map((viewer) => viewer.snapshot())
  const present = viewers.filter((viewer) => viewer.present)
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  const startups = viewers.flatMap(({ player }) => player.record.startupMs ?? [])
  const twinStartups = viewers.flatMap(({ twin }) => twin.record.startupMs ?? [])
  const firstBytes = viewers.flatMap(({ firstPeerByteMs }) => firstPeerByteMs ?? [])
  const settled = settledSegments(world)
  const edgeBytes = sum(settled.map((account) => account.edgeBytes))
  return {
    viewers: options.viewers,
    rho: options.rho,
    seed: options.seed,
    workload: options.workload,
    offload: share(startup.edgeBytes + steady.edgeBytes, startup.playedBytes + steady.playedBytes),
    offloadSteady: share(steady.edgeBytes, steady.playedBytes),
    bound: Math.min(1 - 1 / options.viewers, usableRho(options, people)),
    httpCopiesPerSegment: round(edgeBytes / content.segmentBytes / settled.length, 3),
    rebuffers: sum(viewers.map(({ player }) => player.record.rebuffers)),
    twinRebuffers: sum(viewers.map(({ twin }) => twin.record.rebuffers)),
    startupP95Ms: percentile(startups, 0.95),
    twinStartupP95Ms: percentile(twinStartups, 0.95),
    duplicateShare: round(
      sum(snapshots.map((one) => one.wastedBytes)) / Math.max(1, traffic.payloadReceived),
      5,
    ),
    controlShare: round(traffic.controlShare, 5),
    firstPeerByteP50Ms: percentile(firstBytes, 0.5),
    firstPeerByteP95Ms: percentile(firstBytes, 0.95),
    pollutedBytesPlayed: ledger.pollutedBytes,
    integrity: options.integrity,
    checkShare: round(ledger.checkBytes / Math.max(1, traffic.payloadReceived), 5),
    checkCopiesPerSegment: round(
      ledger.checkBytes / content.segmentBytes / Math.max(1, ledger.bySegment.size),
      3,
    ),
    checksMade: sum(snapshots.map((one) => one.checksMade)),
    checksFailed: sum(snapshots.map((one) => one.checksFailed)),
    hostile: viewers.filter(({ person }) => person.hostile !== null).length,
    hostileBanned: world.bans.countOf(true),
    honestBanned: world.bans.countOf(false),
    bans: world.bans.count,
    largestComponentShare: round(componentShare(linksOf(present)), 4),
    fault: options.fault,
    seconds: options.seconds,
    latencySeconds: options.latencySeconds,
    startupP50Ms: percentile(startups, 0.5),
    twinStartupP50Ms: percentile(twinStartups, 0.5),
    rebufferMs: Math.round(sum(viewers.map(({ player }) => player.record.stalledMs))),
    twinRebufferMs: Math.round(sum(viewers.map(({ twin }) => twin.record.stalledMs))),
    viewersWorseThanTwin: viewers.filter((one) => one.player.record.rebuffers > one.twin.record.rebuffers)
      .length,
    edgeRequestsPerSegment: round(sum(settled.map((account) => account.edgeRequests)) / settled.length, 3),
    slackP1Ms: percentile(ledger.slacks, 0.01),
    slackP50Ms: percentile(ledger.slacks, 0.5),
    meanLinks: round(sum(present.map((one) => one.snapshot().links.length)) / Math.max(1, present.length), 2),
    corruptPieces: sum(snapshots.map((one) => one.corruptPieces)),
    uploadGini: round(gini(snapshots.map((one) => one.uploadedBytes)), 3),
    isps: options.isps,
    matching: options.matching,
    ...ispSharesOf(world, present),
    messages: traffic.byName(),
  }
}

/** Accounts of the segments that everyone who wanted them has had by the end. */
function settledSegments(world: SimWorld) {
  const { options, ledger } = world
  const end = START_MS + options.seconds * 1000 - options.latencySeconds * 1000
  const settled = []
  for (const [sequence, account] of ledger.bySegment) {
    const live = options.workload !== 'vod'
    const whole = live ? world.publishedAt(sequence) <= end : account.playedBytes > 0
    if (whole) settled.push(account)
  }
  return settled
}

function ispSharesOf({ ispTraffic }: SimWorld, present: readonly SimViewer[]) {
  const people = new Map(present.map(({ peerId, person }) => [peerId, person] as const))
  const links = new IspTally()
  for (const viewer of present) {
    for (const { peerId } of viewer.snapshot().links) {
      const other = peerId === null ? undefined : people.get(peerId)
      if (other !== undefined) links.add(viewer.person, other, 1)
    }
  }
  const rounded = (value: number | null): number | null => (value === null ? null : round(value, 4))
  const members = [...people.values()]
  const { ofLarge, ofAll } = ispTraffic.shares(members)
  return {
    sameIspTrafficShare: rounded(ofLarge),
    sameIspShareAll: rounded(ofAll),
    sameIspLinkShare: rounded(links.shares(members).ofLarge),
  }
}

function linksOf(viewers: readonly SimViewer[]): Map<PeerId, readonly PeerId[]> {
  return new Map(
    viewers.map((viewer) => [viewer.peerId, viewer.snapshot().links.map(({ peerId }) => peerId)] as const),
  )
}

function share(edgeBytes: number, playedBytes: number): number {
  return playedBytes === 0 ? 0 : round(1 - edgeBytes / playedBytes, 5)
}

function percentile(values: readonly number[], at: number): number | null {
  if (values.length === 0) return null
  const sorted = Float64Array.from(values).sort()
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? 0)
}

function gini(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  let total = 0
  let weighted = 0
  for (const [index, value] of sorted.entries()) {
    total += value
    weighted += (index + 1) * value
  }
  if (total === 0) return 0
  return (2 * weighted) / (sorted.length * total) - (sorted.length + 1) / sorted.length
}

function round(value: number, digits: number): number {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : 0
}

import type { Millis, SegmentId, SwarmId } from '@shoal/protocol'
import type { Random } from '../ports/clock.js'
import type { DownloadMode, SwarmOptions } from '../runtime/swarm-api.js'
import type { Blame } from './blame.js'
import type { DownloadTally } from './download-tally.js'
import type { Election } from './election.js'
import type { EmitEffect } from './io.js'
import type { ManifestIntake } from './manifest-intake.js'
import type { ManifestRequests } from './manifest-requests.js'
import type { OriginLoads } from './origin-loads.js'
import type { Peer } from './peer.js'
import type { PieceDownloads } from './piece-downloads.js'
import type { Prefetch } from './prefetch.js'
import type { ReportedLists } from './reported-lists.js'
import type { Segment } from './segment.js'
import type { SegmentStore } from './segment-store.js'
import type { SpotChecks } from './spot-checks.js'
import type { Trust } from './trust.js'
import type { Verifier } from './verifier.js'
import type { VouchedManifests } from './vouched-manifests.js'
import type { WantList } from './want-list.js'

export interface DownloaderOptions {
  readonly swarmId: SwarmId
  readonly election: Election
  readonly integrity: SwarmOptions['integrity']
  readonly mode: DownloadMode
  readonly random: Random
  readonly store: SegmentStore
  readonly emit: EmitEffect
}

/** What the rest of the engine hears of downloads. */
export interface DownloaderEvents {
  /** A segment's verified pieces, or whether it is being fetched, changed. */
  segmentChanged(segment: Segment): void
  pieceVerified(segment: Segment, piece: number): void
  /** The segment has got its manifest, or more hashes of it. */
  manifestKnown(segment: Segment): void
  /** We are about to fetch it from the origin: everybody is to hear it. */
  claimed(id: SegmentId, place: number): void
  /** The segment is not what was told of it. */
  manifestLost(segment: Segment): void
  /** What is held of the segment is not to be passed on any more. */
  segmentRevoked(segment: Segment): void
  /** The peer broke the protocol. */
  misbehaved(peer: Peer): void
  /** The peer sent pieces that are not the manifest's. */
  corrupted(peer: Peer): void
  /** The peer does not answer. */
  unresponsive(peer: Peer): void
  /** We load a live segment from the origin that no neighbour had: they wait for us until then. */
  leads(until: Millis): void
  /** Peers whose Hello has come. */
  readyPeers(): readonly Peer[]
  /** A connection is open whose Hello has not come yet. */
  helloAwaited(): boolean
}

/**
 * What downloads are made of. The parts call each other in both directions, so each is handed this and
 * takes the others from it when they are needed.
 */
export interface DownloadParts {
  readonly options: DownloaderOptions
  readonly events: DownloaderEvents
  readonly wants: WantList
  readonly pieces: PieceDownloads
  readonly requests: ManifestRequests
  readonly manifests: ManifestIntake
  readonly verifier: Verifier
  readonly blame: Blame
  readonly trust: Trust
  readonly checks: SpotChecks
  readonly lists: ReportedLists
  readonly vouched: VouchedManifests
  readonly prefetch: Prefetch
  readonly origin: OriginLoads
  readonly tally: DownloadTally
  /** Pieces of peers that were not the manifest's. */
  corruptPieces: number
  /** Connections may open soon. */
  readonly hopeful: boolean
  /** The host asks to spare the origin. */
  readonly originSpared: boolean
  /** Members of the whole swarm as the tracker counts them. */
  readonly swarmSize: number | null
  /** The time of the input at hand. */
  readonly now: Millis
}

import { type Data, type Have, type Millis, type SegmentManifest, segmentKey } from '@shoal/protocol'
import type { ManifestTrust } from '../ports/digest.js'
import type { Integrity, WantedSegment } from '../runtime/swarm-api.js'
import { Arrivals } from './arrivals.js'
import { Blame } from './blame.js'
import { CheckLoads } from './check-loads.js'
import type { DownloaderEvents, DownloaderOptions, DownloadParts } from './download-parts.js'
import { DownloadTally } from './download-tally.js'
import { ManifestIntake } from './manifest-intake.js'
import { ManifestRequests } from './manifest-requests.js'
import { OriginLoads } from './origin-loads.js'
import type { Peer } from './peer.js'
import { PieceDownloads } from './piece-downloads.js'
import { PieceRoom } from './piece-room.js'
import { Prefetch } from './prefetch.js'
import { Pursuit } from './pursuit.js'
import { names } from './remote-have.js'
import { ReportedLists, type SegmentVerdict } from './reported-lists.js'
import { Retractions } from './retractions.js'
import { Segment } from './segment.js'
import { SpotChecks } from './spot-checks.js'
import { Trust } from './trust.js'
import { Verifier } from './verifier.js'
import { VouchedManifests } from './vouched-manifests.js'
import { describes } from './want.js'
import { makeWant, WantList } from './want-list.js'
import { WantOutcomes } from './want-outcomes.js'

/** Gets wanted segments here: from peers while the deadline allows, from the origin where not. */
export class Downloader implements DownloadParts {
  readonly wants = new WantList()
  readonly pieces: PieceDownloads
  readonly requests: ManifestRequests
  readonly manifests: ManifestIntake
  readonly verifier: Verifier
  readonly blame: Blame
  readonly trust: Trust
  readonly checks: SpotChecks
  readonly checkLoads: CheckLoads
  readonly lists: ReportedLists
  readonly vouched: VouchedManifests
  readonly prefetch = new Prefetch()
  private readonly outcomes: WantOutcomes
  private readonly retractions: Retractions
  private readonly arrivals: Arrivals
  private readonly pursuit: Pursuit
  readonly options: DownloaderOptions
  readonly events: DownloaderEvents
  readonly origin: OriginLoads
  readonly tally = new DownloadTally()
  corruptPieces = 0
  /** Connections may open soon. */
  hopeful = false
  /** The host asks to spare the origin. */
  originSpared = false
  /** Members of the whole swarm as the tracker counts them. */
  swarmSize: number | null = null
  /** The time of the input at hand; the engine sets it. */
  now: Millis

  constructor(options: DownloaderOptions, events: DownloaderEvents) {
    const { emit, swarmId, random } = options
    const swarmTag = swarmId.tag
    this.options = options
    this.events = events
    this.now = 0 as Millis
    this.outcomes = new WantOutcomes(this)
    this.retractions = new Retractions(this)
    this.arrivals = new Arrivals(this, this.outcomes, this.retractions)
    this.pursuit = new Pursuit(this, this.outcomes)
    this.trust = new Trust(options.integrity)
    this.blame = new Blame(this.trust, {
      corrupted: (peer) => events.corrupted(peer),
      explain: (peer, id) => this.requests.explain(peer, id),
      distrusted: (peer) => this.retractions.distrusted(peer),
      readyPeers: () => events.readyPeers(),
    })
    this.requests = new ManifestRequests(swarmTag, emit)
    const room = new PieceRoom()
    this.verifier = new Verifier(room, emit, {
      pieceVerified: (segment, piece, peer) => this.arrivals.pieceVerified(segment, piece, peer),
      pieceCorrupt: (segment, piece, peer, digest) =>
        this.arrivals.pieceCorrupt(segment, piece, peer, digest),
      manifestMade: (segment, manifest) => this.manifests.made(segment, manifest),
      manifestGrew: (segment) => this.manifests.grew(segment, this.now),
      manifestChecked: (peer, segment, manifest, trust) =>
        this.manifests.checked(peer, segment, manifest, trust, this.now),
    })
    this.manifests = new ManifestIntake(this.trust, this.requests, this.verifier, {
      known: (segment) => events.manifestKnown(segment),
      adopted: (want) => this.origin.tailLoaded(want),
      made: (segment) => this.arrivals.manifestMade(segment),
      contradicted: (segment) => this.retractions.manifestDropped(segment),
      wantsOf: (segment) => this.wants.of(segment),
      readyPeers: () => events.readyPeers(),
    })
    this.pieces = new PieceDownloads(swarmTag, random, room, emit, {
      pieceArrived: (peer, request) => this.arrivals.pieceArrived(peer, request),
      violation: (peer) => events.misbehaved(peer),
    })
    this.origin = new OriginLoads(emit, {
      pieceLoaded: (want, piece) => this.arrivals.pieceLoaded(want, piece),
      segmentLoaded: (want, bytes, certain) => this.arrivals.segmentLoaded(want, bytes, certain),
      sized: (want, size) => this.manifests.begin(want, size, this.now),
      sizeWrong: (want) => this.tally.uncount(want.segment),
      progressed: (want) => this.outcomes.progress(want),
      manifestWrong: (want) => this.retractions.manifestWrong(want.segment),
      failed: (want, error) => this.outcomes.originFailed(want, error),
      ended: (want) => events.segmentChanged(want.segment),
    })
    const digest = (bytes: Uint8Array, then: (digest: Uint8Array) => void) =>
      this.verifier.digest(bytes, then)
    this.checkLoads = new CheckLoads(this.origin.ranges, emit)
    this.checks = new SpotChecks(this.trust, this.checkLoads, random, {
      digest,
      disproved: (segment) => this.retractions.manifestWrong(segment),
      settled: (segment, piece, found) => this.blame.settle(segment, piece, found, this.now),
    })
    const signing = {
      isTrusted: (manifest: SegmentManifest, then: (trusted: boolean) => void) =>
        this.verifier.trustOf(manifest, (trust) => then(trust === 'trusted')),
      signed: (segment: Segment) => this.arrivals.signed(segment),
    }
    this.vouched = new VouchedManifests(this.trust, signing)
    this.lists = new ReportedLists(this.trust, {
      ...signing,
      swarmId: swarmId.bytes,
      emit,
      digest,
      changed: (segment) => events.segmentChanged(segment),
      disputed: (segment, wrong) =>
        wrong ? this.retractions.manifestWrong(segment) : this.retractions.manifestDropped(segment),
    })
    this.retractions.levelChanged()
  }

  get wastedBytes(): number {
    return this.pieces.wastedBytes + this.origin.wastedBytes
  }

  /** Segments that are to be had. */
  get wanted(): number {
    return this.wants.size
  }

  isWanted(segment: Segment): boolean {
    return this.wants.isWanted(segment)
  }

  /** True where the segment must stay in memory. */
  pinned(segment: Segment): boolean {
    return segment.fetching || this.wants.isWanted(segment)
  }

  want(wantId: number, wanted: WantedSegment, now: Millis): void {
    this.now = now
    const known = this.options.store.open(wanted.segment)
    // What lies outside memory is for peers: a want of our own goes by HTTP, beside it.
    const segment = known.external ? new Segment(wanted.segment) : known
    if (known.external) segment.httpOnly = true
    const ahead = this.wants.of(segment).find((want) => want.ahead)
    if (ahead !== undefined) this.wants.delete(ahead.id)
    this.prefetch.wanted(wanted, now)
    const want = makeWant(wantId, wanted, segment, this.tally.expectedBytes(wanted), now)
    want.peersSince = ahead?.peersSince ?? null
    this.wants.add(want)
    this.checks.wanted(want)
    if (wanted.live) this.options.election.wanted(wanted.segment)
    if (segment.manifest !== null && !describes(segment.manifest, wanted.range))
      this.retractions.manifestDropped(segment)
    this.outcomes.finishIfWhole(want)
  }

  /** The host has the segment whole and gives it now: nothing more is to be loaded. */
  published(segment: Segment, adopt: () => void): void {
    this.pieces.cancel(segment)
    for (const want of this.wants.of(segment)) this.origin.cancel(want)
    adopt()
    for (const want of this.wants.of(segment)) this.outcomes.finishIfWhole(want)
  }

  setDeadline(wantId: number, deadline: Millis): void {
    const want = this.wants.get(wantId)
    if (want !== undefined) want.deadline = deadline
  }

  unwant(wantId: number): void {
    const want = this.wants.get(wantId)
    if (want !== undefined) this.outcomes.unwant(want)
  }

  /** Takes a chunk. True where it completed a piece or ended the connection. */
  data(peer: Peer, message: Data, now: Millis): boolean {
    this.now = now
    return this.pieces.data(peer, message, now)
  }

  manifest(peer: Peer, manifest: SegmentManifest, segment: Segment): void {
    this.manifests.offered(peer, manifest, segment, this.now)
  }

  hashes(peer: Peer, first: number, hashes: readonly Uint8Array[], segment: Segment): void {
    this.manifests.hashes(peer, first, hashes, segment, this.now)
  }

  hashed(jobId: number, digest: Uint8Array, now: Millis): void {
    this.now = now
    this.verifier.hashed(jobId, digest)
  }

  checkedManifest(jobId: number, trust: ManifestTrust, now: Millis): void {
    this.now = now
    this.verifier.manifestChecked(jobId, trust)
  }

  /** The peer serves nothing for now. */
  withdraw(peer: Peer): void {
    this.pieces.withdraw(peer)
  }

  closeLink(peer: Peer): void {
    this.pieces.closeLink(peer)
  }

  /** Asks, repairs, loads: whatever is due. Returns when to look again, or null. */
  pump(now: Millis): Millis | null {
    this.now = now
    return this.pursuit.pump(now)
  }

  /** Another level of integrity holds: what does not count by it is forgotten. */
  setLevel(level: Integrity): void {
    this.retractions.setLevel(level)
  }

  /** A signed manifest lies beside a segment. */
  foundManifest(manifest: SegmentManifest): void {
    this.vouched.found(manifest, this.options.store.get(segmentKey(manifest.segment)))
  }

  /** The tracker has compared what members loaded of a segment. */
  verdict(verdict: SegmentVerdict): void {
    this.lists.heard(verdict, this.options.store.get(segmentKey(verdict.segment)))
  }

  /** True where a Have may change what is done for a wanted segment now, not only at the next look. */
  concerns(have: Have): boolean {
    // A peer that is heard for the first time need not be waited for any longer.
    if (have.summary) return true
    for (const { segment } of this.wants.all()) {
      for (const entry of have.entries) {
        if (names(entry, segment.id) && this.pieces.mayAsk(segment, entry)) return true
      }
    }
    return false
  }
}

import {
  type Data,
  type Have,
  type Millis,
  type SegmentId,
  type SegmentManifest,
  type SwarmId,
  segmentKey,
} from '@shoal/protocol'
import type { Random } from '../ports/clock.js'
import type { ManifestTrust } from '../ports/digest.js'
import type { OriginError } from '../ports/origin.js'
import type { DownloadMode, Integrity, SwarmOptions, WantedSegment } from '../runtime/swarm-api.js'
import { Blame } from './blame.js'
import { CheckLoads } from './check-loads.js'
import { DownloadTally } from './download-tally.js'
import type { Election } from './election.js'
import { electionStage, type HttpSituation, isIdle, peersHorizon } from './http-rules.js'
import type { EmitEffect } from './io.js'
import { ManifestIntake } from './manifest-intake.js'
import { ManifestRequests } from './manifest-requests.js'
import { OriginLoads } from './origin-loads.js'
import { lateFrom, randomSpan } from './origin-share.js'
import { noteOrphans } from './orphans.js'
import type { Peer } from './peer.js'
import { PieceDownloads } from './piece-downloads.js'
import type { PieceRequest } from './piece-request.js'
import { Prefetch } from './prefetch.js'
import { names } from './remote-have.js'
import { ReportedLists, type SegmentVerdict } from './reported-lists.js'
import { contradicts, Segment } from './segment.js'
import type { SegmentStore } from './segment-store.js'
import { SpotChecks } from './spot-checks.js'
import { Trust } from './trust.js'
import { Verifier } from './verifier.js'
import { describes, isLoading, isWhole, loadedBytes, type Want } from './want.js'
import { makeWant, WantList } from './want-list.js'

/** Longest time between two looks at requests and deadlines while something is wanted, in milliseconds. */
const LOOK_INTERVAL_MS = 50

/** Peers that have completed no piece for this long do not make up for a failing origin, in milliseconds. */
const HELP_MS = 8_000

/** What a peer has begun to send may take until this long before the deadline, in milliseconds. */
const COMING_MARGIN_MS = 600

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

/** Gets wanted segments here: from peers while the deadline allows, from the origin where not. */
export class Downloader {
  private readonly wants = new WantList()
  private readonly pieces: PieceDownloads
  private readonly requests: ManifestRequests
  private readonly manifests: ManifestIntake
  private readonly verifier: Verifier
  readonly blame: Blame
  readonly trust: Trust
  readonly checks: SpotChecks
  readonly checkLoads: CheckLoads
  private readonly lists: ReportedLists
  private readonly prefetch = new Prefetch()
  private nextAhead = -1
  private readonly options: DownloaderOptions
  private readonly events: DownloaderEvents
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
    this.trust = new Trust(options.integrity)
    this.blame = new Blame(this.trust, {
      corrupted: (peer) => events.corrupted(peer),
      explain: (peer, id) => this.requests.explain(peer, id),
      distrusted: (peer) => this.distrusted(peer),
      readyPeers: () => events.readyPeers(),
    })
    this.requests = new ManifestRequests(swarmTag, emit)
    this.verifier = new Verifier(emit, {
      pieceVerified: (segment, piece, peer) => this.pieceVerified(segment, piece, peer),
      pieceCorrupt: (segment, piece, peer, digest) => this.pieceCorrupt(segment, piece, peer, digest),
      manifestMade: (segment, manifest) => this.manifests.made(segment, manifest),
      manifestGrew: (segment) => this.manifests.grew(segment, this.now),
      manifestChecked: (peer, segment, manifest, trust) =>
        this.manifests.checked(peer, segment, manifest, trust, this.now),
    })
    this.manifests = new ManifestIntake(this.trust, this.requests, this.verifier, {
      known: (segment) => events.manifestKnown(segment),
      adopted: (want) => this.origin.tailLoaded(want),
      made: (segment) => this.manifestMade(segment),
      contradicted: (segment) => this.manifestDropped(segment),
      wantsOf: (segment) => this.wants.of(segment),
      readyPeers: () => events.readyPeers(),
    })
    this.pieces = new PieceDownloads(swarmTag, random, emit, {
      pieceArrived: (peer, request) => this.pieceArrived(peer, request),
      violation: (peer) => events.misbehaved(peer),
    })
    this.origin = new OriginLoads(emit, {
      pieceLoaded: (want, piece) => this.pieceLoaded(want, piece),
      segmentLoaded: (want, bytes, certain) => this.segmentLoaded(want, bytes, certain),
      sized: (want, size) => this.manifests.begin(want, size, this.now),
      sizeWrong: (want) => this.tally.uncount(want.segment),
      progressed: (want) => this.progress(want),
      manifestWrong: (want) => this.manifestWrong(want.segment),
      failed: (want, error) => this.originFailed(want, error),
      ended: (want) => events.segmentChanged(want.segment),
    })
    const digest = (bytes: Uint8Array, then: (digest: Uint8Array) => void) =>
      this.verifier.digest(bytes, then)
    this.checkLoads = new CheckLoads(this.origin.ranges, emit)
    this.checks = new SpotChecks(this.trust, this.checkLoads, random, {
      digest,
      disproved: (segment) => this.manifestWrong(segment),
      settled: (segment, piece, found) => this.blame.settle(segment, piece, found, this.now),
    })
    this.lists = new ReportedLists(this.trust, {
      swarmId: swarmId.bytes,
      emit,
      digest,
      isTrusted: (manifest, then) => this.verifier.trustOf(manifest, (trust) => then(trust === 'trusted')),
      changed: (segment) => events.segmentChanged(segment),
      signed: (segment) => this.signed(segment),
      disputed: (segment, wrong) => (wrong ? this.manifestWrong(segment) : this.manifestDropped(segment)),
    })
    this.levelChanged()
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
    if (segment.manifest !== null && !describes(segment.manifest, wanted.range)) this.manifestDropped(segment)
    this.finishIfWhole(want)
  }

  /** Asks peers for what the host will want next, and forgets what it no longer will. */
  private fetchAhead(peers: readonly Peer[], now: Millis): void {
    for (const want of [...this.wants.all()]) if (want.ahead && now > want.deadline) this.unwant(want.id)
    for (const wanted of this.prefetch.next(peers, now)) {
      const segment = this.options.store.open(wanted.segment)
      if (segment.complete || segment.external || segment.httpOnly || this.wants.isWanted(segment)) continue
      const expected = this.tally.expectedBytes(wanted)
      this.wants.add(makeWant(this.nextAhead--, wanted, segment, expected, now))
    }
  }

  /** The host has the segment whole and gives it now: nothing more is to be loaded. */
  published(segment: Segment, adopt: () => void): void {
    this.pieces.cancel(segment)
    for (const want of this.wants.of(segment)) this.origin.cancel(want)
    adopt()
    for (const want of this.wants.of(segment)) this.finishIfWhole(want)
  }

  setDeadline(wantId: number, deadline: Millis): void {
    const want = this.wants.get(wantId)
    if (want !== undefined) want.deadline = deadline
  }

  unwant(wantId: number): void {
    const want = this.wants.get(wantId)
    if (want === undefined) return
    this.origin.cancel(want)
    this.end(want)
    if (!this.wants.isWanted(want.segment)) this.pieces.cancel(want.segment)
    this.events.segmentChanged(want.segment)
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
    const silent = this.pieces.checkTimeouts(this.events.readyPeers(), now)
    for (const peer of silent) this.events.unresponsive(peer)
    const peers = this.events.readyPeers()
    this.fetchAhead(peers, now)
    const byDeadline = this.wants.byDeadline()
    this.pieces.reserve(
      byDeadline.map(({ segment }) => segment),
      peers,
      now,
    )
    let next = Number.POSITIVE_INFINITY
    for (const want of byDeadline) next = Math.min(next, this.pumpWant(want, peers, now))
    this.lists.look(now)
    this.checks.look(isIdle(byDeadline, this.origin, now), now)
    if (this.pieces.outstanding > 0) next = Math.min(next, now + LOOK_INTERVAL_MS)
    return next === Number.POSITIVE_INFINITY ? null : (Math.max(next, now + 1) as Millis)
  }

  private pumpWant(want: Want, peers: readonly Peer[], now: Millis): number {
    const { segment } = want
    if (want.ahead) {
      this.askPeers(want, peers, now)
      return now + LOOK_INTERVAL_MS
    }
    const hopeful = this.hopeful || this.events.helloAwaited()
    const { swarmSize, origin } = this
    const { election } = this.options
    const mode = this.originSpared ? 'server-friendly' : this.options.mode
    const coming = ({ deadline }: Want) => this.pieces.coming(segment, deadline - COMING_MARGIN_MS, now)
    const signed = this.trust.needsSignature
    const situation = { now, election, origin, peers, hopeful, swarmSize, mode, coming, signed }
    noteOrphans(want, peers, now)
    this.lead(want, situation)
    const idle = want.http === null
    const due = this.origin.consider(want, situation)
    if (idle && want.http !== null) this.originBegun(want)
    this.advance(want, now)
    if (!segment.httpOnly) {
      const late = mode === 'peer-friendly' ? lateFrom(want, now) : Number.POSITIVE_INFINITY
      if (late < Number.POSITIVE_INFINITY) {
        if (segment.manifest === null || segment.growing) this.requests.ensure(want, peers, now)
        this.origin.shareFrom(want, late)
      }
    }
    this.askPeers(want, peers, now)
    return Math.min(due ?? Number.POSITIVE_INFINITY, now + LOOK_INTERVAL_MS)
  }

  private askPeers(want: Want, peers: readonly Peer[], now: Millis): void {
    const { segment } = want
    if (!segment.httpOnly) {
      if (segment.manifest !== null)
        this.pieces.schedule(want, peers, peersHorizon(want, this.origin, now), now)
      const unknown = segment.manifest === null || this.manifests.isStuck(segment, now)
      if (unknown && want.http === null) this.requests.ensure(want, peers, now)
    }
    this.setReceiving(segment, this.pieces.isAsking(segment))
  }

  /** Fetches the share of a live segment early that the swarm has no uplink for. */
  private advance(want: Want, now: Millis): void {
    const { segment, wanted } = want
    const share = this.tally.deficitShare
    const fits = wanted.live && want.advanced === 0 && segment.manifest !== null && want.http === null
    if (!fits || share === 0 || segment.httpOnly) return
    const span = randomSpan(segment, share, this.options.random)
    if (span === null || !this.origin.loadSpan(want, span, now)) return
    want.advanced = span.end - span.start
    segment.beginAfter(span.end)
    this.originBegun(want)
  }

  /** Claims the fetch of a live segment where it is our turn, and gives way where it is not any more. */
  private lead(want: Want, situation: HttpSituation): void {
    const { segment } = want
    const stage = electionStage(want, situation)
    if (stage === 'led') want.claimedAt = null
    if (stage !== 'claim') return
    want.claimedAt = situation.now
    situation.election.leads(segment.id)
    this.events.claimed(segment.id, situation.election.place(segment.key))
  }

  private setReceiving(segment: Segment, receiving: boolean): void {
    if (segment.receiving === receiving) return
    segment.receiving = receiving
    this.events.segmentChanged(segment)
  }

  /** HTTP loads what is missing: peers are not asked for it any longer. */
  private originBegun(want: Want): void {
    const { segment, wanted } = want
    const { live, duration } = wanted
    if (live && !this.events.readyPeers().some((peer) => peer.have.offers(segment.id))) {
      this.events.leads((this.now + duration) as Millis)
    }
    this.pieces.cancel(segment, (piece) => isLoading(segment, piece))
    this.events.segmentChanged(segment)
  }

  private pieceArrived(peer: Peer, request: PieceRequest): void {
    for (const want of this.wants.of(request.segment)) {
      want.firstByteAt ??= request.firstDataAt
      want.progressAt = this.now
    }
    this.verifier.checkPiece(request.segment, request.piece, peer, request.data)
  }

  private pieceLoaded(want: Want, piece: number): void {
    const { segment } = want
    segment.fromHttp.add(piece)
    if (segment.asked.has(piece)) this.pieces.cancel(segment, (asked) => asked === piece)
    const span = segment.pieceSpan(piece)
    this.tally.count(segment, 'http', span.end - span.start)
    this.verifier.checkPiece(segment, piece, null)
    for (const other of this.wants.of(segment)) {
      other.firstByteAt ??= want.firstByteAt
      this.finishIfWhole(other)
    }
  }

  private pieceVerified(segment: Segment, piece: number, peer: Peer | null): void {
    this.blame.fits(segment, piece, peer === null, this.now)
    this.events.pieceVerified(segment, piece)
    this.events.segmentChanged(segment)
    if (peer !== null) {
      const span = segment.pieceSpan(piece)
      peer.verifiedBytes += span.end - span.start
      if (!segment.certain) this.checks.earned(span.end - span.start)
      this.tally.count(segment, peer.source, span.end - span.start)
    } else if (segment.complete && segment.manifestSource === 'own' && segment.certain) this.ownWhole(segment)
    for (const want of this.wants.of(segment)) {
      this.progress(want)
      this.finishIfWhole(want)
    }
  }

  private pieceCorrupt(segment: Segment, piece: number, peer: Peer | null, digest: Uint8Array): void {
    if (peer === null) {
      if (this.origin.pieceWrong(segment, piece, this.now)) return
      // The origin's own bytes do not fit: the manifest is not of what the origin serves.
      this.manifestWrong(segment)
      return
    }
    this.corruptPieces++
    const verdict = this.blame.corruptPiece(segment, piece, peer, digest, this.now)
    if (verdict === 'manifest-lies') this.manifestDropped(segment)
    if (verdict === 'settled') return
    // What else it was asked for is better asked of others until it is known who is wrong.
    this.pieces.withdraw(peer)
    this.checks.doubt(segment, piece)
  }

  private segmentLoaded(want: Want, bytes: Uint8Array, certain: boolean): void {
    const { segment } = want
    this.tally.count(segment, 'http', bytes.byteLength)
    if (certain) this.verifier.makeManifest(segment, bytes, want.wanted.range?.start ?? 0)
    for (const other of this.wants.of(segment)) {
      other.firstByteAt ??= want.firstByteAt
      this.finish(other, bytes)
    }
  }

  /** All of it came from the origin, and tells who lied of it. */
  private ownWhole(segment: Segment): void {
    for (const { link, manifest } of segment.contradictions) {
      if (contradicts(segment, manifest)) this.blame.distrust(link, this.now)
    }
    segment.contradictions = []
    this.lists.loaded(segment, this.now)
  }

  private manifestMade(segment: Segment): void {
    this.ownWhole(segment)
    for (const piece of segment.verified.toArray()) this.events.pieceVerified(segment, piece)
    this.events.segmentChanged(segment)
    for (const want of this.wants.of(segment)) this.finishIfWhole(want)
  }

  /** What a peer said of the segment is not what the origin serves: it is not believed for a while. */
  private manifestWrong(segment: Segment): void {
    const { manifestAuthor, manifestSource } = segment
    this.lists.wrong(segment)
    this.manifestDropped(segment)
    // Whoever passes a signed one on has not made it.
    if (manifestAuthor !== null && manifestSource !== 'trusted') this.blame.distrust(manifestAuthor, this.now)
  }

  /** What is known of the segment from peers is not to be used: only the origin counts. */
  private manifestDropped(segment: Segment): void {
    this.pieces.cancel(segment)
    for (const want of this.wants.of(segment)) this.origin.cancel(want)
    this.origin.manifestWasWrong(segment)
    this.events.manifestLost(segment)
    segment.reset()
    segment.httpOnly = true
    this.events.segmentChanged(segment)
    if (!this.wants.isWanted(segment)) this.events.segmentRevoked(segment)
  }

  /** Drops everything that was taken on the word of a peer which said what is not so. */
  private distrusted(peer: Peer): void {
    this.pieces.withdraw(peer)
    for (const segment of [...this.options.store.values()]) {
      if (segment.manifestAuthor === peer.link && !segment.certain) this.forget(segment)
    }
  }

  /** Forgets what peers said of a segment; others may say it anew. */
  private forget(segment: Segment): void {
    this.manifestDropped(segment)
    segment.httpOnly = false
    this.requests.settled(segment.key, this.events.readyPeers())
  }

  /** Another level of integrity holds: what does not count by it is forgotten. */
  setLevel(level: Integrity): void {
    if (level === this.trust.level) return
    this.trust.level = level
    this.levelChanged()
    const { needsSignature } = this.trust
    for (const segment of [...this.options.store.values()]) {
      const { manifest, manifestSource } = segment
      if (manifest === null || manifestSource === 'trusted') continue
      if (!segment.certain) {
        if (needsSignature) this.forget(segment)
      } else if (manifest.signature === null && segment.withheld !== needsSignature && !segment.external) {
        segment.withheld = needsSignature
        this.events.segmentChanged(segment)
      }
    }
  }

  private levelChanged(): void {
    this.options.election.leastSeats = this.trust.level === 'attested' ? 2 : 1
  }

  /** The tracker has compared what members loaded of a segment. */
  verdict(verdict: SegmentVerdict): void {
    this.lists.heard(verdict, this.options.store.get(segmentKey(verdict.segment)))
  }

  private signed(segment: Segment): void {
    this.events.manifestKnown(segment)
    for (const piece of segment.verified.toArray()) this.events.pieceVerified(segment, piece)
    this.events.segmentChanged(segment)
  }

  private originFailed(want: Want, error: OriginError): void {
    this.events.segmentChanged(want.segment)
    const helped = this.events.readyPeers().some((peer) => peer.offers(want.segment.id))
    // A peer that only says that it has the segment must not keep the error from the player.
    const helping = (helped && this.now - want.progressAt < HELP_MS) || this.mayBeHelped(want)
    if (helping && !want.segment.httpOnly) return
    this.end(want)
    this.options.emit({ type: 'failed', wantId: want.id, error })
  }

  /** At a live edge a neighbour may be about to have it; half of the time left is the player's. */
  private mayBeHelped({ wanted, deadline, startedAt }: Want): boolean {
    if (!wanted.live || (startedAt + deadline) / 2 <= this.now) return false
    return this.events.readyPeers().some((peer) => peer.usable(this.now))
  }

  private progress(want: Want): void {
    if (want.ahead) return
    const total = want.segment.size
    this.options.emit({ type: 'progress', wantId: want.id, loaded: loadedBytes(want), total })
  }

  private finishIfWhole(want: Want): void {
    const { segment } = want
    if (isWhole(segment) && segment.buffer !== null && this.wants.has(want.id))
      this.finish(want, segment.buffer)
  }

  private finish(want: Want, bytes: Uint8Array): void {
    if (want.ahead) return this.end(want)
    this.origin.cancel(want)
    this.end(want)
    const result = this.tally.settle(want, bytes, this.now)
    this.options.emit({ type: 'done', wantId: want.id, result })
    this.events.segmentChanged(want.segment)
  }

  private end(want: Want): void {
    this.wants.delete(want.id)
    if (this.wants.isWanted(want.segment)) return
    this.setReceiving(want.segment, false)
    this.requests.settled(want.segment.key, this.events.readyPeers())
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

import type { Data, Millis, PeerId, SegmentManifest } from '@shoal/protocol'
import type { Random } from '../ports/clock.js'
import type { ManifestTrust } from '../ports/digest.js'
import type { OriginError } from '../ports/origin.js'
import type { SwarmOptions, WantedSegment } from '../runtime/swarm-api.js'
import type { EmitEffect } from './io.js'
import { ManifestRequests } from './manifest-requests.js'
import { OriginLoads } from './origin-loads.js'
import type { Peer } from './peer.js'
import { PieceDownloads } from './piece-downloads.js'
import type { PieceRequest } from './piece-request.js'
import { TransferRate } from './rates.js'
import { Segment } from './segment.js'
import type { SegmentStore } from './segment-store.js'
import { Verifier } from './verifier.js'
import { describes, isLoading, isWhole, loadedBytes, type Want } from './want.js'

/** Corrupt pieces of one peer after which it is dropped: one may be a broken network or memory. */
const MAX_CORRUPT_PIECES = 2

/** Peers whose bytes must not fit a peer's manifest before the manifest counts as wrong. */
const MIN_WITNESSES = 2

/** Longest time between two looks at requests and deadlines while something is wanted, in milliseconds. */
const LOOK_INTERVAL_MS = 50

/** Peers that have completed no piece for this long do not make up for a failing origin, in milliseconds. */
const HELP_MS = 8_000

export interface DownloaderOptions {
  readonly swarmTag: number
  readonly self: PeerId
  readonly integrity: SwarmOptions['integrity']
  readonly random: Random
  readonly store: SegmentStore
  readonly emit: EmitEffect
}

/** What the rest of the engine hears of downloads. */
export interface DownloaderEvents {
  /** A segment's verified pieces, or whether it is being fetched, changed. */
  segmentChanged(segment: Segment): void
  pieceVerified(segment: Segment, piece: number): void
  /** The peer broke the protocol or sent corrupt pieces. */
  misbehaved(peer: Peer): void
  /** The peer does not answer. */
  unresponsive(peer: Peer): void
  /** Peers whose Hello has come. */
  readyPeers(): readonly Peer[]
  /** A connection is open whose Hello has not come yet. */
  helloAwaited(): boolean
}

/** Gets wanted segments here: from peers while the deadline allows, from the origin where not. */
export class Downloader {
  private readonly wants = new Map<number, Want>()
  private readonly pieces: PieceDownloads
  private readonly manifests: ManifestRequests
  private readonly verifier: Verifier
  private readonly options: DownloaderOptions
  private readonly events: DownloaderEvents
  readonly origin: OriginLoads
  /** Rate of segments that came from peers, over the whole transfer. */
  readonly peerRate = new TransferRate()
  readonly sources = { http: 0, peers: 0, seeders: 0 }
  readonly segments = { http: 0, peers: 0, mixed: 0 }
  corruptPieces = 0
  /** Connections may open soon. */
  hopeful = false
  /** Members of the whole swarm as the tracker counts them. */
  swarmSize: number | null = null
  /** The time of the input at hand; the engine sets it. */
  now: Millis

  constructor(options: DownloaderOptions, events: DownloaderEvents) {
    const { emit, swarmTag, random } = options
    this.options = options
    this.events = events
    this.now = 0 as Millis
    this.manifests = new ManifestRequests(swarmTag, emit)
    this.verifier = new Verifier(emit, {
      pieceVerified: (segment, piece, peer) => this.pieceVerified(segment, piece, peer),
      pieceCorrupt: (segment, piece, peer) => this.pieceCorrupt(segment, piece, peer),
      manifestMade: (segment, manifest) => this.manifestMade(segment, manifest),
      manifestChecked: (peer, segment, manifest, trust) =>
        this.manifestChecked(peer, segment, manifest, trust),
    })
    this.pieces = new PieceDownloads(swarmTag, random, emit, {
      pieceArrived: (peer, request) => this.pieceArrived(peer, request),
      violation: (peer) => events.misbehaved(peer),
    })
    this.origin = new OriginLoads(emit, {
      pieceLoaded: (want, piece) => this.pieceLoaded(want, piece),
      segmentLoaded: (want, bytes) => this.segmentLoaded(want, bytes),
      progressed: (want) => this.progress(want),
      manifestWrong: (want) => this.manifestWrong(want.segment),
      failed: (want, error) => this.originFailed(want, error),
      ended: (want) => events.segmentChanged(want.segment),
    })
  }

  get wastedBytes(): number {
    return this.pieces.wastedBytes + this.origin.wastedBytes
  }

  /** True where the segment must stay in memory. */
  pinned(segment: Segment): boolean {
    return segment.fetching || this.isWanted(segment)
  }

  want(wantId: number, wanted: WantedSegment, now: Millis): void {
    this.now = now
    const known = this.options.store.open(wanted.segment)
    // What lies outside memory is for peers: a want of our own goes by HTTP, beside it.
    const segment = known.external ? new Segment(wanted.segment) : known
    if (known.external) segment.httpOnly = true
    const want: Want = {
      id: wantId,
      wanted,
      segment,
      deadline: wanted.deadline,
      startedAt: now,
      progressAt: now,
      firstByteAt: null,
      http: null,
      httpError: null,
      httpRetryAt: 0,
      httpTries: 0,
      sourcesBefore: { ...segment.sources },
      peersSince: null,
    }
    this.wants.set(wantId, want)
    if (segment.manifest !== null && !describes(segment.manifest, wanted.range)) this.manifestWrong(segment)
    this.finishIfWhole(want)
  }

  /** The host has the segment whole and gives it now: nothing more is to be loaded. */
  published(segment: Segment, adopt: () => void): void {
    this.pieces.cancel(segment)
    for (const want of this.wantsOf(segment)) this.origin.cancel(want)
    adopt()
    for (const want of this.wantsOf(segment)) this.finishIfWhole(want)
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
    if (!this.isWanted(want.segment)) this.pieces.cancel(want.segment)
    this.events.segmentChanged(want.segment)
  }

  /** Takes a chunk. True where it completed a piece or ended the connection. */
  data(peer: Peer, message: Data, now: Millis): boolean {
    this.now = now
    return this.pieces.data(peer, message, now)
  }

  /** A manifest from a peer: looked at only where it was asked for. */
  manifest(peer: Peer, manifest: SegmentManifest, segment: Segment): void {
    if (!this.manifests.takeAnswer(peer, segment.key)) return
    if (segment.manifest !== null || segment.httpOnly) return
    this.verifier.checkManifest(peer, segment, manifest)
  }

  hashed(jobId: number, digest: Uint8Array, now: Millis): void {
    this.now = now
    this.verifier.hashed(jobId, digest)
  }

  checkedManifest(jobId: number, trust: ManifestTrust, now: Millis): void {
    this.now = now
    this.verifier.manifestChecked(jobId, trust)
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
    const byDeadline = [...this.wants.values()].sort((a, b) => a.deadline - b.deadline)
    let next = Number.POSITIVE_INFINITY
    for (const want of byDeadline) next = Math.min(next, this.pumpWant(want, peers, now))
    if (this.pieces.outstanding > 0) next = Math.min(next, now + LOOK_INTERVAL_MS)
    return next === Number.POSITIVE_INFINITY ? null : (Math.max(next, now + 1) as Millis)
  }

  private pumpWant(want: Want, peers: readonly Peer[], now: Millis): number {
    const { segment } = want
    const hopeful = this.hopeful || this.events.helloAwaited()
    const { self } = this.options
    const { swarmSize, origin } = this
    const situation = { now, self, origin, peers, hopeful, swarmSize }
    const idle = want.http === null
    const due = this.origin.consider(want, situation)
    if (idle && want.http !== null) this.originBegun(want)
    if (!segment.httpOnly) {
      if (segment.manifest !== null) this.pieces.schedule(want, peers, now)
      else if (want.http === null) this.manifests.ensure(want, peers, now)
    }
    this.setState(segment, 'receiving', this.pieces.isAsking(segment))
    const led =
      !segment.httpOnly && peers.some((peer) => peer.usable(now) && peer.have.isFetching(segment.id))
    this.setState(segment, 'expected', led)
    return Math.min(due ?? Number.POSITIVE_INFINITY, now + LOOK_INTERVAL_MS)
  }

  private setState(segment: Segment, key: 'receiving' | 'expected', value: boolean): void {
    if (segment[key] === value) return
    segment[key] = value
    this.events.segmentChanged(segment)
  }

  /** HTTP loads what is missing: peers are not asked for it any longer. */
  private originBegun(want: Want): void {
    const { segment } = want
    this.pieces.cancel(segment, (piece) => isLoading(segment, piece))
    this.events.segmentChanged(segment)
  }

  private pieceArrived(peer: Peer, request: PieceRequest): void {
    for (const want of this.wantsOf(request.segment)) {
      want.firstByteAt ??= request.firstDataAt
      want.progressAt = this.now
    }
    this.verifier.checkPiece(request.segment, request.piece, peer, request.data)
  }

  private pieceLoaded(want: Want, piece: number): void {
    const { segment } = want
    segment.fromHttp.add(piece)
    const span = segment.pieceSpan(piece)
    this.count(segment, 'http', span.end - span.start)
    this.verifier.checkPiece(segment, piece, null)
    for (const other of this.wantsOf(segment)) {
      other.firstByteAt ??= want.firstByteAt
      this.finishIfWhole(other)
    }
  }

  private pieceVerified(segment: Segment, piece: number, peer: Peer | null): void {
    this.convict(segment, piece)
    this.events.pieceVerified(segment, piece)
    this.events.segmentChanged(segment)
    if (peer !== null) {
      const span = segment.pieceSpan(piece)
      this.count(segment, peer.source, span.end - span.start)
    }
    for (const want of this.wantsOf(segment)) {
      this.progress(want)
      this.finishIfWhole(want)
    }
  }

  private pieceCorrupt(segment: Segment, piece: number, peer: Peer | null): void {
    if (peer === null) {
      // The origin's own bytes do not fit: the manifest is not of what the origin serves.
      this.manifestWrong(segment)
      return
    }
    this.corruptPieces++
    const accused = segment.accuse(piece, peer.link)
    const signed = segment.manifestSource === 'trusted' || segment.manifestSource === 'own'
    if (signed || segment.manifestAuthor === peer.link) this.convict(segment, piece)
    // Peers that know nothing of each other sent what does not fit: the manifest lies, not they.
    else if (accused >= MIN_WITNESSES) this.manifestWrong(segment)
  }

  /** The manifest of a piece holds: whoever sent other bytes for it sent corrupt ones. */
  private convict(segment: Segment, piece: number): void {
    const links = segment.convict(piece)
    if (links.length === 0) return
    for (const peer of this.events.readyPeers()) {
      if (!links.includes(peer.link)) continue
      peer.corrupt++
      if (peer.corrupt >= MAX_CORRUPT_PIECES) this.events.misbehaved(peer)
    }
  }

  private manifestChecked(
    peer: Peer,
    segment: Segment,
    manifest: SegmentManifest,
    trust: ManifestTrust,
  ): void {
    if (segment.manifest !== null || segment.httpOnly || segment.fetching) return
    const wants = this.wantsOf(segment)
    const trusted = this.options.integrity === 'open' || trust === 'trusted'
    if (!trusted || !wants.every((want) => describes(manifest, want.wanted.range))) {
      // Not a manifest of what is wanted here: to us, this peer does not hold the segment.
      peer.have.forget(segment.id)
      this.manifests.refused(segment.key)
      return
    }
    this.manifests.settled(segment.key, this.events.readyPeers())
    if (wants.length > 0) segment.adopt(manifest, trust, peer.link)
  }

  private segmentLoaded(want: Want, bytes: Uint8Array): void {
    const { segment } = want
    this.count(segment, 'http', bytes.byteLength)
    this.verifier.makeManifest(segment, bytes, want.wanted.range?.start ?? 0)
    for (const other of this.wantsOf(segment)) {
      other.firstByteAt ??= want.firstByteAt
      this.finish(other, bytes)
    }
  }

  private manifestMade(segment: Segment, manifest: SegmentManifest): void {
    if (segment.manifest !== null || segment.buffer?.byteLength !== manifest.size) return
    this.manifests.settled(segment.key, this.events.readyPeers())
    segment.adopt(manifest, 'own')
    for (let piece = 0; piece < segment.pieceCount; piece++) {
      segment.verified.add(piece)
      this.events.pieceVerified(segment, piece)
    }
    this.events.segmentChanged(segment)
    for (const want of this.wantsOf(segment)) this.finishIfWhole(want)
  }

  /** What peers said of the segment is not what the origin serves: only the origin counts. */
  private manifestWrong(segment: Segment): void {
    this.pieces.cancel(segment)
    for (const want of this.wantsOf(segment)) this.origin.cancel(want)
    const author = this.events.readyPeers().find((peer) => peer.link === segment.manifestAuthor)
    if (author !== undefined && ++author.corrupt >= MAX_CORRUPT_PIECES) this.events.misbehaved(author)
    segment.reset()
    segment.httpOnly = true
    this.events.segmentChanged(segment)
  }

  private originFailed(want: Want, error: OriginError): void {
    this.events.segmentChanged(want.segment)
    const helped = this.events.readyPeers().some((peer) => peer.offers(want.segment.id))
    // A peer that only says that it has the segment must not keep the error from the player.
    const helping = helped && this.now - want.progressAt < HELP_MS
    if (helping && !want.segment.httpOnly) return
    this.end(want)
    this.options.emit({ type: 'failed', wantId: want.id, error })
  }

  private progress(want: Want): void {
    const total = want.segment.size
    this.options.emit({ type: 'progress', wantId: want.id, loaded: loadedBytes(want), total })
  }

  private finishIfWhole(want: Want): void {
    const { segment } = want
    if (isWhole(segment) && segment.buffer !== null && this.wants.has(want.id))
      this.finish(want, segment.buffer)
  }

  private finish(want: Want, bytes: Uint8Array): void {
    const { segment, sourcesBefore, startedAt } = want
    this.origin.cancel(want)
    this.end(want)
    const sources = {
      http: segment.sources.http - sourcesBefore.http,
      peers: segment.sources.peers - sourcesBefore.peers,
      seeders: segment.sources.seeders - sourcesBefore.seeders,
    }
    const fromPeers = sources.peers + sources.seeders
    if (want.peersSince !== null && fromPeers > 0) {
      this.peerRate.sample(fromPeers, (this.now - want.peersSince) as Millis)
    }
    if (fromPeers > 0 && sources.http > 0) this.segments.mixed++
    else if (fromPeers > 0) this.segments.peers++
    else if (sources.http > 0) this.segments.http++
    const firstByteAt = want.firstByteAt ?? startedAt
    const result = { bytes, sources, startedAt, firstByteAt, finishedAt: this.now }
    this.options.emit({ type: 'done', wantId: want.id, result })
    this.events.segmentChanged(segment)
  }

  private end(want: Want): void {
    this.wants.delete(want.id)
    if (this.isWanted(want.segment)) return
    this.setState(want.segment, 'receiving', false)
    this.setState(want.segment, 'expected', false)
    this.manifests.settled(want.segment.key, this.events.readyPeers())
  }

  private count(segment: Segment, source: 'http' | 'peers' | 'seeders', bytes: number): void {
    segment.sources[source] += bytes
    this.sources[source] += bytes
  }

  private wantsOf(segment: Segment): Want[] {
    return [...this.wants.values()].filter((want) => want.segment === segment)
  }

  isWanted(segment: Segment): boolean {
    return this.wantsOf(segment).length > 0
  }
}

import {
  DecodeError,
  decodeMessage,
  encodeMessage,
  type GoodbyeReason,
  type Have,
  type HaveClaim,
  type Hello,
  type MatchingHints,
  type Millis,
  NOT_SERVING_BACKLOG_MS,
  type PeerMessage,
  PROTOCOL_VERSION,
  type SegmentId,
  type SegmentManifest,
  segmentKey,
} from '@shoal/protocol'
import type { Random } from '../ports/clock.js'
import type { SwarmOptions } from '../runtime/swarm-api.js'
import { Admission } from './admission.js'
import { Downloader } from './downloader.js'
import { Election } from './election.js'
import { type EngineSnapshot, hintsOf, snapshotOf } from './engine-snapshot.js'
import { HaveAnnouncer } from './have-announcer.js'
import { HostSegments } from './host-segments.js'
import type { Effect, Input, LinkId } from './io.js'
import { ManifestReplies } from './manifest-replies.js'
import { Neighbours } from './neighbours.js'
import { Peer } from './peer.js'
import type { Segment } from './segment.js'
import { SegmentStore } from './segment-store.js'
import { UploadPolicy } from './upload-policy.js'
import { Uploader } from './uploader.js'

/** What the engine needs to know of its swarm. */
export type EngineOptions = Pick<
  SwarmOptions,
  | 'swarmId'
  | 'peerId'
  | 'role'
  | 'uploads'
  | 'memoryBytes'
  | 'uploadBytesPerSecond'
  | 'uploadBytesPerSession'
  | 'integrity'
  | 'mode'
  | 'maxLinks'
>

/** A peer that says nothing for this long after the channels opened is let go, in milliseconds. */
const HELLO_TIMEOUT_MS = 10_000

/** Bytes that a peer may send in vain, beside half of all that it sends. */
const MAX_WASTE_BYTES = 1024 * 1024

/** Time between looks at what is not urgent (summaries, silent peers), in milliseconds. */
const IDLE_LOOK_MS = 1_000

/**
 * One member of one swarm, without I/O: inputs in, effects out, time and chance handed in.
 *
 * Effects are to be carried out in order; answers to them come back as inputs.
 */
export class Engine {
  private readonly options: EngineOptions
  private readonly store: SegmentStore
  private readonly peers = new Map<LinkId, Peer>()
  private ready: readonly Peer[] | null = null
  private readonly uploads: UploadPolicy
  private readonly uploader: Uploader
  /** What the peers were last told of our uploads. */
  private servingTold: boolean
  private readonly announcer: HaveAnnouncer
  private readonly manifests: ManifestReplies
  private readonly downloader: Downloader
  private readonly election: Election
  private readonly neighbours: Neighbours
  private readonly admission: Admission
  private readonly hostSegments: HostSegments
  private effects: Effect[] = []
  /** The input at hand made room in a channel: only what is served may go on. */
  private uploadOnly = false
  /** When downloads want to be looked at again, as of the last look. */
  private lookAt: Millis | null = null
  /** The input at hand gives no reason to look at downloads before it is time. */
  private calm = false
  /** The input at hand changed nothing that a decision depends on. */
  private quiet = false
  private now = 0 as Millis

  constructor(options: EngineOptions, random: Random) {
    const emit = (effect: Effect): void => {
      this.effects.push(effect)
    }
    const swarmTag = options.swarmId.tag
    this.options = options
    this.election = new Election(options.peerId)
    this.store = new SegmentStore(options.memoryBytes)
    this.uploads = new UploadPolicy({
      uploads: options.uploads,
      bytesPerSecond: options.uploadBytesPerSecond,
      bytesPerSession: options.uploadBytesPerSession ?? Number.POSITIVE_INFINITY,
    })
    this.uploader = new Uploader(this.store, swarmTag, this.uploads, emit)
    this.servingTold = this.uploader.state === 'on'
    this.announcer = new HaveAnnouncer(this.store, swarmTag, () => this.uploader.backlogMs, emit)
    this.manifests = new ManifestReplies(this.store, swarmTag, emit)
    this.downloader = new Downloader(
      {
        swarmId: options.swarmId,
        election: this.election,
        integrity: options.integrity,
        mode: options.mode ?? 'server-friendly',
        random,
        store: this.store,
        emit,
      },
      {
        segmentChanged: (segment) => this.announcer.segmentChanged(segment, this.now),
        claimed: (segment, place) => this.sayClaim({ kind: 'claim', segment, place }, null),
        pieceVerified: (segment, piece) => this.uploader.pieceReady(segment, piece),
        manifestKnown: (segment) => this.manifestKnown(segment),
        manifestLost: (segment) => this.manifests.forget(segment, this.readyPeers()),
        segmentRevoked: (segment) => this.revoke(segment),
        misbehaved: (peer) => this.ban(peer),
        corrupted: (peer) => this.banPolluter(peer),
        unresponsive: (peer) => this.closePeer(peer, 'leaving'),
        leads: (until) => {
          this.uploads.leadsUntil = until
        },
        readyPeers: () => this.readyPeers(),
        helloAwaited: () => this.peers.size > this.readyPeers().length,
      },
    )
    this.neighbours = new Neighbours(options, random, {
      silent: (peer) => this.closePeer(peer, 'leaving'),
      replaced: (peer) => this.closePeer(peer, 'full'),
      replacing: (wanted) => emit({ type: 'replace-neighbour', wanted }),
      isServed: (peer) => this.uploader.isServing(peer.link),
    })
    this.admission = new Admission(options, this.neighbours)
    this.hostSegments = new HostSegments({
      store: this.store,
      downloader: this.downloader,
      uploader: this.uploader,
      announcer: this.announcer,
      manifestKnown: (segment) => this.manifestKnown(segment),
    })
  }

  /**
   * Bytes in a lossy channel's send buffer, as the input `link-buffered` tells. False where that input
   * must be handed in, since something follows from it: mostly nothing does, and there are very many.
   *
   * @param looking a tick follows, which looks at all channels at once
   */
  noteBuffered(link: LinkId, bytes: number, looking: boolean): boolean {
    const peer = this.peers.get(link)
    if (peer === undefined) return true
    if (!looking && bytes < peer.lossyBuffered && this.uploader.waiting) return false
    peer.lossyBuffered = bytes
    return true
  }

  /** Takes one input; the result is what must be done now. */
  handle(input: Input): readonly Effect[] {
    this.now = input.now
    this.downloader.now = input.now
    this.effects = []
    this.calm = input.type === 'tick'
    this.take(input)
    // Most inputs are chunks in the middle of a piece: they change nothing that is decided here.
    if (this.uploadOnly) this.wake(this.pumpUploads())
    else if (!this.quiet) this.pump()
    this.quiet = false
    this.uploadOnly = false
    return this.effects
  }

  private take(input: Input): void {
    const { now } = input
    switch (input.type) {
      case 'tick':
        return
      case 'link-open':
        return this.linkOpen(input)
      case 'link-closed':
        return this.linkClosed(input.link, true)
      case 'message':
        return this.message(input.link, input.channel, input.bytes)
      case 'link-buffered': {
        const peer = this.peers.get(input.link)
        // Room in a channel concerns what waits to be served, and nothing that is asked for.
        const freed = peer !== undefined && input.bytes < peer.lossyBuffered
        if (peer !== undefined) peer.lossyBuffered = input.bytes
        this.uploadOnly = freed && this.uploader.waiting
        this.quiet = !this.uploadOnly
        return
      }
      case 'round-trip':
        if (this.peers.has(input.link)) this.uploads.scavenging.roundTrip(input.link, input.rtt, now)
        this.uploadOnly = true
        return
      case 'uploads':
        this.uploads.wish = input.state
        return
      case 'connecting':
        this.downloader.hopeful = input.hopeful
        return
      case 'spare-origin':
        this.downloader.originSpared = input.spared
        return
      case 'swarm-size':
        // The last count is better than none for who leads; without a tracker nobody is replaced.
        if (input.members !== null) {
          this.downloader.swarmSize = input.members
          this.election.swarmSize = input.members
          this.downloader.checks.swarmSize = input.members
        }
        this.neighbours.swarmSize = input.members
        return
      case 'integrity':
        return this.downloader.setLevel(input.level)
      case 'verdict':
        return this.downloader.verdict(input.verdict)
      case 'want':
        this.downloader.want(input.wantId, input.wanted, now)
        return this.hostSegments.dropOldParts(input.wanted.segment, now)
      case 'deadline':
        return this.downloader.setDeadline(input.wantId, input.deadline)
      case 'unwant':
        return this.downloader.unwant(input.wantId)
      case 'publish':
        return this.hostSegments.publish(input.manifest, input.bytes, now)
      case 'announce-fetching':
        return this.hostSegments.announceFetching(input.segment, now)
      case 'drop':
        return this.hostSegments.drop(input.segment, now)
      case 'http-response':
        return this.downloader.origin.response(input.fetchId, input.total, now)
      case 'http-data':
        this.calm = true
        if (input.fetchId < 0)
          return this.downloader.checkLoads.data(input.fetchId, input.offset, input.bytes, now)
        return this.downloader.origin.data(input.fetchId, input.offset, input.bytes, now)
      case 'http-done':
        if (input.fetchId < 0)
          return this.downloader.checkLoads.done(input.fetchId, now, input.doubtful === true)
        return this.downloader.origin.done(input.fetchId, now, input.doubtful)
      case 'http-error':
        if (input.fetchId < 0) return this.downloader.checkLoads.error(input.fetchId, input.error, now)
        return this.downloader.origin.error(input.fetchId, input.error, now)
      case 'hashed':
        return this.hashed(input.jobId, input.digest)
      case 'manifest-found':
        return this.downloader.foundManifest(input.manifest)
      case 'manifest-checked':
        return this.downloader.checkedManifest(input.jobId, input.trust, now)
      case 'piece-read':
        return this.uploader.pieceRead(input.jobId, input.bytes)
    }
  }

  private hashed(jobId: number, digest: Uint8Array): void {
    const { corruptPieces, wanted } = this.downloader
    this.downloader.hashed(jobId, digest, this.now)
    this.calm = this.downloader.corruptPieces === corruptPieces && this.downloader.wanted === wanted
  }

  private pump(): void {
    const now = this.now
    const awaited = this.peers.size > this.readyPeers().length
    for (const peer of awaited ? [...this.peers.values()] : []) {
      if (peer.identity === null && now - peer.openedAt >= HELLO_TIMEOUT_MS) this.closePeer(peer, 'violation')
    }
    this.neighbours.look(this.readyPeers(), now)
    // Most ticks are for what is served, and most hashes confirm what was counted on: downloads have a
    // time of their own.
    const early = this.calm && this.lookAt !== null && now < this.lookAt
    if (!early) this.lookAt = this.downloader.pump(now)
    const upload = this.pumpUploads()
    this.announcer.pump(this.readyPeers(), now)
    for (const segment of this.store.evict((candidate) => this.downloader.pinned(candidate))) {
      this.announcer.segmentDropped(segment, now)
    }
    this.wake(upload)
  }

  /** Serves; where that begins, pauses or ends, those who might ask are told at once. */
  private pumpUploads(): Millis | null {
    const again = this.uploader.pump(this.now)
    const serving = this.uploader.state === 'on'
    if (serving !== this.servingTold) {
      this.servingTold = serving
      this.announcer.tellUploads(this.readyPeers())
    }
    return again
  }

  private wake(upload: Millis | null): void {
    const { lookAt, now } = this
    const idle = this.peers.size > 0 ? now + IDLE_LOOK_MS : Number.POSITIVE_INFINITY
    const next = Math.min(idle, lookAt ?? idle, upload ?? idle, this.announcer.nextAt ?? idle)
    if (next < Number.POSITIVE_INFINITY) this.effects.push({ type: 'wake-at', at: next as Millis })
  }

  /** Peers whose Hello has come; the list stays as it is while they come and go. */
  private readyPeers(): readonly Peer[] {
    this.ready ??= [...this.peers.values()].filter((peer) => peer.identity !== null)
    return this.ready
  }

  private linkOpen({ link, initiator, remote, introduction }: Extract<Input, { type: 'link-open' }>): void {
    const peer = new Peer(link, initiator, this.now)
    peer.signalledId = remote ?? null
    peer.introduced(introduction ?? null)
    this.peers.set(link, peer)
    const { swarmId, peerId, role } = this.options
    this.sendControl(peer, {
      type: 'hello',
      swarmTag: swarmId.tag,
      version: PROTOCOL_VERSION,
      peerId,
      swarmId: swarmId.bytes,
      role,
      uploads: this.servingTold,
    })
  }

  /** @param left the peer has left the swarm, as far as can be told */
  private linkClosed(link: LinkId, left: boolean): void {
    const peer = this.peers.get(link)
    if (peer === undefined) return
    if (left && peer.identity !== null) this.election.gone(peer.identity.peerId)
    this.peers.delete(link)
    this.ready = null
    this.downloader.closeLink(peer)
    this.uploader.closeLink(link)
    this.uploads.scavenging.closeLink(link)
    this.neighbours.forget(peer)
  }

  /** Ends a connection from our side. */
  private closePeer(peer: Peer, reason: GoodbyeReason): void {
    this.sendControl(peer, { type: 'goodbye', swarmTag: this.options.swarmId.tag, reason })
    this.effects.push({ type: 'close-link', link: peer.link, reason })
    this.linkClosed(peer.link, reason === 'leaving')
  }

  private ban(peer: Peer): void {
    const peerId = peer.identity?.peerId
    if (peerId !== undefined) this.admission.ban(peerId, this.now)
    this.closePeer(peer, 'violation')
  }

  private banPolluter(peer: Peer): void {
    if (peer.identity !== null) this.effects.push({ type: 'accuse', peer: peer.identity.peerId })
    this.ban(peer)
  }

  private sendControl(peer: Peer, message: PeerMessage): void {
    this.effects.push({ type: 'send', link: peer.link, channel: 'control', bytes: encodeMessage(message) })
  }

  private message(link: LinkId, channel: 'lossy' | 'control', bytes: Uint8Array): void {
    const peer = this.peers.get(link)
    if (peer === undefined) return
    peer.heardAt = this.now
    let message: PeerMessage
    try {
      message = decodeMessage(bytes, channel)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.ban(peer)
      return
    }
    if (message.swarmTag !== this.options.swarmId.tag) return this.ban(peer)
    if (message.type === 'hello') return this.hello(peer, message)
    if (peer.identity === null) {
      // The lossy channel may overtake the Hello; control cannot.
      if (channel === 'control') this.ban(peer)
      return
    }
    this.peerMessage(peer, message)
  }

  private hello(peer: Peer, hello: Hello): void {
    const { refused, closes } = this.admission.judge(peer, hello, this.readyPeers(), this.now)
    for (const loser of closes) this.closePeer(loser, 'duplicate-connection')
    if (refused === 'ban') return this.ban(peer)
    if (refused !== null) return this.closePeer(peer, refused)
    peer.identity = { peerId: hello.peerId, role: hello.role, uploads: hello.uploads }
    this.ready = null
    this.downloader.blame.recall(peer)
    this.announcer.summary(peer, this.now)
  }

  private peerMessage(peer: Peer, message: Exclude<PeerMessage, Hello>): void {
    switch (message.type) {
      case 'goodbye':
        this.effects.push({ type: 'close-link', link: peer.link, reason: message.reason })
        return this.linkClosed(peer.link, message.reason === 'leaving')
      case 'manifest-request':
        this.quiet = true
        if (this.uploader.state !== 'off') this.manifests.request(peer, message.segment)
        return
      case 'manifest': {
        if (this.downloader.blame.explained(peer, message.manifest, this.now)) return
        const segment = this.store.get(segmentKey(message.manifest.segment))
        if (segment !== undefined) this.downloader.manifest(peer, message.manifest, segment)
        return
      }
      case 'hashes': {
        const segment = this.store.get(segmentKey(message.segment))
        if (segment !== undefined) this.downloader.hashes(peer, message.first, message.hashes, segment)
        return
      }
      case 'have':
        // Most are about what nobody here waits for.
        this.quiet = true
        if (!peer.haveBudget.take(1, this.now)) return
        this.quiet = !this.have(peer, message) && !this.downloader.concerns(message)
        return
      case 'request':
        this.uploadOnly = true
        this.uploader.request(peer, message, this.now)
        this.announcer.tellBacklog(peer, this.now)
        return
      case 'cancel':
        this.uploadOnly = true
        return this.uploader.cancel(peer.link, message.requestIds)
      case 'data':
        this.quiet = !this.downloader.data(peer, message, this.now)
        // Late answers are normal; a stream of what nobody asked for is not.
        if (peer.wastedBytes > MAX_WASTE_BYTES + peer.receivedBytes / 2) this.ban(peer)
        return
    }
  }

  /** What a peer says of its queue says as well whether it serves at all. True where that changed. */
  private backlogTold(peer: Peer): boolean {
    peer.backlogToldAt = this.now
    const uploads = peer.have.backlogMs !== NOT_SERVING_BACKLOG_MS
    if (peer.identity === null || peer.identity.uploads === uploads) return false
    peer.identity = { ...peer.identity, uploads }
    if (!uploads) this.downloader.withdraw(peer)
    return true
  }

  /** True where the peer began or ceased to serve. */
  private have(peer: Peer, message: Have): boolean {
    const changed = peer.have.apply(message) && this.backlogTold(peer)
    for (const entry of message.entries) {
      if (entry.kind !== 'claim') continue
      if (this.election.heard(entry.segment, entry.place, this.now)) this.sayClaim(entry, peer)
    }
    return changed
  }

  private sayClaim(claim: HaveClaim, from: Peer | null): void {
    this.announcer.claim(this.readyPeers(), claim, from)
  }

  /** What is held of it is gone, here and for those who were told. */
  private revoke(segment: Segment): void {
    if (this.store.get(segment.key) !== segment) return
    this.store.delete(segment.key)
    this.announcer.segmentDropped(segment, this.now)
  }

  private manifestKnown(segment: Segment): void {
    if (this.uploader.state !== 'off') this.manifests.known(segment, this.readyPeers())
  }

  /** Says Goodbye to everyone; the result is the last that is to be done. */
  close(now: Millis): readonly Effect[] {
    this.now = now
    this.effects = []
    for (const peer of [...this.peers.values()]) this.closePeer(peer, 'leaving')
    return this.effects
  }

  /** Counters and state; see `SwarmSnapshot`. */
  snapshot(): EngineSnapshot {
    return snapshotOf(this.downloader, this.uploader, this.store, this.readyPeers(), this.now)
  }

  /** The manifest of a segment, with all its hashes, as far as the options trust it; or null. */
  manifest(id: SegmentId): SegmentManifest | null {
    const segment = this.store.get(segmentKey(id))
    return segment === undefined || segment.growing ? null : segment.manifest
  }

  /** What helps the tracker to find neighbours for us. */
  hints(): MatchingHints {
    return hintsOf(this.uploader)
  }
}

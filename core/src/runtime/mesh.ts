import type {
  ChannelKind,
  Introduction,
  MatchingHints,
  PeerId,
  PeerReport,
  SegmentId,
  TrackerMessage,
} from '@shoal/protocol'
import type { LinkId } from '../engine/io.js'
import { lowWaterOf } from '../engine/neighbours.js'
import type { SegmentVerdict } from '../engine/reported-lists.js'
import type { Clock, Random } from '../ports/clock.js'
import type { DialMemory } from '../ports/dial-memory.js'
import type { CryptoPort } from '../ports/digest.js'
import type { Door, DoorPorts } from '../ports/door.js'
import type { LinkCloseReason, PeerLink, PeerLinkEvents, PeerLinkFactory } from '../ports/link.js'
import type { OpenTrackerSocket } from '../ports/socket.js'
import { AvoidedPeers } from './avoided-peers.js'
import { JoinToken } from './join-token.js'
import { MAX_OFFERS, MeshAnnounces } from './mesh-announces.js'
import { MeshDials } from './mesh-dials.js'
import { MeshGate } from './mesh-gate.js'
import { MeshHope } from './mesh-hope.js'
import { type MeshLink, MeshLinks } from './mesh-links.js'
import { MeshSignalling } from './mesh-signalling.js'
import type { Degradation, Integrity, SwarmOptions } from './swarm-api.js'
import { TrackerClient } from './tracker-client.js'
import { TrackerTrust } from './tracker-trust.js'

/** Failed connections, with none that worked, from which connecting itself must be impossible. */
const HOPELESS_FAILURES = 2

/**
 * Offers for each connection that is missing: some reach who is a neighbour already, has no room or cannot
 * be reached. One too many is no harm, since the low water is not the most.
 */
const OFFERS_PER_LINK = 2

/** Offers of others that wait until connections may be made: no more than one may have. */
const MAX_WAITING = 32

/** Offers for a neighbour to replace another: trackers hand the first one to a seeder, if there is one. */
const REPLACEMENT_OFFERS = 2

export interface MeshPorts {
  readonly clock: Clock
  readonly random: Random
  readonly links: PeerLinkFactory | null
  readonly openSocket: OpenTrackerSocket
  readonly quiet?: Promise<void>
  readonly crypto: CryptoPort
  readonly dialMemory?: DialMemory
  readonly door?: (ports: DoorPorts) => Door
}

export interface MeshEvents {
  /** `remote`: the peer that the tracker or a dial named; `introduction`: what it told of it. */
  linkOpen(id: LinkId, initiator: boolean, remote: PeerId | null, introduction: Introduction | null): void
  linkMessage(id: LinkId, channel: ChannelKind, bytes: Uint8Array): void
  linkDrained(id: LinkId): void
  linkClosed(id: LinkId): void
  /** The tracker's word changes which manifests count; see `TrackerTrust`. */
  level(level: Integrity): void
  verdict(verdict: SegmentVerdict): void
  /** Members of the swarm, ourselves included, as the tracker counts them; null where it does not answer. */
  swarmSize(members: number | null): void
  /** Connections may open soon, or no longer. */
  hope(hopeful: boolean): void
  report(): PeerReport
  /** What the engine knows that helps the tracker to match. */
  hints(): MatchingHints
}

/** Finds peers through a tracker, seeders by their addresses too, and keeps connections to them. */
export class Mesh {
  private readonly options: SwarmOptions
  private readonly clock: Clock
  /** What waits until connections may be made; null once they may. */
  private waiting: (() => void)[] | null
  private readonly events: MeshEvents
  private readonly tracker: TrackerClient
  private readonly links: MeshLinks
  private readonly announces: MeshAnnounces
  private readonly dials: MeshDials
  private readonly token: JoinToken
  private readonly gate: MeshGate
  private readonly signalling: MeshSignalling
  private readonly hope: MeshHope
  private readonly trust: TrackerTrust
  private readonly avoided = new AvoidedPeers()
  /** Peers that the tracker counted at the last announce, ourselves included; null before it. */
  private swarmSize: number | null = null
  /** Playlists at seeders, as the tracker last told. */
  seederUrls: readonly string[] = []
  /** Why the tracker refuses us, as its code; null where it does not. */
  refusal: string | null = null
  /** One more neighbour is wanted than there is room for: it takes another's place. */
  private replacing = false
  /** Connections that failed to open, and that opened. */
  private failed = 0
  private opens = 0
  private closed = false

  constructor(options: SwarmOptions, ports: MeshPorts, events: MeshEvents) {
    const { clock, random, crypto } = ports
    this.trust = new TrackerTrust(options, crypto, events)
    this.options = options
    this.clock = clock
    this.waiting = ports.quiet === undefined ? null : []
    void ports.quiet?.then(() => this.calm())
    this.events = events
    this.tracker = new TrackerClient(options.trackers, ports, {
      onUp: () => this.trackerUp(),
      onDown: () => this.trackerDown(),
      onMessage: (message) => this.trackerMessage(message),
    })
    const send: TrackerClient['send'] = (message) => this.tracker.send(message)
    this.links = new MeshLinks(ports.links, clock, {
      signal: (entry, signal) => {
        this.signalling.localSignal(entry, signal)
        this.announces.offerChanged()
      },
      open: (entry) => this.opened(entry),
      message: (id, channel, bytes) => this.gate.message(id, channel, bytes),
      drained: (id) => events.linkDrained(id),
      ended: (entry, reason) => this.ended(entry, reason),
    })
    this.token = new JoinToken(options.token, clock)
    this.gate = new MeshGate(options.swarmId.tag, ports, this.token, events, {
      send: (id, bytes) => void this.link(id)?.send('control', bytes),
      avoid: (id) => this.avoid(id),
      close: (id) => this.closeLink(id),
    })
    this.announces = new MeshAnnounces(options, {
      clock,
      random,
      links: this.links,
      token: this.token,
      send,
      offersWanted: () => this.offersWanted(),
      welcome: (peer) => !this.links.courts(peer) && !this.avoided.has(peer, clock.now()),
      whenCalm: (call) => this.whenCalm(call),
      report: () => events.report(),
      hints: () => this.hints(),
      trust: this.trust,
    })
    this.dials = new MeshDials({
      clock,
      random,
      links: this.links,
      memory: ports.dialMemory ?? null,
      self: options.peerId,
      welcome: (peer) => this.hasRoom && !this.avoided.has(peer, clock.now()),
      dialling: () => this.hope.update(),
    })
    this.signalling = new MeshSignalling(options, clock, this.links, send)
    this.hope = new MeshHope(
      clock,
      this.links,
      () => this.mayHear(),
      (hopeful) => events.hope(hopeful),
    )
  }

  start(): void {
    if (this.options.role === 'viewer') this.dials.know(this.options.seeders ?? [])
    this.whenCalm(() => this.dials.start())
    this.tracker.start()
    this.hope.update()
  }

  get trackerState(): TrackerClient['state'] {
    return this.tracker.state
  }

  /** Why there are no connections, or null where there are. */
  get degraded(): Degradation | null {
    if (this.links.openCount > 0) return null
    if (!this.links.possible) return 'no-webrtc'
    if (this.gate.fault !== null) return 'refused'
    if (this.tracker.state === 'none') return this.dials.any ? 'no-peers' : 'no-tracker'
    if (this.tracker.state === 'unreachable') return 'tracker-unreachable'
    if (this.refusal !== null) return 'refused'
    return this.failed >= HOPELESS_FAILURES && this.opens === 0 ? 'links-fail' : 'no-peers'
  }

  link(id: LinkId): PeerLink | null {
    return this.links.get(id)?.link ?? null
  }

  closeLink(id: LinkId): void {
    const entry = this.links.get(id)
    if (entry === null) return
    this.links.close(entry)
    this.gate.closed(id)
    this.dials.ended(entry)
    this.hope.update()
  }

  /** A peer has connected by itself; see `Swarm.accept`. */
  accept(remote: PeerId, make: (events: PeerLinkEvents) => PeerLink): boolean {
    if (this.closed || !this.hasRoom || this.avoided.has(remote, this.clock.now())) return false
    if (this.links.reaches(remote)) return false
    this.links.accept(remote, make)
    this.hope.update()
    return true
  }

  /** Why we were not let in, as a code; null where we were. */
  get lastRefusal(): string | null {
    return this.refusal ?? this.gate.fault
  }

  /** The peer at the other end is not connected to again for a while. */
  avoid(id: LinkId): void {
    const remote = this.links.get(id)?.remote ?? null
    if (remote !== null) this.avoided.add(remote, this.clock.now())
  }

  /** The tracker is told that this peer sent corrupt data. */
  accuse(peer: PeerId): void {
    this.announces.accuse(peer)
  }

  /** The tracker is told what we loaded of a segment, or found wrong. */
  report(segment: SegmentId, digest: string, wrong: boolean): void {
    this.trust.report(segment, digest, wrong)
    if (wrong || this.options.integrity === 'attested') this.announces.hurry()
  }

  /** Whether a new neighbour is to be found that takes another's place. */
  setReplacing(replacing: boolean): void {
    this.replacing = replacing
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.hope.close()
    this.dials.close()
    this.announces.stop()
    this.tracker.close()
    for (const entry of this.links.all) this.links.close(entry)
  }

  /** Connections may be made from now on. */
  private calm(): void {
    const waiting = this.waiting ?? []
    this.waiting = null
    if (this.closed) return
    for (const call of waiting) call()
    this.hope.renew()
  }

  private whenCalm(call: () => void): void {
    if (this.waiting === null) call()
    else if (this.waiting.length < MAX_WAITING) this.waiting.push(call)
  }

  private trackerUp(): void {
    this.swarmSize = null
    this.refusal = null
    this.hope.renew()
    this.announces.begin()
  }

  private trackerDown(): void {
    this.announces.pause()
    this.events.swarmSize(null)
    this.hope.update()
  }

  private offersWanted(): number {
    // An offer reaches nobody where we are connected to everyone; before the first reply it may.
    const strangers = this.swarmSize === null ? MAX_OFFERS : this.swarmSize - 1 - this.links.openCount
    const missing = lowWaterOf(this.options.maxLinks) - this.links.boundCount
    return Math.min(strangers, Math.max(missing * OFFERS_PER_LINK, this.replacing ? REPLACEMENT_OFFERS : 0))
  }

  /** Room for one more connection; the engine decides for good once it knows who is at the other end. */
  private get hasRoom(): boolean {
    return this.links.boundCount < this.options.maxLinks + (this.replacing ? 1 : 0)
  }

  private trackerMessage(message: TrackerMessage): void {
    if (this.closed) return
    if (message.type === 'failure') return this.refused(message)
    if (message.infoHash !== this.options.swarmId.infoHash) return
    switch (message.type) {
      case 'reply':
        this.refusal = null
        this.announces.accepted()
        this.seederUrls = message.seederUrls
        this.trust.reply(message.keys, message.attestor)
        if (this.options.role === 'viewer') this.whenCalm(() => this.dials.told(message.dials))
        this.swarmSize = message.complete + message.incomplete
        this.events.swarmSize(this.swarmSize)
        this.announces.setInterval(
          Math.min(message.reportInterval ?? message.interval, message.interval) * 1000,
        )
        this.announces.replied(message.introduced)
        break
      case 'verdicts':
        return this.trust.verdicts(message.verdicts)
      case 'offer':
        this.whenCalm(() => this.offered(message))
        break
      case 'answer':
        this.answered(message)
        break
      case 'candidates':
        this.signalling.remoteCandidates(message.from, message.offerId, message.candidates)
        break
    }
    this.hope.update()
  }

  private refused({ infoHash, code }: Extract<TrackerMessage, { type: 'failure' }>): void {
    // Without a swarm's name it is about this socket. Our own mistakes say nothing of whether we may join.
    if ((infoHash ?? this.options.swarmId.infoHash) !== this.options.swarmId.infoHash) return
    if (code === null || code === 'bad-message') return
    this.refusal = code
    this.announces.refused(code)
  }

  private offered({
    from,
    offerId,
    offer,
    ...introduction
  }: Extract<TrackerMessage, { type: 'offer' }>): void {
    if (!this.links.possible || !this.hasRoom || this.avoided.has(from, this.clock.now())) return
    // A connection to this peer is there or on its way: another would only replace it.
    if (!this.links.reaches(from)) this.signalling.answer(from, offerId, offer, introduction)
  }

  private answered({
    from,
    offerId,
    answer,
    ...introduction
  }: Extract<TrackerMessage, { type: 'answer' }>): void {
    const entry = this.links.byOffer(offerId)
    if (entry === null || !entry.initiator || entry.remote !== null) return
    // Where there is no room any more the other end must hear it, or it waits for a connection in vain.
    this.signalling.answered(entry, from, answer, introduction)
  }

  private hints(): MatchingHints {
    const { openCount, boundCount } = this.links
    return {
      ...this.events.hints(),
      slots: Math.max(0, this.options.maxLinks - boundCount),
      degree: openCount,
      ok: this.opens,
      failed: this.failed,
    }
  }

  private opened(entry: MeshLink): void {
    if (entry.offerId !== '') this.opens++
    this.dials.opened(entry)
    const { id, initiator, remote, introduction } = entry
    this.gate.opened(id, remote, () => this.events.linkOpen(id, initiator, remote, introduction))
    this.hope.update()
  }

  private ended(entry: MeshLink, reason: LinkCloseReason): void {
    this.gate.closed(entry.id)
    if (entry.open) this.events.linkClosed(entry.id)
    // A seeder that is gone says nothing of whether connecting is possible.
    else if (reason !== 'local' && entry.remote !== null && entry.offerId !== '') this.failed++
    this.dials.ended(entry)
    this.announces.offerChanged()
    this.hope.update()
  }

  /** The tracker may still name somebody. */
  private mayHear(): boolean {
    const { state } = this.tracker
    return state === 'connecting' || (state === 'connected' && this.swarmSize !== 1)
  }
}

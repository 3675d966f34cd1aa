import {
  type AnnounceEvent,
  type ChannelKind,
  type IceCandidate,
  MAX_CANDIDATES,
  makePeerId,
  millis,
  type OfferEntry,
  type PeerId,
  type PeerReport,
  type SessionDescription,
  type Signal,
  TRACKER_EXTENSION_VERSION,
  type TrackerMessage,
} from '@shoal/protocol'
import type { LinkId } from '../engine/io.js'
import type { Clock, Random } from '../ports/clock.js'
import type { LinkCloseReason, PeerLink, PeerLinkFactory } from '../ports/link.js'
import type { OpenTrackerSocket } from '../ports/socket.js'
import type { MeshLink } from './mesh-links.js'
import type { Degradation, SwarmOptions } from './swarm-api.js'
import { TrackerClient } from './tracker-client.js'

/** Offers in one announce at most, as stock clients do. */
const MAX_OFFERS = 5

/** Offers are announced together once all are made, or after this long, in milliseconds. */
const OFFER_WAIT_MS = 1_000

/**
 * Time between two rounds of offers at least, in milliseconds: long enough for the connections of one
 * round to open, so that the next is made only for those that did not.
 */
const OFFER_ROUND_MS = 8_000

/** An offer that nobody has answered is withdrawn after this long: trackers forget it after 60 s. */
const OFFER_LIFE_MS = 50_000

/** Candidates found within this time travel in one message. */
const CANDIDATE_BATCH_MS = 20

/** Time between announces, in milliseconds, until the tracker says otherwise. */
const DEFAULT_ANNOUNCE_MS = 30_000

/** How long after the start, an announce or an offer a connection may be hoped for, in milliseconds. */
const HOPE_MS = 3_000

/** Failed connections, with none that worked, from which connecting itself must be impossible. */
const HOPELESS_FAILURES = 2

export interface MeshPorts {
  readonly clock: Clock
  readonly random: Random
  readonly links: PeerLinkFactory | null
  readonly openSocket: OpenTrackerSocket
}

export interface MeshEvents {
  /** `remote`: the peer that the tracker named. */
  linkOpen(id: LinkId, initiator: boolean, remote: PeerId | null): void
  linkMessage(id: LinkId, channel: ChannelKind, bytes: Uint8Array): void
  linkDrained(id: LinkId): void
  linkClosed(id: LinkId): void
  /** Members of the swarm, ourselves included, as the tracker counts them. */
  swarmSize(members: number): void
  /** Connections may open soon, or no longer. */
  hope(hopeful: boolean): void
  report(): PeerReport
}

/** Finds peers through a tracker and keeps connections to them. */
export class Mesh {
  private readonly options: SwarmOptions
  private readonly ports: MeshPorts
  private readonly events: MeshEvents
  private readonly tracker: TrackerClient
  private readonly links = new Map<LinkId, MeshLink>()
  private nextLink = 1
  private cancelAnnounce: () => void = () => undefined
  private cancelHope: () => void = () => undefined
  private announceEvery = DEFAULT_ANNOUNCE_MS
  /** Peers that the tracker counted at the last announce, ourselves included; null before it. */
  private swarmSize: number | null = null
  private joined = false
  private nextOffersAt = 0
  private hopeUntil: number
  private hopeful = false
  private failed = 0
  private everOpen = false
  private closed = false

  constructor(options: SwarmOptions, ports: MeshPorts, events: MeshEvents) {
    this.options = options
    this.ports = ports
    this.events = events
    this.hopeUntil = ports.clock.now() + HOPE_MS
    this.tracker = new TrackerClient(options.trackers, ports, {
      onUp: () => this.trackerUp(),
      onDown: () => this.trackerDown(),
      onMessage: (message) => this.trackerMessage(message),
    })
  }

  start(): void {
    this.tracker.start()
    this.updateHope()
  }

  get trackerState(): TrackerClient['state'] {
    return this.tracker.state
  }

  /** Why there are no connections, or null where there are. */
  get degraded(): Degradation | null {
    if (this.openLinks > 0) return null
    if (this.ports.links === null) return 'no-webrtc'
    if (this.tracker.state === 'none') return 'no-tracker'
    if (this.tracker.state === 'unreachable') return 'tracker-unreachable'
    return this.failed >= HOPELESS_FAILURES && !this.everOpen ? 'links-fail' : 'no-peers'
  }

  link(id: LinkId): PeerLink | null {
    return this.links.get(id)?.link ?? null
  }

  closeLink(id: LinkId): void {
    const entry = this.links.get(id)
    if (entry === undefined) return
    this.links.delete(id)
    entry.cancelTimer()
    entry.link.close()
    this.updateHope()
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.cancelAnnounce()
    this.cancelHope()
    this.announce('stopped', [])
    this.tracker.close()
    for (const id of [...this.links.keys()]) this.closeLink(id)
  }

  private get openLinks(): number {
    let open = 0
    for (const entry of this.links.values()) if (entry.open) open++
    return open
  }

  private trackerUp(): void {
    this.joined = false
    this.swarmSize = null
    this.hopeUntil = this.ports.clock.now() + HOPE_MS
    this.updateHope()
    // Offers that were announced over the last socket cannot be answered any more.
    this.withdrawOffers()
    this.nextOffersAt = 0
    this.announceWithOffers()
  }

  private trackerDown(): void {
    this.cancelAnnounce()
    this.updateHope()
  }

  /** Makes the offers that are wanted and announces once they are ready. */
  private announceWithOffers(): void {
    const count = this.offersWanted()
    const made = Array.from({ length: count }, () => this.createLink(true, this.randomId(), null))
    const ready = (): boolean => made.every((entry) => entry.offerSdp !== null || !this.links.has(entry.id))
    this.cancelAnnounce()
    const send = (): void => {
      this.cancelAnnounce()
      this.offersReady = null
      const offers: OfferEntry[] = []
      for (const { offerSdp, offerId } of made) {
        if (offerSdp !== null) offers.push({ offer: { type: 'offer', sdp: offerSdp }, offer_id: offerId })
      }
      this.announce(this.joined ? 'update' : 'started', offers)
      this.joined = true
      this.announceLater()
    }
    this.offersReady = (): void => {
      if (ready()) send()
    }
    this.cancelAnnounce = this.ports.clock.setTimer(millis(OFFER_WAIT_MS), send)
    if (count === 0) send()
  }

  private announceLater(): void {
    this.cancelAnnounce()
    const wait = millis(this.announceEvery)
    this.cancelAnnounce = this.ports.clock.setTimer(wait, () => this.announceWithOffers())
  }

  /** Called when an offer's text is there. */
  private offersReady: (() => void) | null = null

  private offersWanted(): number {
    if (this.ports.links === null || this.options.role === 'seeder') return 0
    const now = this.ports.clock.now()
    if (now < this.nextOffersAt) return 0
    this.nextOffersAt = now + OFFER_ROUND_MS
    // An offer reaches nobody where we are connected to everyone; before the first reply it may.
    const strangers = this.swarmSize === null ? MAX_OFFERS : this.swarmSize - 1 - this.openLinks
    if (strangers > 0) this.withdrawOffers()
    return Math.max(0, Math.min(MAX_OFFERS, strangers, this.options.maxLinks - this.links.size))
  }

  private withdrawOffers(): void {
    for (const entry of [...this.links.values()]) if (isUnanswered(entry)) this.closeLink(entry.id)
  }

  private announce(event: AnnounceEvent, offers: readonly OfferEntry[]): void {
    const { swarmId, peerId, role, name } = this.options
    const report = this.events.report()
    this.tracker.send({
      action: 'announce',
      info_hash: swarmId.infoHash,
      peer_id: peerId,
      event,
      numwant: offers.length,
      uploaded: report.uploaded,
      downloaded: report.http + report.peers + report.seeders,
      left: role === 'seeder' ? 0 : 1,
      shoal: { v: TRACKER_EXTENSION_VERSION, role, report, ...(name === undefined ? {} : { name }) },
      ...(offers.length === 0 ? {} : { offers }),
    })
  }

  private trackerMessage(message: TrackerMessage): void {
    if (this.closed || message.infoHash !== this.options.swarmId.infoHash) return
    switch (message.type) {
      case 'reply':
        this.replied(
          message.complete + message.incomplete,
          Math.min(message.reportInterval ?? message.interval, message.interval),
        )
        break
      case 'offer':
        this.answer(message.from, message.offerId, message.offer)
        break
      case 'answer':
        this.answered(message.from, message.offerId, message.answer)
        break
      case 'candidates':
        this.remoteCandidates(message.from, message.offerId, message.candidates)
        break
      case 'failure':
        break
    }
    this.updateHope()
  }

  private replied(members: number, interval: number): void {
    const everySeconds = this.announceEvery / 1000
    this.swarmSize = members
    this.events.swarmSize(members)
    if (interval === everySeconds) return
    // The first reply tells the rhythm: the announce that is due by the default one comes sooner.
    this.announceEvery = interval * 1000
    if (this.offersReady === null) this.announceLater()
  }

  private answer(from: PeerId, offerId: string, offer: SessionDescription): void {
    if (this.ports.links === null || this.links.size >= this.options.maxLinks + MAX_OFFERS) return
    // A connection to this peer is there or on its way: another would only replace it.
    for (const entry of this.links.values()) if (entry.remote === from) return
    const entry = this.createLink(false, offerId, from)
    entry.link.signal({ kind: 'description', ...offer })
  }

  private answered(from: PeerId, offerId: string, answer: SessionDescription): void {
    const entry = this.byOffer(offerId)
    if (entry === null || !entry.initiator || entry.remote !== null) return
    entry.remote = from
    entry.cancelTimer()
    entry.link.signal({ kind: 'description', ...answer })
    this.sendCandidates(entry)
  }

  private remoteCandidates(from: PeerId, offerId: string, candidates: readonly IceCandidate[]): void {
    const entry = this.byOffer(offerId)
    if (entry === null || entry.remote !== from) return
    for (const candidate of candidates) entry.link.signal({ kind: 'candidate', ...candidate })
  }

  private byOffer(offerId: string): MeshLink | null {
    for (const entry of this.links.values()) if (entry.offerId === offerId) return entry
    return null
  }

  private createLink(initiator: boolean, offerId: string, remote: PeerId | null): MeshLink {
    const id = this.nextLink++
    const factory = this.ports.links
    if (factory === null) throw new Error('a link is made only where there is WebRTC')
    const link = factory.create(initiator ? 'offerer' : 'answerer', {
      onSignal: (signal) => this.localSignal(id, signal),
      onOpen: () => this.opened(id),
      onMessage: (channel, bytes) => {
        if (this.links.has(id)) this.events.linkMessage(id, channel, bytes)
      },
      onDrain: () => {
        if (this.links.has(id)) this.events.linkDrained(id)
      },
      onClose: (reason) => this.linkEnded(id, reason),
    })
    const createdAt = this.ports.clock.now()
    const entry: MeshLink = {
      id,
      link,
      initiator,
      offerId,
      createdAt,
      remote,
      offerSdp: null,
      candidates: [],
      open: false,
      cancelTimer: () => undefined,
    }
    this.links.set(id, entry)
    if (initiator) {
      entry.cancelTimer = this.ports.clock.setTimer(millis(OFFER_LIFE_MS), () => {
        if (isUnanswered(entry)) this.closeLink(id)
      })
    }
    return entry
  }

  private localSignal(id: LinkId, signal: Signal): void {
    const entry = this.links.get(id)
    if (entry === undefined) return
    if (signal.kind === 'candidate') {
      const { candidate, sdpMid, sdpMLineIndex } = signal
      if (entry.candidates.length >= MAX_CANDIDATES) return
      entry.candidates.push({ candidate, sdpMid, sdpMLineIndex })
      if (entry.candidates.length === 1 && entry.remote !== null) {
        entry.cancelTimer = this.ports.clock.setTimer(millis(CANDIDATE_BATCH_MS), () =>
          this.sendCandidates(entry),
        )
      }
    } else if (signal.type === 'offer') {
      entry.offerSdp = signal.sdp
      this.offersReady?.()
    } else if (entry.remote !== null) {
      this.tracker.send({
        action: 'announce',
        info_hash: this.options.swarmId.infoHash,
        peer_id: this.options.peerId,
        to_peer_id: entry.remote,
        answer: { type: 'answer', sdp: signal.sdp },
        offer_id: entry.offerId,
      })
    }
  }

  private sendCandidates(entry: MeshLink): void {
    if (entry.remote === null || entry.candidates.length === 0 || this.closed) return
    this.tracker.send({
      action: 'announce',
      info_hash: this.options.swarmId.infoHash,
      peer_id: this.options.peerId,
      to_peer_id: entry.remote,
      offer_id: entry.offerId,
      shoal: { v: TRACKER_EXTENSION_VERSION, candidates: entry.candidates },
    })
    entry.candidates = []
  }

  private opened(id: LinkId): void {
    const entry = this.links.get(id)
    if (entry === undefined) return
    entry.open = true
    this.everOpen = true
    this.events.linkOpen(id, entry.initiator, entry.remote)
    this.updateHope()
  }

  private linkEnded(id: LinkId, reason: LinkCloseReason): void {
    const entry = this.links.get(id)
    if (entry === undefined) return
    this.links.delete(id)
    entry.cancelTimer()
    if (entry.open) this.events.linkClosed(id)
    else if (reason !== 'local' && entry.remote !== null) this.failed++
    this.offersReady?.()
    this.updateHope()
  }

  /** Whether it makes sense to wait a moment for a first connection. */
  private updateHope(): void {
    this.cancelHope()
    if (this.closed) return
    const now = this.ports.clock.now()
    const until = this.hopeEnds()
    const hopeful = this.openLinks === 0 && until > now
    if (hopeful) {
      this.cancelHope = this.ports.clock.setTimer(millis(until - now + 1), () => this.updateHope())
    }
    if (hopeful === this.hopeful) return
    this.hopeful = hopeful
    this.events.hope(hopeful)
  }

  private hopeEnds(): number {
    if (this.ports.links === null) return 0
    let until = 0
    for (const entry of this.links.values()) {
      if (entry.remote !== null) until = Math.max(until, entry.createdAt + HOPE_MS)
    }
    const { state } = this.tracker
    const mayHear = state === 'connecting' || (state === 'connected' && this.swarmSize !== 1)
    return mayHear ? Math.max(until, this.hopeUntil) : until
  }

  private randomId(): string {
    return makePeerId('', this.ports.random)
  }
}

function isUnanswered(entry: MeshLink): boolean {
  return entry.initiator && entry.remote === null
}

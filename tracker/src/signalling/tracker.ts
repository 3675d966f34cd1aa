import type { AnnounceExtension, Millis, PeerReport } from '@shoal/protocol'
import { millis } from '@shoal/protocol'
import type { Counters } from '../stats/counters.js'
import { newCounters } from '../stats/counters.js'
import { DepartedReports } from '../stats/departed.js'
import { stepReport } from '../stats/reports.js'
import { addDelta, emptyTotals } from '../stats/totals.js'
import type { Random } from '../swarm/matching.js'
import { chooseReceivers } from '../swarm/matching.js'
import { OffersInFlight } from '../swarm/offers-in-flight.js'
import type { Peer } from '../swarm/peer.js'
import type { RegistryLimits } from '../swarm/registry.js'
import { DEFAULT_REGISTRY_LIMITS, Registry } from '../swarm/registry.js'
import type { Session } from '../swarm/session.js'
import type {
  AnnounceMessage,
  AnswerMessage,
  CandidatesMessage,
  ScrapeMessage,
} from '../wire/client-message.js'
import { readClientMessage } from '../wire/client-message.js'
import { MessageError } from '../wire/message-error.js'
import {
  answerText,
  candidatesText,
  failureText,
  offerText,
  replyText,
  scrapeText,
} from '../wire/server-message.js'

/**
 * Seconds between a client's announces. The field's usual value; also how long a peer waits for new
 * neighbours when its own are gone, and what a swarm's load on the tracker is proportional to.
 */
export const DEFAULT_ANNOUNCE_INTERVAL_SECONDS = 120

/** Seconds between a Shoal peer's reports: fresh enough to watch, one small message each. */
export const DEFAULT_REPORT_INTERVAL_SECONDS = 10

/**
 * A peer whose socket lives but that has missed this many announces in a row is dropped: it left
 * the swarm without a word.
 */
const MISSED_ANNOUNCES = 3

const NO_COUNTS = { complete: 0, incomplete: 0, downloaded: 0 }

export interface SignallingOptions {
  readonly announceIntervalSeconds: number
  readonly reportIntervalSeconds: number
  readonly limits: RegistryLimits
}

export const DEFAULT_SIGNALLING_OPTIONS: SignallingOptions = {
  announceIntervalSeconds: DEFAULT_ANNOUNCE_INTERVAL_SECONDS,
  reportIntervalSeconds: DEFAULT_REPORT_INTERVAL_SECONDS,
  limits: DEFAULT_REGISTRY_LIMITS,
}

/**
 * The tracker without sockets, clock or chance: texts of clients in, texts to clients out through
 * each session's outlet. Nothing that a client sends makes it throw.
 */
export class Tracker {
  readonly counters: Counters = newCounters()
  /** Over all peers that ever reported. */
  readonly totals = emptyTotals()
  readonly registry: Registry
  private readonly options: SignallingOptions
  private readonly random: Random
  private readonly offers = new OffersInFlight()
  private readonly departed = new DepartedReports()
  private now: Millis = millis(0)

  /** @param random uniform in [0, 1) */
  constructor(options: SignallingOptions, random: Random) {
    this.options = options
    this.random = random
    this.registry = new Registry(options.limits, (peer) => this.left(peer))
  }

  /** Relayed offers that can still be answered, or that have not been swept out yet. */
  get offersInFlight(): number {
    return this.offers.size
  }

  /**
   * Takes one message of a client.
   *
   * @returns false when it was out of form or refused; the client has been told so
   */
  message(session: Session, text: string, now: Millis): boolean {
    this.now = now
    try {
      const message = readClientMessage(text)
      if (message.type === 'announce') this.announce(session, message)
      else if (message.type === 'answer') this.answer(session, message)
      else if (message.type === 'candidates') this.candidates(session, message)
      else this.scrape(session, message)
      return true
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      this.counters.failures++
      session.outlet.send(failureText(error))
      return false
    }
  }

  /** The socket is gone. */
  closed(session: Session, now: Millis): void {
    this.now = now
    this.registry.leaveAll(session)
  }

  /** Drops what is too old. O(peers): call it every half minute or so. */
  sweep(now: Millis): void {
    this.now = now
    const silence = this.options.announceIntervalSeconds * 1000 * MISSED_ANNOUNCES
    this.registry.expire(millis(now - silence))
    this.departed.expire(now)
    for (const swarm of this.registry.swarms()) {
      for (const peer of swarm.peers.values()) this.offers.expire(peer, now)
    }
  }

  private announce(session: Session, message: AnnounceMessage): void {
    this.counters.announces++
    if (message.event === 'stopped') return this.stopped(session, message)
    const known = this.registry.swarm(message.infoHash)?.peers.get(message.peerId)
    const wasSeeder = known?.seeder === true
    const shoal = message.shoal !== null || known?.shoal === true
    const peer = this.registry.join(
      session,
      message.infoHash,
      message.peerId,
      { shoal, seeder: shoal ? isShoalSeeder(message, known) : hasAll(message, known) },
      this.now,
    )
    if (typeof peer === 'string') throw new MessageError(peer, 'announce', message.infoHash)
    if (message.event === 'completed' && !wasSeeder) peer.swarm.downloaded++
    if (known === undefined) peer.report = this.departed.take(message.infoHash, message.peerId)
    if (message.shoal !== null) this.applyExtension(peer, message.shoal)
    this.reply(session, message, peer.swarm)
    this.relayOffers(peer, message)
  }

  private stopped(session: Session, message: AnnounceMessage): void {
    const peer = this.registry.peerOf(session, message.infoHash, message.peerId)
    if (peer !== undefined) {
      if (message.shoal !== null) this.applyExtension(peer, message.shoal)
      this.registry.leave(peer)
    }
    this.reply(session, message, this.registry.swarm(message.infoHash))
  }

  private reply(
    session: Session,
    message: AnnounceMessage,
    swarm: { readonly hashJson: string; readonly complete: number; readonly incomplete: number } | undefined,
  ): void {
    const { announceIntervalSeconds, reportIntervalSeconds } = this.options
    const hashJson = swarm?.hashJson ?? JSON.stringify(message.infoHash)
    const reports = message.shoal === null ? null : reportIntervalSeconds
    session.outlet.send(replyText(hashJson, swarm ?? NO_COUNTS, announceIntervalSeconds, reports))
  }

  private relayOffers(offerer: Peer, { offers }: AnnounceMessage): void {
    if (offers.length === 0) return
    const receivers = chooseReceivers(offerer, offers.length, this.random)
    for (const [i, receiver] of receivers.entries()) {
      const offer = offers[i]
      if (offer === undefined || receiver.session === null) continue
      if (!this.offers.add(offerer, receiver, offer.offerId, this.now)) return
      const { hashJson } = offerer.swarm
      receiver.session.outlet.send(offerText(hashJson, offerer.id, offer.offerId, offer.sdp))
      this.counters.offersRelayed++
    }
  }

  /** Answers are not replied to; one that belongs to no relayed offer is dropped without a word. */
  private answer(session: Session, message: AnswerMessage): void {
    this.counters.answers++
    const { offerId } = message
    const ends = this.endsOf(session, message)
    if (ends === null || !this.offers.answer(ends.to, ends.sender, offerId, this.now)) {
      this.counters.strays++
      return
    }
    ends.sender.seenAt = this.now
    ends.outlet.send(answerText(ends.sender.swarm.hashJson, ends.sender.id, offerId, message.sdp))
    this.counters.answersRelayed++
  }

  private candidates(session: Session, message: CandidatesMessage): void {
    this.counters.candidates++
    const { offerId, candidates } = message
    const ends = this.endsOf(session, message)
    if (
      ends === null ||
      !ends.to.shoal ||
      !this.offers.candidates(ends.sender, ends.to, offerId, candidates.length, this.now)
    ) {
      this.counters.strays++
      return
    }
    ends.sender.seenAt = this.now
    ends.outlet.send(candidatesText(ends.sender.swarm.hashJson, ends.sender.id, offerId, candidates))
    this.counters.candidatesRelayed++
  }

  private endsOf(session: Session, { infoHash, peerId, toPeerId }: AnswerMessage | CandidatesMessage) {
    const sender = this.registry.peerOf(session, infoHash, peerId)
    const to = sender?.swarm.peers.get(toPeerId)
    if (sender === undefined || !to?.session) return null
    return { sender, to, outlet: to.session.outlet }
  }

  private scrape(session: Session, { infoHashes }: ScrapeMessage): void {
    this.counters.scrapes++
    const files = infoHashes.map((hash) => [hash, this.registry.swarm(hash) ?? NO_COUNTS] as const)
    session.outlet.send(scrapeText(files))
  }

  private applyExtension(peer: Peer, { role, name, report }: AnnounceExtension): void {
    if (role === 'seeder' && name !== undefined) peer.name = name
    if (report !== undefined) this.report(peer, report)
  }

  private report(peer: Peer, report: PeerReport): void {
    const { delta, baseline } = stepReport(peer.report, report, this.now - peer.reportedAt)
    peer.report = baseline
    peer.reportedAt = this.now
    addDelta(peer.swarm.totals, delta)
    addDelta(this.totals, delta)
    this.counters.reports++
  }

  private left(peer: Peer): void {
    this.offers.forget(peer)
    if (peer.report !== null) {
      this.departed.remember(peer.swarm.infoHash, peer.id, peer.report, this.now)
    }
  }
}

/** A stock client that does not say what is left (magnet link, no metadata yet) stays what it was. */
function hasAll({ event, left }: AnnounceMessage, known: Peer | undefined): boolean {
  if (event === 'completed') return true
  return left === null ? known?.seeder === true : left === 0
}

function isShoalSeeder({ shoal }: AnnounceMessage, known: Peer | undefined): boolean {
  return shoal === null ? known?.seeder === true : shoal.role === 'seeder'
}

import type { AnnounceExtension, InfoHash, Introduced, Millis, PeerReport } from '@shoal/protocol'
import { millis, readDialAddress } from '@shoal/protocol'
import type { Refusal } from '../admission/refusal.js'
import type { Reporter, Reports } from '../integrity/integrity.js'
import { Integrity } from '../integrity/integrity.js'
import type { Locality } from '../locality/place.js'
import { NO_LOCALITY, UNKNOWN_PLACE } from '../locality/place.js'
import type { DialPolicy } from '../seeders/dial-sources.js'
import { DialSources, OWN_ADDRESSES } from '../seeders/dial-sources.js'
import { HttpSources } from '../seeders/http-sources.js'
import type { Counters } from '../stats/counters.js'
import { newCounters } from '../stats/counters.js'
import { DepartedReports } from '../stats/departed.js'
import { stepReport } from '../stats/reports.js'
import { addDelta, emptyTotals } from '../stats/totals.js'
import type { Random } from '../swarm/candidates.js'
import { hintsOf } from '../swarm/hints.js'
import type { Peer } from '../swarm/peer.js'
import type { RegistryLimits } from '../swarm/registry.js'
import { DEFAULT_REGISTRY_LIMITS, IN_USE, Registry } from '../swarm/registry.js'
import type { Session } from '../swarm/session.js'
import type { Uplinks } from '../swarm/uplinks.js'
import type { AnnounceMessage, ClientMessage, ScrapeMessage } from '../wire/client-message.js'
import { readClientMessage } from '../wire/client-message.js'
import { MessageError } from '../wire/message-error.js'
import { failureText, replyText, scrapeText } from '../wire/server-message.js'
import type { WireText } from '../wire/wire-text.js'
import { idJson } from '../wire/wire-text.js'
import { Accusations } from './accusations.js'
import type { Elsewhere } from './elsewhere.js'
import { Relay } from './relay.js'

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
 * The tracker without sockets, clock or chance: messages of clients in, texts to clients out through
 * each session's outlet. Nothing that a client sends makes it throw.
 */
export class Tracker {
  readonly counters: Counters = newCounters()
  /** Over all peers that ever reported. */
  readonly totals = emptyTotals()
  readonly registry: Registry
  readonly relay: Relay
  readonly accusations: Accusations
  /** Where seeders serve by HTTP. */
  readonly httpSources = new HttpSources()
  /** Whose bytes are to be trusted. */
  readonly integrity: Integrity
  /** Where seeders are dialled. */
  readonly dialSources: DialSources
  private readonly options: SignallingOptions
  private readonly locality: Locality
  private readonly departed = new DepartedReports()
  private now: Millis = millis(0)

  /** @param random uniform in [0, 1) */
  constructor(
    options: SignallingOptions,
    random: Random,
    locality: Locality = NO_LOCALITY,
    integrity: Integrity = new Integrity(),
    dials: DialPolicy = OWN_ADDRESSES,
  ) {
    this.dialSources = new DialSources(dials)
    this.options = options
    this.integrity = integrity
    this.locality = locality
    this.registry = new Registry(options.limits, (peer) => this.left(peer))
    this.relay = new Relay(this.registry, locality, random, this.counters)
    this.accusations = new Accusations(this.registry, this.counters)
  }

  /** Makes this tracker one of several. */
  joinOthers(elsewhere: Elsewhere): void {
    this.relay.elsewhere = elsewhere
    this.accusations.elsewhere = elsewhere
  }

  /** Relayed offers that can still be answered, or that have not been swept out yet. */
  get offersInFlight(): number {
    return this.relay.offers.size
  }

  /**
   * Takes one message of a client.
   *
   * @param data UTF-8, valid during the call only
   * @returns false when it was out of form or refused; the client has been told so
   */
  message(session: Session, data: Uint8Array, now: Millis): boolean {
    this.now = now
    try {
      const message = readClientMessage(data)
      const refusal = session.guard?.check(message, now) ?? null
      if (refusal !== null) this.refuse(session, message, refusal)
      if (message.type === 'announce') this.announce(session, message)
      else if (message.type === 'answer') this.relay.answer(session, message, now)
      else if (message.type === 'candidates') this.relay.candidates(session, message, now)
      else this.scrape(session, message)
      return true
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      this.counters.failures++
      this.counters.refusals[error.code]++
      session.outlet.send(failureText(error))
      return false
    }
  }

  /** @throws MessageError always; a peer that is not wanted any more leaves its swarm */
  private refuse(session: Session, message: ClientMessage, { code, reason }: Refusal): never {
    if (message.type === 'scrape')
      throw new MessageError(reason, 'scrape', message.infoHashes[0] ?? null, code)
    const peer = this.registry.peerOf(session, message.infoHash, message.peerId)
    if (peer !== undefined && code !== 'rate-limited') this.registry.leave(peer)
    throw new MessageError(reason, 'announce', message.infoHash, code)
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
    this.relay.sweep(now)
    this.integrity.expire(now)
  }

  /** Sends verdicts that wait for whole swarms: call it every second or so. */
  announceVerdicts(now: Millis): void {
    this.integrity.flush((infoHash) => this.registry.swarm(infoHash), now)
  }

  private announce(session: Session, message: AnnounceMessage): void {
    this.counters.announces++
    if (message.event === 'stopped') return this.stopped(session, message)
    const known = this.registry.swarm(message.infoHash)?.peers.get(message.peerId)
    const wasSeeder = known?.seeder === true
    const shoal = message.shoal !== null || known?.shoal === true
    this.locate(session)
    const peer = this.registry.join(
      session,
      message.infoHash,
      message.peerId,
      { shoal, seeder: shoal ? isShoalSeeder(message, known) : hasAll(message, known) },
      this.now,
    )
    if (typeof peer === 'string') {
      const code = peer === IN_USE ? 'peer-id-in-use' : 'full'
      throw new MessageError(peer, 'announce', message.infoHash, code)
    }
    if (message.event === 'completed' && !wasSeeder) peer.swarm.downloaded++
    if (known === undefined) peer.report = this.departed.take(message.infoHash, message.peerId)
    if (message.shoal !== null) this.applyExtension(peer, message.shoal)
    const { accusations } = this
    if (message.shoal?.accuse !== undefined) accusations.accuse(peer, message.shoal.accuse, this.now)
    if (message.shoal !== null) this.applyIntegrity(peer, message, message.shoal)
    this.relay.elsewhere?.touched(message.infoHash)
    const want = message.shoal?.want
    const introduced = want === undefined ? null : this.relay.introduce(peer, want, this.now)
    this.reply(session, message, peer.swarm, introduced)
    this.relay.announced(peer, message.offers, this.now)
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
    swarm:
      | {
          readonly hashJson: WireText
          readonly complete: number
          readonly incomplete: number
          readonly uplinks: Uplinks
        }
      | undefined,
    introduced: readonly Introduced[] | null = null,
  ): void {
    const { announceIntervalSeconds, reportIntervalSeconds } = this.options
    const hashJson = swarm?.hashJson ?? idJson(message.infoHash)
    const uplinks = swarm?.uplinks
    const extension =
      message.shoal === null
        ? null
        : {
            reportInterval: reportIntervalSeconds,
            eligible: uplinks?.eligible ?? 0,
            medianUplink: uplinks?.medianBytesPerSecond ?? 0,
            httpJson: this.httpSources.listJson(message.infoHash),
            integrityJson: this.integrity.replyJson(message.infoHash),
            dialJson: this.dialSources.listJson(message.infoHash),
            introduced,
          }
    session.outlet.send(
      replyText(hashJson, this.countsOf(message.infoHash), announceIntervalSeconds, extension),
    )
  }

  /** Asks where the socket comes from, once and whenever more is known. */
  private locate(session: Session): void {
    const { version } = this.locality
    if (session.placeVersion === version) return
    session.placeVersion = version
    session.place = session.address === null ? UNKNOWN_PLACE : this.locality.placeOf(session.address)
  }

  private scrape(session: Session, { infoHashes }: ScrapeMessage): void {
    this.counters.scrapes++
    const files = infoHashes.map((hash) => [hash, this.countsOf(hash)] as const)
    session.outlet.send(scrapeText(files))
  }

  /** Peers of a swarm, here and at other nodes. */
  private countsOf(infoHash: InfoHash) {
    const here = this.registry.swarm(infoHash) ?? NO_COUNTS
    const { elsewhere } = this.relay
    if (elsewhere === null) return here
    const there = elsewhere.counts(infoHash)
    return {
      complete: here.complete + there.complete,
      incomplete: here.incomplete + there.incomplete,
      downloaded: here.downloaded + there.downloaded,
    }
  }

  private applyExtension(peer: Peer, extension: AnnounceExtension): void {
    const { role, name, report, http, dial } = extension
    if (role === 'seeder' && name !== undefined) peer.name = name
    if (role === 'seeder' && http !== undefined) {
      this.httpSources.announced(peer.swarm.infoHash, peer.id, http, this.now)
    }
    if (role === 'seeder' && dial !== undefined) {
      const from = peer.session?.address ?? null
      this.dialSources.announced(peer.swarm.infoHash, peer.id, readDialAddress(dial), from)
    }
    if (report !== undefined) this.report(peer, report)
    const hints = hintsOf(extension)
    if (hints !== null) peer.swarm.applyHints(peer, hints)
  }

  /** Reports of a peer of another node. */
  reportedElsewhere(infoHash: InfoHash, { witness, network }: Reporter, reports: Reports, now: Millis): void {
    const swarm = this.registry.swarm(infoHash)
    if (swarm === undefined) return
    for (const id of this.integrity.reportedElsewhere(swarm, witness, reports, now)) {
      const suspect = swarm.peers.get(id)
      if (suspect !== undefined) this.accusations.accused(suspect, network, now)
    }
  }

  private applyIntegrity(
    peer: Peer,
    message: AnnounceMessage,
    { keys, lists, wrong }: AnnounceExtension,
  ): void {
    const guard = peer.session?.guard ?? null
    if (keys !== undefined && peer.seeder) {
      this.integrity.keysAnnounced(message, guard, guard?.isOwnSeeder(message) === true, this.now)
    }
    if (lists !== undefined || wrong !== undefined) {
      this.accusations.accuse(peer, this.integrity.reported(peer, { lists, wrong }, this.now), this.now)
    }
  }

  private report(peer: Peer, report: PeerReport): void {
    const { delta, baseline } = stepReport(peer.report, report, this.now - 1000 * peer.reportedSeconds)
    peer.report = baseline
    peer.reportedSeconds = Math.floor(this.now / 1000)
    addDelta(peer.swarm.totals, delta)
    addDelta(this.totals, delta)
    this.counters.reports++
  }

  private left(peer: Peer): void {
    this.relay.left(peer)
    this.httpSources.left(peer.swarm.infoHash, peer.id)
    this.dialSources.left(peer.swarm.infoHash, peer.id)
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

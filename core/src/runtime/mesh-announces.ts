import {
  type AnnounceEvent,
  type ClientMessage,
  dialAddressText,
  type Introduced,
  type MatchingHints,
  makePeerId,
  millis,
  type OfferEntry,
  type PeerId,
  type PeerReport,
  TRACKER_EXTENSION_VERSION,
} from '@shoal/protocol'
import type { Clock, Random } from '../ports/clock.js'
import type { JoinToken } from './join-token.js'
import { isUnanswered, type MeshLink, type MeshLinks } from './mesh-links.js'
import type { SwarmOptions } from './swarm-api.js'
import type { TrackerTrust } from './tracker-trust.js'

/** Offers in one announce at most, as stock clients do. */
export const MAX_OFFERS = 5

/** Offers are announced together once all are made, or after this long, in milliseconds. */
const OFFER_WAIT_MS = 1_000

/**
 * Time between two rounds of offers at least, in milliseconds: long enough for the connections of one
 * round to open, so that the next is made only for those that did not.
 */
const OFFER_ROUND_MS = 8_000

/** An offer that nobody has answered is withdrawn after this long: trackers forget it after 60 s. */
const OFFER_LIFE_MS = 50_000

/** Time between announces, in milliseconds, until the tracker says otherwise. */
const DEFAULT_ANNOUNCE_MS = 30_000

/** Between two announces at least, whatever there is to be told, in milliseconds. */
const LEAST_PAUSE_MS = 1_000

/** Wait before another token is tried, doubling, in milliseconds, and how often in a row. */
const TOKEN_RETRY_MS = 1_000
const TOKEN_TRIES = 6

/** Wait after those, in milliseconds: a seeder's operator may put a new token there days later. */
const TOKEN_REST_MS = 1_800_000

/** Peers in one announce's `accuse`, and in all of them, at most. */
const MAX_ACCUSED = 4
const MAX_ACCUSED_EVER = 64

export interface MeshAnnouncesPorts {
  readonly clock: Clock
  readonly random: Random
  readonly links: MeshLinks
  readonly token: JoinToken
  /** Queues a message for the tracker; false where that cannot be. */
  readonly send: (message: ClientMessage) => boolean
  /** How many offers are of use now. */
  readonly offersWanted: () => number
  /** Whether an offer to this peer makes sense. */
  readonly welcome: (peer: PeerId) => boolean
  /** Calls once connections may be made. */
  readonly whenCalm: (call: () => void) => void
  readonly report: () => PeerReport
  readonly hints: () => MatchingHints
  readonly trust: TrackerTrust
}

/**
 * Tells the tracker that we are here, now and then, and makes offers: for those whom it names when it is asked,
 * or where it names nobody, as stock trackers do, for whom it chooses.
 */
export class MeshAnnounces {
  private readonly options: SwarmOptions
  private readonly ports: MeshAnnouncesPorts
  private cancelTimer: () => void = () => undefined
  /** Called when an offer's text is there; null while no round waits for one. */
  private offersReady: (() => void) | null = null
  private everyMs = DEFAULT_ANNOUNCE_MS
  private joined = false
  /** The tracker names nobody: offers go to whom it chooses. */
  private plain = false
  /** Peers that it has been asked for and has not named yet. */
  private asked = 0
  private nextOffersAt = 0
  private tokenTries = 0
  private cancelRetry: (() => void) | null = null
  /** Counts up when what was begun is void. */
  private round = 0
  /** Who sent corrupt data, and how many of them the tracker has been told of. */
  private readonly accused: PeerId[] = []
  private told = 0
  private toldAt = Number.NEGATIVE_INFINITY

  constructor(options: SwarmOptions, ports: MeshAnnouncesPorts) {
    this.options = options
    this.ports = ports
  }

  /** A tracker has been reached. */
  begin(): void {
    this.tokenTries = 0
    this.join()
  }

  /** There is no tracker for now. */
  pause(): void {
    this.round++
    this.offersReady = null
    this.cancelTimer()
    this.cancelRetry?.()
    this.cancelRetry = null
  }

  /** Leaves the swarm. */
  stop(): void {
    this.pause()
    this.announce('stopped', [])
  }

  /** The tracker has answered. */
  accepted(): void {
    this.tokenTries = 0
  }

  /** The tracker did not take a message, for its token where `code` says so. */
  refused(code: string): void {
    const { clock, random, token } = this.ports
    if (!code.startsWith('token-') || !token.renewable) return
    if (this.cancelRetry !== null) return
    const pause = this.tokenTries < TOKEN_TRIES ? TOKEN_RETRY_MS * 2 ** this.tokenTries++ : TOKEN_REST_MS
    this.cancelRetry = clock.setTimer(millis(pause * (0.5 + random())), () => {
      token.refused()
      this.join()
    })
  }

  /** Names a peer that sent corrupt data in the next announce, once. */
  accuse(peer: PeerId): void {
    if (this.accused.length < MAX_ACCUSED_EVER && !this.accused.includes(peer)) this.accused.push(peer)
  }

  private join(): void {
    this.pause()
    this.joined = false
    // Offers that were announced over the last socket, or refused, cannot be answered any more.
    this.withdrawOffers()
    this.nextOffersAt = 0
    this.plain = false
    this.asked = 0
    this.ports.token.ready(this.unlessVoid(() => this.announceDue()))
  }

  /** The tracker has replied. @param introduced null where it named nobody */
  replied(introduced: readonly Introduced[] | null): void {
    const { asked } = this
    if (asked === 0) return
    this.asked = 0
    this.plain = introduced === null
    // Nobody is named for this round, but how many offers are of use is known better now.
    if (this.plain) this.nextOffersAt = 0
    this.offer(introduced ?? Array.from({ length: this.startRound() }), asked)
  }

  private unlessVoid(call: () => void): () => void {
    const { round } = this
    return () => {
      if (round === this.round) call()
    }
  }

  /** The tracker has told how often it wants to hear of us. */
  setInterval(ms: number): void {
    if (ms === this.everyMs) return
    // The first reply tells the rhythm: the announce that is due by the default one comes sooner.
    this.everyMs = ms
    if (this.offersReady === null) this.announceLater()
  }

  /** An offer has got its text, or has failed. */
  offerChanged(): void {
    this.offersReady?.()
  }

  /** Announces, and asks for peers to offer to, or makes offers for whom the tracker chooses. */
  private announceDue(): void {
    const wanted = this.startRound()
    if (this.plain && wanted > 0) this.offer(Array.from({ length: wanted }), wanted)
    else this.announceNow([], wanted)
  }

  private announceNow(offers: readonly OfferEntry[], want = 0): void {
    this.announce(this.joined ? 'update' : 'started', offers, want)
    this.joined = true
    this.announceLater()
  }

  /** Makes `most` offers, once connections may be made. @param targets undefined: whom the tracker chooses */
  private offer(targets: readonly (Introduced | undefined)[], most: number): void {
    const { whenCalm, welcome } = this.ports
    const make = (): void => {
      const welcomed = targets.slice(0, most).filter((peer) => peer == null || welcome(peer))
      if (welcomed.length > 0) this.offerNow(welcomed)
    }
    whenCalm(this.unlessVoid(make))
  }

  /** Makes an offer for each and announces them once they are ready. */
  private offerNow(targets: readonly (Introduced | undefined)[]): void {
    const { clock, links } = this.ports
    const made = targets.map((target) => this.makeOffer(target))
    const ready = (): boolean => made.every(({ id, offerSdp }) => offerSdp !== null || links.get(id) === null)
    this.cancelTimer()
    const send = (): void => {
      this.cancelTimer()
      this.offersReady = null
      const offers: OfferEntry[] = []
      for (const { target, offerSdp, offerId } of made) {
        if (offerSdp === null) continue
        offers.push({ to_peer_id: target, offer: { type: 'offer', sdp: offerSdp }, offer_id: offerId })
      }
      this.announceNow(offers)
    }
    this.offersReady = (): void => {
      if (ready()) send()
    }
    this.cancelTimer = clock.setTimer(millis(OFFER_WAIT_MS), send)
  }

  /** There is news that others wait for. */
  hurry(): void {
    if (!this.joined || this.offersReady !== null) return
    this.announceLater(Math.max(0, this.toldAt + LEAST_PAUSE_MS - this.ports.clock.now()))
  }

  private announceLater(ms = this.everyMs): void {
    this.cancelTimer()
    const wait = millis(ms)
    this.cancelTimer = this.ports.clock.setTimer(wait, () => this.announceDue())
  }

  /** Offers to make in a round that begins now; 0 where it is too early for one. */
  private startRound(): number {
    const { clock, links, offersWanted } = this.ports
    const now = clock.now()
    if (!links.possible || this.options.role === 'seeder' || now < this.nextOffersAt) return 0
    this.nextOffersAt = now + OFFER_ROUND_MS
    const wanted = Math.min(MAX_OFFERS, offersWanted())
    // Who did not take the last ones up has had time enough.
    if (wanted > 0) this.withdrawOffers()
    return Math.max(0, wanted)
  }

  private makeOffer(target: Introduced | undefined): MeshLink {
    const { clock, links, random } = this.ports
    const entry = links.create(makePeerId('', random), null)
    entry.target = target
    entry.cancelTimer = clock.setTimer(millis(OFFER_LIFE_MS), () => {
      if (isUnanswered(entry)) links.close(entry)
    })
    return entry
  }

  private withdrawOffers(): void {
    for (const entry of this.ports.links.all) if (isUnanswered(entry)) this.ports.links.close(entry)
  }

  private announce(event: AnnounceEvent, offers: readonly OfferEntry[], want = 0): void {
    const { swarmId, peerId, role, name, http, dial, keys } = this.options
    const { report: makeReport, hints, trust, clock } = this.ports
    const { reports } = trust
    this.toldAt = clock.now()
    const report = makeReport()
    const token = this.ports.token.value
    const accuse = this.accused.slice(this.told, this.told + MAX_ACCUSED)
    const sent = this.ports.send({
      action: 'announce',
      info_hash: swarmId.infoHash,
      peer_id: peerId,
      event,
      numwant: offers.length,
      uploaded: report.uploaded,
      downloaded: report.http + report.peers + report.seeders,
      left: role === 'seeder' ? 0 : 1,
      shoal: {
        v: TRACKER_EXTENSION_VERSION,
        role,
        report,
        ...hints(),
        ...reports,
        want: want || undefined,
        ...(keys === undefined ? {} : { keys }),
        ...(name === undefined ? {} : { name }),
        ...(token === undefined ? {} : { token }),
        ...(accuse.length === 0 ? {} : { accuse }),
        ...(http === undefined ? {} : { http }),
        ...(dial === undefined ? {} : { dial: dialAddressText(dial) }),
      },
      ...(offers.length === 0 ? {} : { offers }),
    })
    if (!sent) return
    if (want > 0) this.asked = want
    this.told += accuse.length
    trust.told(reports)
  }
}

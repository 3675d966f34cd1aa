import {
  type AnnounceEvent,
  type ClientMessage,
  type MatchingHints,
  makePeerId,
  millis,
  type OfferEntry,
  type PeerReport,
  TRACKER_EXTENSION_VERSION,
} from '@shoal/protocol'
import type { Clock, Random } from '../ports/clock.js'
import { isUnanswered, type MeshLinks } from './mesh-links.js'
import type { SwarmOptions } from './swarm-api.js'

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

export interface MeshAnnouncesPorts {
  readonly clock: Clock
  readonly random: Random
  readonly links: MeshLinks
  /** Queues a message for the tracker. */
  readonly send: (message: ClientMessage) => void
  /** How many offers are of use now. */
  readonly offersWanted: () => number
  readonly report: () => PeerReport
  readonly hints: () => MatchingHints
}

/** Tells the tracker that we are here, now and then, with offers for those whom it chooses. */
export class MeshAnnounces {
  private readonly options: SwarmOptions
  private readonly ports: MeshAnnouncesPorts
  private cancelTimer: () => void = () => undefined
  /** Called when an offer's text is there; null while no round waits for one. */
  private offersReady: (() => void) | null = null
  private everyMs = DEFAULT_ANNOUNCE_MS
  private joined = false
  private nextOffersAt = 0

  constructor(options: SwarmOptions, ports: MeshAnnouncesPorts) {
    this.options = options
    this.ports = ports
  }

  /** A tracker has been reached. */
  begin(): void {
    this.joined = false
    // Offers that were announced over the last socket cannot be answered any more.
    this.withdrawOffers()
    this.nextOffersAt = 0
    this.announceWithOffers()
  }

  /** There is no tracker for now. */
  pause(): void {
    this.cancelTimer()
  }

  /** Leaves the swarm. */
  stop(): void {
    this.cancelTimer()
    this.announce('stopped', [])
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

  /** Makes the offers that are wanted and announces once they are ready. */
  private announceWithOffers(): void {
    const { clock, links } = this.ports
    const made = Array.from({ length: this.startRound() }, () => this.makeOffer())
    const ready = (): boolean => made.every(({ id, offerSdp }) => offerSdp !== null || links.get(id) === null)
    this.cancelTimer()
    const send = (): void => {
      this.cancelTimer()
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
    this.cancelTimer = clock.setTimer(millis(OFFER_WAIT_MS), send)
    if (made.length === 0) send()
  }

  private announceLater(): void {
    this.cancelTimer()
    const wait = millis(this.everyMs)
    this.cancelTimer = this.ports.clock.setTimer(wait, () => this.announceWithOffers())
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

  private makeOffer() {
    const { clock, links, random } = this.ports
    const entry = links.create(makePeerId('', random), null)
    entry.cancelTimer = clock.setTimer(millis(OFFER_LIFE_MS), () => {
      if (isUnanswered(entry)) links.close(entry)
    })
    return entry
  }

  private withdrawOffers(): void {
    for (const entry of this.ports.links.all) if (isUnanswered(entry)) this.ports.links.close(entry)
  }

  private announce(event: AnnounceEvent, offers: readonly OfferEntry[]): void {
    const { swarmId, peerId, role, name } = this.options
    const { report: makeReport, hints } = this.ports
    const report = makeReport()
    this.ports.send({
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
        ...(name === undefined ? {} : { name }),
      },
      ...(offers.length === 0 ? {} : { offers }),
    })
  }
}

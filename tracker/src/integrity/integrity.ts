import type { InfoHash, IntegrityReports, Millis, PeerId, SegmentList, Verdict } from '@shoal/protocol'
import { MAX_WRONG_LISTS } from '@shoal/protocol'
import type { Guard } from '../admission/guard.js'
import type { Place } from '../locality/place.js'
import type { Peer } from '../swarm/peer.js'
import type { Swarm } from '../swarm/swarm.js'
import type { AnnounceMessage } from '../wire/client-message.js'
import { Allowance } from './allowance.js'
import { Announcements, tell } from './announcements.js'
import type { Attestor } from './attestor.js'
import type { Candidate, Witness } from './ballot.js'
import type { Heard } from './comparison.js'
import { Comparison } from './comparison.js'
import type { Ground } from './vouches.js'
import { Vouches } from './vouches.js'

/** Signatures in a second at most: P-256 costs some 50 µs each, so 2.5 % of a core. */
const SIGNATURES_PER_SECOND = 500

/** Peers that one objection may accuse: as many as an announce may name. */
const MAX_ACCUSED = 4

/** Reports that are passed on to other nodes in a second at most; each costs every node that has the swarm. */
const FORWARDS_PER_SECOND = 500

/** How often the other nodes of a cluster are told of keys anew, in ms: for those that are new. */
const RETELL_MS = 60_000

export interface IntegrityOptions {
  /** Keys of own seeders, base64url. */
  readonly keys: ReadonlySet<string>
  /** Vouch for seeders that connect from this machine. */
  readonly vouchLoopback: boolean
  /** Networks that have to agree on a list. */
  readonly networks: number
  /** Each peer counts as a network of its own. */
  readonly sameNetwork: boolean
  /** Null: nothing is signed. */
  readonly attestor: Attestor | null
}

const NO_INTEGRITY: IntegrityOptions = {
  keys: new Set(),
  vouchLoopback: false,
  networks: 2,
  sameNetwork: false,
  attestor: null,
}

/** Events since the start, for `/metrics`. */
export interface IntegrityCounters {
  listsReported: number
  wrongReported: number
  attested: number
  disputed: number
  /** Disputes that name lists as wrong. */
  blamed: number
}

export type Reports = { readonly [K in 'lists' | 'wrong']: IntegrityReports[K] | undefined }

/** What other nodes of a cluster say. */
export type FromNode =
  | { readonly type: 'vouched'; readonly infoHash: InfoHash; readonly keys: readonly string[] }
  | { readonly type: 'disputed'; readonly infoHash: InfoHash; readonly verdict: Verdict }

/** The other nodes of a cluster. */
export interface IntegrityBus {
  vouched(infoHash: InfoHash, keys: readonly string[]): void
  disputed(infoHash: InfoHash, verdict: Verdict): void
  /** What a network says of segments, for the nodes that have the swarm. */
  reported(infoHash: InfoHash, from: Reporter, reports: Reports): void
}

/** Whose word it is. */
export interface Reporter {
  readonly witness: Witness
  /** As admission counts networks, for bans. */
  readonly network: string
}

/**
 * What the tracker knows of whose bytes to trust: keys of its own seeders, and what fetchers of
 * different networks report. Without sockets, clock or chance.
 */
export class Integrity {
  readonly counters: IntegrityCounters = {
    listsReported: 0,
    wrongReported: 0,
    attested: 0,
    disputed: 0,
    blamed: 0,
  }
  readonly vouches = new Vouches()
  readonly comparison: Comparison
  readonly announcements = new Announcements()
  /** Set by whoever joins a cluster. */
  bus: IntegrityBus | null = null
  private readonly options: IntegrityOptions
  private readonly attestorJson: string
  private readonly signatures = new Allowance<'all'>(SIGNATURES_PER_SECOND, 1000)
  private readonly forwards = new Allowance<'all'>(FORWARDS_PER_SECOND, 1000)
  /** When the other nodes were told of a swarm's key. */
  private readonly toldAt = new Map<string, number>()

  constructor(options: IntegrityOptions = NO_INTEGRITY) {
    this.options = options
    this.comparison = new Comparison(options.networks)
    this.attestorJson = options.attestor === null ? '' : `,"attestor":"${options.attestor.publicKey}"`
  }

  /** Members of a reply, each with a comma before it. */
  replyJson(infoHash: InfoHash): string {
    const keys = this.vouches.listJson(infoHash)
    return keys === null ? this.attestorJson : `,"keys":${keys}${this.attestorJson}`
  }

  /** A seeder tells the keys that it signs with: its own are vouched for, anybody else's are not. */
  keysAnnounced({ infoHash, shoal }: AnnounceMessage, guard: Guard | null, own: boolean, now: Millis): void {
    const { keys: listed, vouchLoopback } = this.options
    const keys = (shoal?.keys ?? []).filter((key) => {
      const ground = groundFor(key, listed, own, vouchLoopback && guard?.isLocal === true)
      if (ground === null) return false
      this.vouches.add(infoHash, key, ground, now)
      return this.bus !== null && (this.toldAt.get(infoHash + key) ?? -RETELL_MS) + RETELL_MS <= now
    })
    if (keys.length === 0) return
    for (const key of keys) this.toldAt.set(infoHash + key, now)
    this.bus?.vouched(infoHash, keys)
  }

  /**
   * Takes what a peer reports of segments, and tells those whom it concerns.
   *
   * @returns peers that its objections accuse
   */
  reported(peer: Peer, reports: Reports, now: Millis): PeerId[] {
    const { swarm, session } = peer
    const witness = this.options.sameNetwork ? peer.id : witnessAt(peer.place)
    this.counters.listsReported += reports.lists?.length ?? 0
    this.counters.wrongReported += reports.wrong?.length ?? 0
    const { accused, news } = this.hear(swarm, witness, peer.id, reports, now)
    if (this.bus !== null && news.lists.length + news.wrong.length > 0 && this.forwards.has('all', now)) {
      this.forwards.spend('all', now)
      this.bus.reported(swarm.infoHash, { witness, network: session?.guard?.network ?? '' }, news)
    }
    return accused
  }

  /** Takes what a peer of another node reports of a swarm that is here. @returns as `reported` */
  reportedElsewhere(swarm: Swarm, witness: Witness, reports: Reports, now: Millis): PeerId[] {
    return this.hear(swarm, witness, null, reports, now).accused
  }

  /** @param peer null for one of another node: that node tells it what follows */
  private hear(swarm: Swarm, witness: Witness, peer: PeerId | null, reports: Reports, now: Millis) {
    const { infoHash } = swarm
    const attested = new Map<Peer, Verdict[]>()
    const accused: PeerId[] = []
    const news = { lists: [] as SegmentList[], wrong: [] as SegmentList[] }
    for (const list of reports.lists ?? []) {
      const heard = this.comparison.loaded({ infoHash, ...list }, witness, peer, now)
      if (heard === null) continue
      if (heard.changed) news.lists.push(list)
      this.attest(swarm, peer, list, heard, attested, now)
      this.judge(infoHash, list.s, heard, peer !== null)
    }
    for (const list of reports.wrong ?? []) {
      const heard = this.comparison.objected({ infoHash, ...list }, witness, now)
      if (heard === null) continue
      if (heard.changed) news.wrong.push(list)
      this.judge(infoHash, list.s, heard, peer !== null)
      // What most networks loaded is right: who objects to it accuses nobody.
      if (heard.outcome.agreed?.digest === list.h) continue
      for (const id of heard.reportersOf(list.h)) if (accused.length < MAX_ACCUSED) accused.push(id)
    }
    for (const [receiver, verdicts] of attested) tell(receiver, verdicts)
    return { accused, news }
  }

  /** Another node has vouched for keys, or found a segment disputed. */
  toldByNode(news: FromNode, now: Millis): void {
    if (news.type === 'vouched') {
      for (const key of news.keys) this.vouches.add(news.infoHash, key, 'node', now)
    } else if ('disputed' in news.verdict) {
      this.announcements.add(news.infoHash, news.verdict)
    }
  }

  /** Sends what waits for whole swarms. For a timer: every second or so. */
  flush(swarmOf: (infoHash: InfoHash) => Swarm | undefined, now: Millis): void {
    if (this.announcements.size > 0) this.announcements.flush(swarmOf, now)
  }

  /** Forgets what is over. */
  expire(now: Millis): void {
    this.vouches.expire(now)
    this.comparison.expire(now)
    for (const [key, at] of this.toldAt) if (at + RETELL_MS <= now) this.toldAt.delete(key)
  }

  /** The signature goes to those alone who reported the list: who has not loaded it cannot use it. */
  private attest(
    { infoHash, peers }: Swarm,
    peer: PeerId | null,
    { s, h }: SegmentList,
    heard: Heard,
    out: Map<Peer, Verdict[]>,
    now: Millis,
  ): void {
    const { agreed } = heard.outcome
    if (agreed?.digest !== h) return
    const receivers = new Set(peer === null ? [] : [peer])
    if (agreed.signature === null) {
      if (!this.sign(infoHash, agreed, now)) return
      for (const id of agreed.reporters) receivers.add(id)
    }
    const verdict = { s, h, sig: agreed.signature ?? '' }
    for (const id of receivers) {
      const receiver = peers.get(id)
      if (receiver !== undefined) out.set(receiver, [...(out.get(receiver) ?? []), verdict])
    }
  }

  private sign(infoHash: InfoHash, agreed: Candidate, now: Millis): boolean {
    const { attestor } = this.options
    if (attestor === null || !this.signatures.has('all', now)) return false
    this.signatures.spend('all', now)
    agreed.signature = attestor.sign(infoHash, agreed.digest)
    this.counters.attested++
    return true
  }

  private judge(infoHash: InfoHash, s: string, { tell: isNew, outcome }: Heard, ours: boolean): void {
    if (!isNew) return
    const wrong = outcome.wrong.slice(0, MAX_WRONG_LISTS)
    const verdict = { s, disputed: true, ...(wrong.length > 0 ? { wrong } : {}) } as const
    this.counters.disputed++
    if (wrong.length > 0) this.counters.blamed++
    this.announcements.add(infoHash, verdict)
    if (ours) this.bus?.disputed(infoHash, verdict)
  }
}

function groundFor(
  key: string,
  listed: ReadonlySet<string>,
  own: boolean,
  local: boolean,
): Exclude<Ground, 'node'> | null {
  if (own) return 'token'
  if (listed.has(key)) return 'list'
  return local ? 'loopback' : null
}

/** Different /24 or /48, and different autonomous systems where they are known. */
function witnessAt({ known, network, local }: Place): Witness {
  return known ? network : local
}

import {
  type Announce,
  type AnnounceExtension,
  type ClientMessage,
  hexOf,
  type InfoHash,
  type Introduced,
  type Millis,
  millis,
  type OfferEntry,
  type PeerId,
  type TrackerMessage,
} from '@shoal/protocol'
import type { Clock, Random } from '../ports/clock.js'
import type { OpenTrackerSocket, TrackerSocketEvents } from '../ports/socket.js'

/** Members that must accuse a peer of corrupt data before it is banned, as for a real tracker. */
const BAN_ACCUSERS = 3

/** One way, in milliseconds. */
const DELAY_MS = 20

/** How long an introduction may be taken up, in milliseconds. */
const NAMED_MS = 60_000

interface Member {
  readonly peerId: PeerId
  readonly deliver: (message: object) => void
  seeder: boolean
  readonly dial: string | undefined
}

/** Chooses receivers of offers as a real tracker does, for one swarm. */
export interface TrackerMatching {
  /** A peer has announced, with what it tells of itself. */
  announced(peer: PeerId, told: AnnounceExtension, now: Millis): void
  /** A peer has left. */
  left(peer: PeerId): void
  /** Whom the offers of a peer that has announced go to: one each, in this order; fewer where there are fewer. */
  choose(from: PeerId, offerIds: readonly string[], now: Millis): readonly PeerId[]
  /** Whom a peer may make an offer each, chosen in the same way. */
  introduce(to: PeerId, want: number, now: Millis): readonly PeerId[]
  /** Whether an offer of `from` goes to `to`: once, to who was introduced lately. */
  redeem(from: PeerId, to: PeerId, offerId: string, now: Millis): boolean
  /** The receiver of an offer has answered it. */
  answered(offerer: PeerId, receiver: PeerId, offerId: string, now: Millis): void
  /** What `to` is told of `from`: cost of traffic, 0 to 100, and its age in seconds; null where one has gone. */
  introduction(from: PeerId, to: PeerId, now: Millis): { readonly cost: number; readonly age: number } | null
}

/** What a tracker in memory does. */
export interface MemoryTrackerOptions {
  /** Null: whoever chance chooses. */
  readonly matching?: TrackerMatching | null
  /** False: it knows none of our keys, as a stock tracker. */
  readonly shoal?: boolean
}

/**
 * A tracker in memory: counts, introduces random members or whom `TrackerMatching` chooses and relays offers
 * to them, relays answers and candidates. It keeps to docs/protocol.md as far as a correct client can tell, and
 * trusts its clients.
 */
export class MemoryTracker {
  private readonly clock: Clock
  private readonly random: Random
  private readonly matching: TrackerMatching | null
  /** False: it knows none of our keys, as a stock tracker. */
  shoal: boolean
  /** Who was named to whom, as both ids in a row, and until when. */
  private readonly named = new Map<string, number>()
  private readonly swarms = new Map<InfoHash, Map<PeerId, Member>>()
  private readonly sockets = new Set<() => void>()
  private up = true
  /** By peer: who accused it; and those that nobody hears of any more. */
  private readonly accusers = new Map<PeerId, Set<PeerId>>()
  private readonly banned = new Set<PeerId>()
  /** Announces taken, by info hash in hexadecimal. */
  readonly announces = new Map<string, number>()
  /** Offers that came, and those of them that had a target that had not been named. */
  offers = 0
  uninvited = 0

  constructor(clock: Clock, random: Random, { matching = null, shoal = true }: MemoryTrackerOptions = {}) {
    this.clock = clock
    this.random = random
    this.matching = matching
    this.shoal = shoal
  }

  /** Stops or starts answering; stopping closes every socket. */
  setUp(up: boolean): void {
    this.up = up
    if (!up) for (const drop of [...this.sockets]) drop()
  }

  readonly openSocket: OpenTrackerSocket = (_url, events) => {
    let open = false
    const joined: { infoHash: InfoHash; peerId: PeerId }[] = []
    const later = (call: () => void): void => {
      this.clock.setTimer(millis(DELAY_MS), call)
    }
    const drop = (): void => {
      if (!this.sockets.delete(drop)) return
      open = false
      for (const { infoHash, peerId } of joined) this.remove(infoHash, peerId)
      events.onClose('closed')
    }
    this.sockets.add(drop)
    later(() => {
      if (!this.up) return drop()
      if (!this.sockets.has(drop)) return
      open = true
      events.onOpen()
    })
    return {
      send: (text) => {
        if (!open) return false
        later(() => {
          if (!open) return
          const message = JSON.parse(text) as ClientMessage
          joined.push({ infoHash: message.info_hash, peerId: message.peer_id })
          this.take(message, (reply) => later(() => deliver(events, reply, () => open)))
        })
        return true
      },
      close: () => later(drop),
    }
  }

  private take(message: ClientMessage, deliver: Member['deliver']): void {
    const swarm = this.swarms.get(message.info_hash) ?? new Map<PeerId, Member>()
    this.swarms.set(message.info_hash, swarm)
    const { info_hash, peer_id } = message
    if (this.banned.has(peer_id)) return
    if ('to_peer_id' in message) {
      const { to_peer_id, ...rest } = message
      if ('answer' in rest) this.matching?.answered(to_peer_id, peer_id, rest.offer_id, this.clock.now())
      const told = 'answer' in rest ? this.introduction(peer_id, to_peer_id) : {}
      swarm.get(to_peer_id)?.deliver({ ...rest, ...told })
      return
    }
    this.announce(message, swarm, deliver)
    const key = hexOf(info_hash)
    this.announces.set(key, (this.announces.get(key) ?? 0) + 1)
    if (message.event === 'stopped') this.remove(info_hash, peer_id)
  }

  private remove(infoHash: InfoHash, peerId: PeerId): void {
    if (this.swarms.get(infoHash)?.delete(peerId)) this.matching?.left(peerId)
  }

  /** The key of ours in what is relayed. */
  private introduction(from: PeerId, to: PeerId): object {
    const told = this.matching?.introduction(from, to, this.clock.now()) ?? null
    return told === null ? {} : { shoal: { v: 1, ...told } }
  }

  private announce(message: Announce, swarm: Map<PeerId, Member>, deliver: Member['deliver']): void {
    const { info_hash, peer_id } = message
    for (const accused of message.shoal.accuse ?? []) this.accuse(accused, peer_id, swarm)
    swarm.set(peer_id, {
      peerId: peer_id,
      deliver,
      seeder: message.shoal.role === 'seeder',
      dial: message.shoal.dial,
    })
    const complete = [...swarm.values()].filter((member) => member.seeder).length
    const incomplete = swarm.size - complete
    const dial = [...swarm.values()].flatMap((member) => member.dial ?? [])
    this.matching?.announced(peer_id, message.shoal, this.clock.now())
    const { want } = message.shoal
    const introduced = want === undefined ? {} : { introduced: this.introduce(peer_id, want, swarm) }
    const extension = { v: 1, report_interval: 10, ...(dial.length === 0 ? {} : { dial }), ...introduced }
    const shoal = this.shoal ? { shoal: extension } : {}
    deliver({ action: 'announce', info_hash, interval: 120, complete, incomplete, ...shoal })
    const offers = message.offers ?? []
    this.offers += offers.length
    const chosen = this.receiversOf(
      peer_id,
      offers.filter(({ to_peer_id }) => to_peer_id === undefined),
      swarm,
    )
    for (const { offer, offer_id, to_peer_id } of offers) {
      const target =
        to_peer_id === undefined ? chosen.shift() : this.redeemed(peer_id, to_peer_id, offer_id, swarm)
      const told = target === undefined ? {} : this.introduction(peer_id, target.peerId)
      target?.deliver({ action: 'announce', info_hash, peer_id, offer_id, offer, ...told })
    }
  }

  private introduce(to: PeerId, want: number, swarm: ReadonlyMap<PeerId, Member>): readonly PeerId[] {
    const now = this.clock.now()
    if (this.matching !== null) return this.matching.introduce(to, want, now)
    const others = [...swarm.keys()].filter((id) => id !== to)
    const named = Array.from({ length: want }).flatMap(() =>
      others.splice(Math.floor(this.random() * others.length), 1),
    )
    for (const id of named) this.named.set(to + id, now + NAMED_MS)
    return named
  }

  private redeemed(
    from: PeerId,
    to: Introduced,
    offerId: string,
    swarm: ReadonlyMap<PeerId, Member>,
  ): Member | undefined {
    if (to === null) return undefined
    const now = this.clock.now()
    const until = this.named.get(from + to) ?? 0
    this.named.delete(from + to)
    if (this.matching?.redeem(from, to, offerId, now) ?? until > now) return swarm.get(to)
    this.uninvited++
    return undefined
  }

  private accuse(accused: PeerId, by: PeerId, swarm: Map<PeerId, Member>): void {
    const accusers = this.accusers.get(accused) ?? new Set()
    this.accusers.set(accused, accusers.add(by))
    if (accusers.size < BAN_ACCUSERS) return
    this.banned.add(accused)
    swarm.delete(accused)
  }

  private receiversOf(
    from: PeerId,
    offers: readonly OfferEntry[],
    swarm: ReadonlyMap<PeerId, Member>,
  ): Member[] {
    if (this.matching !== null) {
      const ids = offers.map(({ offer_id }) => offer_id)
      return this.matching.choose(from, ids, this.clock.now()).flatMap((id) => swarm.get(id) ?? [])
    }
    const others = [...swarm.values()].filter((member) => member.peerId !== from)
    return offers.flatMap(() => others.splice(Math.floor(this.random() * others.length), 1))
  }
}

function deliver(events: TrackerSocketEvents, message: object, isOpen: () => boolean): void {
  if (isOpen()) events.onMessage(JSON.stringify(message satisfies object as TrackerMessage | object))
}

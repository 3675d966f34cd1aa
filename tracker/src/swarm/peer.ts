import type { MatchingHints, Millis, PeerId, PeerReport } from '@shoal/protocol'
import type { Place } from '../locality/place.js'
import type { Session } from './session.js'
import type { Swarm } from './swarm.js'

/** What a peer begins with. */
export type PeerStart = Pick<Peer, 'id' | 'swarm' | 'session' | 'place' | 'shoal' | 'seeder'>

/** One peer of one swarm. Its numbers are small integers, which V8 keeps without a box. */
export class Peer {
  readonly id: PeerId
  readonly swarm: Swarm
  /** The socket that announced last under this peer id; null once the peer has left. */
  session: Session | null
  /** Where its socket comes from. */
  place: Place
  /** Speaks Shoal: its offers mean nothing to stock clients, and theirs nothing to it. */
  shoal: boolean
  /** A Shoal seeder by its role, a stock client by `left: 0`. */
  seeder: boolean
  /** Place in its pool (`Swarm.poolOf`). */
  index = -1
  /** Its record in the registry's table (`peer-table.ts`), and what tells it from others that have had it. */
  slot = -1
  serial = 0
  /** When it joined, in whole seconds. */
  readonly joinedSeconds: number
  /** When it last sent anything about this swarm, in whole seconds. */
  seenSeconds: number
  /** Bin of its uplink in the swarm's histogram; -1 while it is not known. */
  uplinkBin = -1
  /** Offers relayed to it and not answered yet. */
  unanswered = 0
  /** Its own relayed offers (`OffersInFlight`): the oldest, the newest, and how many there are. */
  firstOffer = -1
  lastOffer = -1
  offerCount = 0
  /** What it has told of itself for matching, all announces together; null when nothing. */
  hints: MatchingHints | null = null
  /** What it last reported, and when, in whole seconds; before that, when it joined. */
  report: PeerReport | null = null
  reportedSeconds: number
  /** A seeder's name for the title. */
  name: string | null = null

  /** A peer that is heard of now; it is in no pool and has no record yet. */
  constructor({ id, swarm, session, place, shoal, seeder }: PeerStart, now: Millis, ageSeconds = 0) {
    this.id = id
    this.swarm = swarm
    this.session = session
    this.place = place
    this.shoal = shoal
    this.seeder = seeder
    this.seenSeconds = Math.floor(now / 1000)
    this.joinedSeconds = this.seenSeconds - ageSeconds
    this.reportedSeconds = this.seenSeconds
  }

  /** It has sent something about this swarm. */
  seen(now: Millis): void {
    this.seenSeconds = Math.floor(now / 1000)
  }
}

import type { MatchingHints, Millis, PeerId, PeerReport } from '@shoal/protocol'
import type { Place } from '../locality/place.js'
import type { OfferInFlight } from './offers-in-flight.js'
import type { Session } from './session.js'
import type { Swarm } from './swarm.js'

/** One peer of one swarm. */
export interface Peer {
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
  index: number
  /** Its record in the registry's table (`peer-table.ts`). */
  slot: number
  /** When it joined, in whole seconds. */
  readonly joinedSeconds: number
  /** When it last sent anything about this swarm. */
  seenAt: Millis
  /** What it has told of itself for matching, all announces together; null when nothing. */
  hints: MatchingHints | null
  /** Bin of its uplink in the swarm's histogram; -1 while it is not known. */
  uplinkBin: number
  /** Offers relayed to it and not answered yet. */
  unanswered: number
  /** Its own relayed offers by offer id, oldest first; null while there are none. */
  offers: Map<string, OfferInFlight> | null
  /** What it last reported, and when. */
  report: PeerReport | null
  reportedAt: Millis
  /** A seeder's name for the title. */
  name: string | null
}

/** What a peer begins with. */
export type PeerStart = Pick<Peer, 'id' | 'swarm' | 'session' | 'place' | 'shoal' | 'seeder'>

/** A peer that is heard of now; it is in no pool and has no record yet. */
export function newPeer(start: PeerStart, now: Millis, ageSeconds = 0): Peer {
  return {
    ...start,
    index: -1,
    slot: -1,
    joinedSeconds: Math.floor(now / 1000) - ageSeconds,
    seenAt: now,
    hints: null,
    uplinkBin: -1,
    unanswered: 0,
    offers: null,
    report: null,
    reportedAt: now,
    name: null,
  }
}

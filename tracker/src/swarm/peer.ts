import type { Millis, PeerId, PeerReport } from '@shoal/protocol'
import type { OfferInFlight } from './offers-in-flight.js'
import type { Session } from './session.js'
import type { Swarm } from './swarm.js'

/** One peer of one swarm. */
export interface Peer {
  readonly id: PeerId
  readonly swarm: Swarm
  /** The socket that announced last under this peer id; null once the peer has left. */
  session: Session | null
  /** Speaks Shoal: its offers mean nothing to stock clients, and theirs nothing to it. */
  shoal: boolean
  /** A Shoal seeder by its role, a stock client by `left: 0`. */
  seeder: boolean
  /** Place in its pool (`Swarm.poolOf`). */
  index: number
  /** When it last sent anything about this swarm. */
  seenAt: Millis
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

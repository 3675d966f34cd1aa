import type { GoodbyeReason, Hello, Millis, PeerId, SwarmId } from '@shoal/protocol'
import type { Neighbours } from './neighbours.js'
import type { Peer } from './peer.js'

/** How long a peer that broke the protocol is kept out, in milliseconds: ten minutes. */
const BAN_MS = 600_000

/** Peers that are kept out at most; the oldest makes room. */
const MAX_BANS = 1_000

interface AdmissionOptions {
  readonly swarmId: SwarmId
  readonly peerId: PeerId
  readonly maxLinks: number
}

/** What is to be done about a Hello: `closes` end as duplicates, whether the peer itself is taken or not. */
export interface Verdict {
  readonly refused: GoodbyeReason | 'ban' | null
  readonly closes: readonly Peer[]
}

/** Says whose Hello is taken. */
export class Admission {
  private readonly options: AdmissionOptions
  private readonly neighbours: Neighbours
  private readonly banned = new Map<PeerId, Millis>()

  constructor(options: AdmissionOptions, neighbours: Neighbours) {
    this.options = options
    this.neighbours = neighbours
  }

  /** Keeps a peer out for a while. */
  ban(peerId: PeerId, now: Millis): void {
    this.banned.set(peerId, (now + BAN_MS) as Millis)
    const oldest = this.banned.keys().next().value
    if (this.banned.size > MAX_BANS && oldest !== undefined) this.banned.delete(oldest)
  }

  /** @param ready peers whose Hello has come before */
  judge(peer: Peer, hello: Hello, ready: readonly Peer[], now: Millis): Verdict {
    const { swarmId, peerId, maxLinks } = this.options
    const sameSwarm = hello.swarmId.every((byte, index) => byte === swarmId.bytes[index])
    if (peer.identity !== null || !sameSwarm) return refusal('ban')
    // A stranger's name would let it take that peer's place, or get it banned.
    if (peer.signalledId !== null && peer.signalledId !== hello.peerId) return refusal('violation')
    if (hello.peerId === peerId) return refusal('duplicate-connection')
    const until = this.banned.get(hello.peerId)
    if (until !== undefined && until > now) return refusal('violation')
    const twins = ready.filter((other) => other.identity?.peerId === hello.peerId)
    const losers = twins.map((twin) => this.loserOf(twin, peer, hello.peerId))
    const closes = losers.filter((loser) => loser !== null && loser !== peer) as Peer[]
    if (losers.includes(peer)) return { refused: 'duplicate-connection', closes }
    // A second connection to a neighbour takes the place of the first, which its owner is about to close.
    const rest = ready.filter((other) => !closes.includes(other))
    const admitted = twins.length > 0 ? rest.length <= maxLinks : this.neighbours.admit(rest, now)
    return { refused: admitted ? null : 'full', closes }
  }

  /**
   * Two connections to one peer: both ends must drop the same one. The one whose offerer has the
   * smaller peer id stays. Where both have the same offerer the newer stays; but the ends may not
   * agree which that is, so the one with the smaller peer id decides and the other hears its Goodbye.
   */
  private loserOf(older: Peer, newer: Peer, peerId: PeerId): Peer | null {
    const weAreSmaller = this.options.peerId < peerId
    if (older.initiator === newer.initiator) return weAreSmaller ? older : null
    return older.initiator === weAreSmaller ? newer : older
  }
}

function refusal(refused: GoodbyeReason | 'ban'): Verdict {
  return { refused, closes: [] }
}

import type { Millis, PeerId } from '@shoal/protocol'
import type { Counters } from '../stats/counters.js'
import type { Peer } from '../swarm/peer.js'
import type { Registry } from '../swarm/registry.js'
import type { Accused, Elsewhere } from './elsewhere.js'

/**
 * What peers say of peers that passed on wrong data. The node that has the accused one counts, since it
 * alone knows its address; all nodes hear of a ban.
 */
export class Accusations implements Accused {
  /** The other nodes; null for a tracker on its own. */
  elsewhere: Elsewhere | null = null
  private readonly registry: Registry
  private readonly counters: Counters

  constructor(registry: Registry, counters: Counters) {
    this.registry = registry
    this.counters = counters
  }

  /** A peer here accuses others of its swarm. */
  accuse({ swarm, session }: Peer, accused: readonly PeerId[], now: Millis): void {
    const guard = session?.guard
    if (!guard) return
    for (const id of accused) {
      const suspect = swarm.peers.get(id)
      if (suspect !== undefined) this.accused(suspect, guard.network, now)
      else if (this.elsewhere !== null && guard.mayAccuse(now)) {
        this.elsewhere.accuse(swarm.infoHash, id, guard.network)
      }
    }
  }

  /** Whom peers of enough networks accuse leaves the swarm; its next announce is refused. */
  accused(suspect: Peer, network: string, now: Millis): void {
    const { infoHash } = suspect.swarm
    const address = suspect.session?.guard?.accused(network, infoHash, now) ?? null
    if (address === null) return
    this.counters.bans++
    this.registry.leave(suspect)
    this.elsewhere?.banned(infoHash, address)
  }
}

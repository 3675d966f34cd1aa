import type { Clock, CreateSwarm, OpenTrackerSocket, PeerLinkFactory, Random } from '@shoal/core'
import type { DirectPort } from './direct-port.js'

/** What a seeder takes from the machine it runs on. */
export interface SeederHost {
  readonly clock: Clock
  readonly random: Random
  readonly openSocket: OpenTrackerSocket
  readonly createSwarm: CreateSwarm
  /** Null where WebRTC cannot be had: the seeder then serves by HTTP alone. */
  readonly links: PeerLinkFactory | null
  /** Null where nobody is to dial directly. */
  readonly direct: DirectPort | null
  /** Called when the seeder has closed. */
  release(): void
}

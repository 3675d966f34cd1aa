import type { Peer } from './peer.js'

/** Where texts for one client go: a socket, seen from the pure side. */
export interface Outlet {
  send(text: string): void
}

/**
 * One client socket and the peers that announced over it.
 *
 * A socket carries many swarms, and one client may use another peer id in each; a page with two
 * players even has two peers of one swarm on one socket.
 */
export class Session {
  readonly outlet: Outlet
  /** Short (bounded by the registry's limit), so that a list costs less than a set would. */
  readonly peers: Peer[] = []

  constructor(outlet: Outlet) {
    this.outlet = outlet
  }
}

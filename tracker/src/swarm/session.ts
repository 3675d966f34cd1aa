import type { Guard } from '../admission/guard.js'
import type { Place } from '../locality/place.js'
import { UNKNOWN_PLACE } from '../locality/place.js'
import type { WireText } from '../wire/wire-text.js'
import type { Peer } from './peer.js'

/** Where messages for one client go: a socket, seen from the pure side. */
export interface Outlet {
  /**
   * Sends one message: the parts, one after the other. In parts, because putting strings together
   * costs more than writing each where the message goes out from.
   */
  send(head: WireText, body?: WireText, tail?: WireText): void
}

/** Never written to. */
const NO_PEERS: Peer[] = []

/**
 * One client socket and the peers that announced over it.
 *
 * A socket carries many swarms, and one client may use another peer id in each; a page with two
 * players even has two peers of one swarm on one socket.
 */
export class Session {
  readonly outlet: Outlet
  /** The client's address as text, null where it is unknown. Never told to other clients. */
  readonly address: string | null
  /** What stands between the socket and the tracker; null for nothing. */
  readonly guard: Guard | null
  /** Where its address is, and the version of the knowledge that said so. */
  place: Place = UNKNOWN_PLACE
  placeVersion = 0
  private list: Peer[] = NO_PEERS

  constructor(outlet: Outlet, address: string | null = null, guard: Guard | null = null) {
    this.outlet = outlet
    this.address = address
    this.guard = guard
  }

  /** Short (bounded by the registry's limit), so that a list costs less than a set would. */
  get peers(): readonly Peer[] {
    return this.list
  }

  add(peer: Peer): void {
    // Most sockets have one: V8 makes room for seventeen when something is pushed on an empty list.
    if (this.list.length === 0) this.list = [peer]
    else this.list.push(peer)
  }

  remove(peer: Peer): void {
    const at = this.list.indexOf(peer)
    const last = this.list.pop()
    if (last !== undefined && last !== peer && at >= 0) this.list[at] = last
    if (this.list.length === 0) this.list = NO_PEERS
  }
}

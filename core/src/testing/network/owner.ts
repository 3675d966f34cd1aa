import { type ChannelKind, millis } from '@shoal/protocol'
import type { PeerLinkEvents } from '../../ports/link.js'
import type { MemoryHost } from './memory-host.js'

/** Calls a link's owner. A dead host's owner hears nothing; what an owner throws is reported. */
export class Owner {
  readonly #host: MemoryHost
  readonly #events: PeerLinkEvents

  constructor(host: MemoryHost, events: PeerLinkEvents) {
    this.#host = host
    this.#events = events
  }

  /** From a timer of its own: never from inside a method of the link. */
  later(call: (events: PeerLinkEvents) => void): void {
    this.#host.clock.setTimer(millis(0), () => this.now(call))
  }

  /** A message came; as `now`, which takes a function for each call. */
  message(channel: ChannelKind, bytes: Uint8Array): void {
    if (this.#host.isDead) return
    try {
      this.#events.onMessage(channel, bytes)
    } catch (error) {
      this.#host.report(error)
    }
  }

  /** For callers that a timer has called. */
  now(call: (events: PeerLinkEvents) => void): void {
    if (this.#host.isDead) return
    try {
      call(this.#events)
    } catch (error) {
      this.#host.report(error)
    }
  }
}

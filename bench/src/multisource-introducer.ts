import type { OpenTrackerSocket, TrackerSocketEvents } from '@shoal/core'
import { type ClientMessage, type PeerId, TRACKER_EXTENSION_VERSION } from '@shoal/protocol'

/** Seconds between announces: whose connection has not opened offers another. */
const INTERVAL_SECONDS = 10

/** A tracker in this process that hands everybody's offer to one peer, so that all connect to it and to nobody else. */
export class Introducer {
  readonly #hub: PeerId
  readonly #members = new Map<PeerId, TrackerSocketEvents>()

  constructor(hub: PeerId) {
    this.#hub = hub
  }

  readonly openSocket: OpenTrackerSocket = (_url, events) => {
    setImmediate(() => events.onOpen())
    return {
      send: (text) => {
        this.#take(JSON.parse(text) as ClientMessage, events)
        return true
      },
      close: () => setImmediate(() => events.onClose('closed')),
    }
  }

  #take(message: ClientMessage, events: TrackerSocketEvents): void {
    if ('to_peer_id' in message) {
      const { to_peer_id, ...rest } = message
      this.#deliver(to_peer_id, rest)
      return
    }
    const { info_hash, peer_id, offers = [] } = message
    this.#members.set(peer_id, events)
    // The hub is told that it is alone, so that it offers nothing; its first offers go nowhere.
    const isHub = peer_id === this.#hub
    this.#deliver(peer_id, {
      action: 'announce',
      info_hash,
      interval: INTERVAL_SECONDS,
      complete: 0,
      incomplete: isHub ? 1 : 2,
      shoal: { v: TRACKER_EXTENSION_VERSION, report_interval: INTERVAL_SECONDS },
    })
    const [first] = offers
    if (isHub || first === undefined) return
    const { offer, offer_id } = first
    this.#deliver(this.#hub, { action: 'announce', info_hash, peer_id, offer_id, offer })
  }

  #deliver(to: PeerId, message: object): void {
    setImmediate(() => this.#members.get(to)?.onMessage(JSON.stringify(message)))
  }
}

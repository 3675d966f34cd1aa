import { millis } from '@shoal/protocol'
import type { Clock } from '../../ports/clock.js'
import {
  LINK_OPEN_TIMEOUT_MS,
  type PeerLink,
  type PeerLinkEvents,
  type PeerLinkFactory,
} from '../../ports/link.js'
import { DOWNLOAD_QUEUE_MS, type HostOptions } from './conditions.js'
import { PACKET_BYTES } from './congestion.js'
import type { QueuedMessage } from './flow.js'
import { FluidUplink } from './fluid-uplink.js'
import type { MemoryLink } from './memory-link.js'
import type { MemoryNetwork } from './memory-network.js'
import { type Line, Uplink } from './uplink.js'

/** Message bytes and messages of one host, since its start. */
export interface HostStats {
  sentBytes: number
  receivedBytes: number
  /** Lossy messages that left this host and came nowhere. */
  lostMessages: number
}

/** One machine of a `MemoryNetwork`. It makes links, which share its access line. */
export class MemoryHost implements PeerLinkFactory {
  readonly network: MemoryNetwork
  readonly address: string
  readonly uplink: Line
  readonly stats: HostStats = { sentBytes: 0, receivedBytes: 0, lostMessages: 0 }
  readonly #links = new Set<MemoryLink>()
  readonly #downloadBytesPerMs: number
  readonly #downloadQueueMs: number
  readonly #onError: ((error: unknown) => void) | undefined
  /** Time from a link's creation to its opening at most, in milliseconds. */
  readonly openTimeoutMs: number
  #downloadFreeAt = 0
  #dead = false

  constructor(network: MemoryNetwork, address: string, options: HostOptions) {
    this.network = network
    this.address = address
    const Kind = network.fluid ? FluidUplink : Uplink
    this.uplink = new Kind(network.clock, options.uploadBytesPerSecond ?? Number.POSITIVE_INFINITY)
    this.#downloadBytesPerMs = (options.downloadBytesPerSecond ?? Number.POSITIVE_INFINITY) / 1000
    this.openTimeoutMs = options.openTimeoutMs ?? LINK_OPEN_TIMEOUT_MS
    this.#onError = options.onError
    this.#downloadQueueMs = options.downloadQueueMs ?? DOWNLOAD_QUEUE_MS
  }

  get clock(): Clock {
    return this.network.clock
  }

  get isDead(): boolean {
    return this.#dead
  }

  /** Links that are not closed. */
  get links(): readonly MemoryLink[] {
    return [...this.#links]
  }

  create(role: 'offerer' | 'answerer', events: PeerLinkEvents): PeerLink {
    return this.createLink(role, events)
  }

  /** As `create`, with the memory link's own tools for tests. */
  createLink(role: 'offerer' | 'answerer', events: PeerLinkEvents): MemoryLink {
    const link = this.network.register(this, role, events)
    this.#links.add(link)
    return link
  }

  /** Ends the machine without a word: its owners hear nothing more, the other ends notice in time. */
  kill(): void {
    this.#dead = true
    for (const link of this.links) link.die()
  }

  /** A message for `link` reached this host's access line. */
  receive(link: MemoryLink, from: MemoryLink, message: QueuedMessage): void {
    const now = this.clock.now()
    const ackDelay = link.outgoing.delayMs
    // A packet is not held up by a message of many: others go before and after it.
    const overtakes = this.network.fluid && message.bytes <= PACKET_BYTES
    if (overtakes || this.#downloadBytesPerMs === Number.POSITIVE_INFINITY) {
      from.fateKnownAt(now + ackDelay, message, false)
      link.deliver(message)
      return
    }
    const startsAt = Math.max(now, this.#downloadFreeAt)
    if (message.channel === 'lossy' && startsAt - now > this.#downloadQueueMs) {
      from.host.stats.lostMessages++
      from.fateKnownAt(startsAt + ackDelay, message, true)
      return
    }
    this.#downloadFreeAt = startsAt + message.bytes / this.#downloadBytesPerMs
    from.fateKnownAt(this.#downloadFreeAt + ackDelay, message, false)
    if (this.network.light && startsAt === now) link.deliver(message)
    else this.clock.setTimer(millis(this.#downloadFreeAt - now), () => link.deliver(message))
  }

  /** An owner's exception, or a link misused. Thrown where nobody takes it. */
  report(error: unknown): void {
    const onError = this.#onError ?? this.network.onError
    if (onError === undefined) throw error
    onError(error)
  }

  forget(link: MemoryLink): void {
    this.#links.delete(link)
    this.network.unregister(link)
  }
}

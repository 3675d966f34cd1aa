import { type DialAddress, dialAddressText, millis, type PeerId, type Signal } from '@shoal/protocol'
import type { Clock } from '../ports/clock.js'
import type { PeerLink, PeerLinkEvents } from '../ports/link.js'
import type { Swarm } from '../runtime/swarm-api.js'
import type { MemoryHost } from './network/memory-host.js'

/** Time between connectivity checks, in milliseconds. */
const CHECK_MS = 500

interface Listener {
  readonly swarm: Swarm
  readonly host: MemoryHost
}

/** UDP ports of a memory world: links that are made without signalling. */
export class MemoryDials {
  private readonly clock: Clock
  private readonly listeners = new Map<string, Listener>()
  /** Dials so far, answered or not. */
  count = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  listen(address: DialAddress, listener: Listener): void {
    this.listeners.set(dialAddressText(address), listener)
  }

  /** Nobody hears there any more. */
  stop(address: DialAddress): void {
    this.listeners.delete(dialAddressText(address))
  }

  /** As `PeerLinkFactory.dial`: the check is repeated until it is heard, or the link gives up. */
  dial(from: MemoryHost, address: DialAddress, self: PeerId, events: PeerLinkEvents): PeerLink {
    this.count++
    let cancel = (): void => undefined
    let other: PeerLink | null = null
    const told: Signal[] = []
    const ends = (reason: Parameters<PeerLinkEvents['onClose']>[0]): void => {
      cancel()
      events.onClose(reason)
    }
    const check = (): void => {
      const listener = this.listeners.get(dialAddressText(address))
      const taken = listener?.swarm.accept(self, (theirs) => {
        const onSignal = (signal: Signal): void => link.signal(signal)
        other = listener.host.createLink('answerer', { ...handed(theirs), onSignal })
        for (const signal of told) other.signal(signal)
        return other
      })
      if (taken !== true) cancel = this.clock.setTimer(millis(CHECK_MS), check)
    }
    const onSignal = (signal: Signal): void => {
      told.push(signal)
      other?.signal(signal)
      if (told.length === 1) check()
    }
    const link: PeerLink = from.createLink('offerer', { ...handed(events), onSignal, onClose: ends })
    return link
  }
}

function handed(events: PeerLinkEvents): PeerLinkEvents {
  return {
    onSignal: (signal) => events.onSignal(signal),
    onOpen: () => events.onOpen(),
    onMessage: (channel, bytes) => events.onMessage(channel, bytes),
    onDrain: () => events.onDrain(),
    onClose: (reason) => events.onClose(reason),
  }
}

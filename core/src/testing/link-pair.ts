import type { Signal } from '@shoal/protocol'
import type { PeerLinkEvents } from '../ports/link.js'
import type { MemoryHost } from './network/memory-host.js'
import type { MemoryLink } from './network/memory-link.js'

/** Two ends of one connection. */
export interface MemoryLinkPair {
  readonly offerer: MemoryLink
  readonly answerer: MemoryLink
}

/**
 * Two links that tell each other their signals by themselves: the owners' `onSignal` is not called.
 * They open when the clock moves on.
 */
export function createMemoryLinkPair(
  offererHost: MemoryHost,
  offererEvents: PeerLinkEvents,
  answererHost: MemoryHost,
  answererEvents: PeerLinkEvents,
): MemoryLinkPair {
  const ends: { offerer?: MemoryLink; answerer?: MemoryLink } = {}
  const handingTo = (events: PeerLinkEvents, other: 'offerer' | 'answerer'): PeerLinkEvents => ({
    onSignal: (signal: Signal) => ends[other]?.signal(signal),
    onOpen: () => events.onOpen(),
    onMessage: (channel, bytes) => events.onMessage(channel, bytes),
    onDrain: () => events.onDrain(),
    onClose: (reason) => events.onClose(reason),
  })
  const offerer = offererHost.createLink('offerer', handingTo(offererEvents, 'answerer'))
  const answerer = answererHost.createLink('answerer', handingTo(answererEvents, 'offerer'))
  ends.offerer = offerer
  ends.answerer = answerer
  return { offerer, answerer }
}

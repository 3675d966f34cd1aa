import { describe, it } from 'vitest'
import type { MemoryLink } from '../network/memory-link.js'
import { MemoryNetwork } from '../network/memory-network.js'
import { VirtualClock } from '../virtual-clock.js'
import type { LinkEvent, LinkHarness, RawPeer, Role } from './harness.js'
import { linkConformance } from './link-conformance.js'
import { LocalPeer } from './local-peer.js'

/** Memory links on paths of 5 ms and 20 MB/s: buffers fill within one turn. */
function memoryHarness(): LinkHarness {
  const clock = new VirtualClock()
  const network = new MemoryNetwork({ clock, path: { delayMs: 5, bytesPerSecond: 20_000_000 } })
  return {
    async create(_side, options) {
      const { openTimeoutMs } = options
      return new LocalPeer(
        (onError) =>
          network.createHost({ onError, ...(openTimeoutMs === undefined ? {} : { openTimeoutMs }) }),
        options,
      )
    },
    async createRaw(role) {
      return rawPeer(network, role)
    },
    until: (condition, limitMs) => clock.runUntilAsync(condition, limitMs),
    async liveLinks() {
      return network.linkCount
    },
  }
}

/** Sends past the checks of `send`. */
function rawPeer(network: MemoryNetwork, role: Role): RawPeer {
  const events: LinkEvent[] = []
  const link: MemoryLink = network.createHost().createLink(role, {
    onSignal: (signal) => events.push({ type: 'signal', signal }),
    onOpen: () => events.push({ type: 'open' }),
    onMessage: (channel, bytes) => events.push({ type: 'message', channel, bytes }),
    onDrain: () => events.push({ type: 'drain' }),
    onClose: (reason) => events.push({ type: 'close', reason }),
  })
  return {
    events,
    async signal(signal) {
      link.signal(signal as Parameters<MemoryLink['signal']>[0])
    },
    async close() {
      link.close()
    },
    async sendRaw(channel, data) {
      link.inject(channel, data)
      return true
    },
  }
}

describe('memory link', () => {
  for (const { name, run } of linkConformance(memoryHarness())) it(name, run)
})

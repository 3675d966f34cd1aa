import { describe, it } from 'vitest'
import type { MemoryHost } from '../network/memory-host.js'
import { MemoryNetwork } from '../network/memory-network.js'
import { VirtualClock } from '../virtual-clock.js'
import type { LinkHarness, RawPeer, Role } from './harness.js'
import { linkConformance } from './link-conformance.js'
import { LocalPeer } from './local-peer.js'

/** Memory links on a path of 5 ms and 2 MB/s: slow enough that buffers fill. */
function memoryHarness(): LinkHarness {
  const clock = new VirtualClock()
  const hosts: MemoryHost[] = []
  const open = (onError: (error: unknown) => void) => {
    shared.onError = onError
    return network
  }
  const shared: { onError: (error: unknown) => void } = { onError: () => undefined }
  const network = new MemoryNetwork({ clock, path: { delayMs: 5, bytesPerSecond: 2_000_000 } })
  void open
  return {
    shortTimeouts: false,
    async create(_side, options) {
      return new LocalPeer((onError) => {
        const host = network.createHost({ onError })
        hosts.push(host)
        return host
      }, options)
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

function rawPeer(network: MemoryNetwork, role: Role): RawPeer {
  const peer = new LocalPeer(() => network.createHost(), { role })
  void peer
  throw new Error('later')
}

describe('memory link', () => {
  for (const { name, run } of linkConformance(memoryHarness())) it(name, run)
})

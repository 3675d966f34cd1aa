import {
  type LinkEvent,
  type LinkHarness,
  LocalPeer,
  linkConformance,
  type RawPeer,
  type Role,
} from '@shoal/core/testing'
import type { ChannelKind, Signal } from '@shoal/protocol'
import { afterAll, describe, it } from 'vitest'
import { createBarePeer } from './bare-peer.js'
import { createNodeLinkFactory, type NodeLinkFactory } from './node-link-factory.js'

const factories: NodeLinkFactory[] = []

const harness: LinkHarness = {
  async create(_side, options) {
    const { openTimeoutMs } = options
    return new LocalPeer((onError) => {
      const factory = createNodeLinkFactory({
        bindAddress: '127.0.0.1',
        onError,
        ...(openTimeoutMs === undefined ? {} : { openTimeoutMs }),
      })
      factories.push(factory)
      return factory
    }, options)
  },
  createRaw: async (role) => rawPeer(role),
  async until(condition, limitMs) {
    const end = performance.now() + limitMs
    for (;;) {
      if (condition()) return true
      if (performance.now() >= end) return false
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  },
  async liveLinks() {
    return factories.reduce((sum, { liveLinks }) => sum + liveLinks, 0)
  },
}

function rawPeer(role: Role): RawPeer {
  const events: LinkEvent[] = []
  const bare = createBarePeer({
    role,
    bindAddress: '127.0.0.1',
    onSignal: (signal) => events.push({ type: 'signal', signal }),
    onOpen: () => events.push({ type: 'open' }),
    onMessage: () => undefined,
  })
  const send = (channel: ChannelKind, data: Uint8Array | string) => {
    const native = bare.channels[channel]
    if (typeof data === 'string') native.sendMessage(data)
    else native.sendMessageBinary(data)
  }
  return {
    events,
    async signal(signal) {
      bare.signal(signal as Signal)
    },
    async close() {
      bare.close()
    },
    async sendRaw(channel, data) {
      try {
        send(channel, data)
        return true
      } catch {
        return false
      }
    },
  }
}

describe('node-datachannel link', () => {
  afterAll(() => Promise.all(factories.map((factory) => factory.shutdown())))
  for (const { name, run } of linkConformance(harness)) it(name, run, 60_000)
})

import { type ChannelKind, DATA_HEADER_BYTES, decodeMessage, MessageType } from '@shoal/protocol'
import type { PeerLink, PeerLinkEvents, PeerLinkFactory } from '../../ports/link.js'
import type { MemoryHost } from '../network/memory-host.js'

/** What all viewers sent each other, by message type. */
export class Traffic {
  readonly bytes = new Float64Array(256)
  readonly messages = new Float64Array(256)
  /** Payload of Data that came. */
  payloadReceived = 0

  /** Bytes of messages that are not Data, as a share of all. */
  get controlShare(): number {
    let all = 0
    for (const bytes of this.bytes) all += bytes
    return all === 0 ? 0 : (all - (this.bytes[MessageType.data] ?? 0)) / all
  }

  /** Messages and bytes by name of the type. */
  byName(): Record<string, { readonly messages: number; readonly bytes: number }> {
    return Object.fromEntries(
      Object.entries(MessageType).map(([name, type]) => [
        name,
        { messages: this.messages[type] ?? 0, bytes: this.bytes[type] ?? 0 },
      ]),
    )
  }
}

export interface Metering {
  readonly traffic: Traffic
  /** Changes what is sent; the bytes as they are where nothing is to be changed. */
  readonly alter: ((bytes: Uint8Array) => Uint8Array) | null
  /** Called with each Goodbye that bans: whose connection it ends. */
  readonly onBan: (banned: MemoryHost | null) => void
  /** Called with each Data message that comes: its payload in bytes, and the sender's host. */
  readonly onData: (payload: number, from: MemoryHost | null) => void
}

type MeteredLink = PeerLink & { readonly peerHost: MemoryHost | null }

/** Links that are counted, and altered where their owner is hostile. */
export function meteredLinks(host: MemoryHost, metering: Metering): PeerLinkFactory {
  const { traffic, onData } = metering
  return {
    create: (role, events) => {
      const heard: PeerLinkEvents = {
        onSignal: (signal) => events.onSignal(signal),
        onOpen: () => events.onOpen(),
        onMessage: (channel, bytes) => {
          if (bytes[0] === MessageType.data) {
            const payload = bytes.length - DATA_HEADER_BYTES
            traffic.payloadReceived += payload
            onData(payload, link.peerHost)
          }
          events.onMessage(channel, bytes)
        },
        onDrain: () => events.onDrain(),
        onClose: (reason) => events.onClose(reason),
      }
      const link = host.createLink(role, heard)
      return metered(link, metering)
    },
  }
}

function metered(link: MeteredLink, { traffic, alter, onBan }: Metering): PeerLink {
  return {
    signal: (signal) => link.signal(signal),
    send: (channel: ChannelKind, bytes: Uint8Array) => {
      const type = bytes[0] ?? 0
      if (type === MessageType.goodbye) {
        const message = decodeMessage(bytes, 'control')
        if (message.type === 'goodbye' && message.reason === 'violation') onBan(link.peerHost)
      }
      const result = link.send(channel, alter === null ? bytes : alter(bytes))
      if (result === 'sent') {
        traffic.bytes[type] = (traffic.bytes[type] ?? 0) + bytes.length
        traffic.messages[type] = (traffic.messages[type] ?? 0) + 1
      }
      return result
    },
    bufferedAmount: (channel) => link.bufferedAmount(channel),
    close: () => link.close(),
  }
}

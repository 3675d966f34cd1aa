import { type CreateOptions, type LinkEvent, LocalPeer, type Role } from '@shoal/core/testing'
import type { ChannelKind, Signal } from '@shoal/protocol'
import { createBrowserLinkFactory, isWebRtcSupported } from '../../player-plugin/dist/links/index.js'

/** Runs in the page: links under test, told what to do by `RemotePeer`, telling it what they saw. */

interface PeerReport {
  readonly id: number
  readonly events: readonly unknown[]
  readonly errors: readonly string[]
  readonly faults: readonly string[]
}

interface Watched {
  readonly events: readonly LinkEvent[]
  readonly errors: readonly string[]
  readonly faults: readonly string[]
}

declare global {
  interface Window {
    /** The test's side, put here by Playwright. */
    tellLinks(reports: readonly PeerReport[]): Promise<void>
    links: typeof links
  }
}

const FLUSH_MS = 5

const peers = new Map<number, LocalPeer>()
const raws = new Map<number, RawConnection>()
const told = new Map<number, number>()
const connections: RTCPeerConnection[] = []

/** Counts connections, to find what was not closed. */
class CountedConnection extends RTCPeerConnection {
  constructor(config?: RTCConfiguration) {
    super(config)
    connections.push(this)
  }
}

const links = {
  isSupported: isWebRtcSupported,

  create(id: number, options: CreateOptions): void {
    const { openTimeoutMs } = options
    const peer = new LocalPeer(
      (onError) => createBrowserLinkFactory({ onError, ...(openTimeoutMs && { openTimeoutMs }) }),
      options,
    )
    peers.set(id, peer)
  },
  signal: (id: number, signal: unknown) => peerOf(id).signal(signal),
  send: (id: number, channel: ChannelKind, text: string) => peerOf(id).send(channel, bytesOf(text)),
  fill: (id: number, channel: ChannelKind, size: number, limit: number) =>
    peerOf(id).fill(channel, size, limit),
  bufferedAmount: (id: number, channel: ChannelKind) => peerOf(id).bufferedAmount(channel),
  close: (id: number) => peerOf(id).close(),

  createRaw(id: number, role: Role): void {
    raws.set(id, new RawConnection(role))
  },
  signalRaw: (id: number, signal: Signal) => raws.get(id)?.signal(signal),
  sendRaw: (id: number, channel: ChannelKind, data: { text: string } | { base64: string }) =>
    raws.get(id)?.send(channel, 'text' in data ? data.text : bytesOf(data.base64)) ?? false,
  closeRaw: (id: number) => raws.get(id)?.connection.close(),

  liveConnections: () => connections.filter(({ signalingState }) => signalingState !== 'closed').length,
}

/** A bare connection with our two channels. */
class RawConnection implements Watched {
  readonly events: LinkEvent[] = []
  readonly errors: string[] = []
  readonly faults: string[] = []
  readonly connection = new RTCPeerConnection()
  readonly #channels: Readonly<Record<ChannelKind, RTCDataChannel>>

  constructor(role: Role) {
    const control = this.connection.createDataChannel('shoal-control', { negotiated: true, id: 0 })
    const lossy = this.connection.createDataChannel('shoal-lossy', {
      negotiated: true,
      id: 1,
      ordered: false,
      maxRetransmits: 0,
    })
    this.#channels = { control, lossy }
    let opened = 0
    for (const channel of [control, lossy]) {
      channel.onopen = () => {
        opened++
        if (opened === 2) this.events.push({ type: 'open' })
      }
    }
    this.connection.onicecandidate = ({ candidate }) => {
      if (!candidate?.candidate) return
      const { sdpMid, sdpMLineIndex } = candidate
      const signal: Signal = { kind: 'candidate', candidate: candidate.candidate, sdpMid, sdpMLineIndex }
      this.events.push({ type: 'signal', signal })
    }
    if (role === 'offerer') void this.#describe()
  }

  async signal(signal: Signal): Promise<void> {
    // The other side's candidates may be on their way when the test closes it.
    if (this.connection.signalingState === 'closed') return
    if (signal.kind === 'candidate') {
      await this.connection.addIceCandidate(signal)
      return
    }
    await this.connection.setRemoteDescription(signal)
    if (signal.type === 'offer') await this.#describe()
  }

  send(channel: ChannelKind, data: Uint8Array<ArrayBuffer> | string): boolean {
    try {
      if (typeof data === 'string') this.#channels[channel].send(data)
      else this.#channels[channel].send(data)
      return true
    } catch {
      return false
    }
  }

  async #describe(): Promise<void> {
    await this.connection.setLocalDescription()
    const { type, sdp } = this.connection.localDescription ?? { type: 'rollback', sdp: '' }
    if (type !== 'offer' && type !== 'answer') return
    this.events.push({ type: 'signal', signal: { kind: 'description', type, sdp } })
  }
}

function peerOf(id: number): LocalPeer {
  const peer = peers.get(id)
  if (peer === undefined) throw new Error(`no peer ${id}`)
  return peer
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}

function portable(event: LinkEvent): unknown {
  if (event.type !== 'message') return event
  let text = ''
  for (const byte of event.bytes) text += String.fromCharCode(byte)
  return { ...event, bytes: btoa(text) }
}

function flush(): void {
  const reports: PeerReport[] = []
  const watched: (readonly [number, Watched])[] = [...peers, ...raws]
  for (const [id, { events, errors, faults }] of watched) {
    const from = told.get(id) ?? 0
    if (events.length === from) continue
    told.set(id, events.length)
    reports.push({ id, events: events.slice(from).map(portable), errors, faults })
  }
  if (reports.length > 0) void window.tellLinks(reports)
  setTimeout(flush, FLUSH_MS)
}

window.RTCPeerConnection = CountedConnection
window.links = links
setTimeout(flush, FLUSH_MS)

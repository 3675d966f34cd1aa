import {
  CONTROL_BUFFER_HIGH_BYTES,
  type LinkCloseReason,
  LOSSY_BUFFER_HIGH_BYTES,
  type PeerLink,
  type PeerLinkEvents,
  type SendResult,
  SignalInbox,
  SignalOutbox,
} from '@shoal/core'
import {
  type ChannelKind,
  type DialAddress,
  dialAnswer,
  MAX_CONTROL_MESSAGE_BYTES,
  MAX_LOSSY_MESSAGE_BYTES,
  type PeerId,
  type Signal,
} from '@shoal/protocol'
import { type Connection, type ConnectionEvents, connectSimplePeer } from './simple-peer-connection.js'

export interface BrowserLinkOptions {
  readonly role: 'offerer' | 'answerer'
  readonly iceConfig: RTCConfiguration
  /** The seeder that we dial as `self`: there is nothing to signal. */
  readonly to?: { readonly address: DialAddress; readonly self: PeerId }
  readonly openTimeoutMs: number
  /** Owners' exceptions, and what the browser complains of. */
  readonly onError: (error: unknown) => void
}

/**
 * Messages that may come before both channels have told their opening, which are events apart: a quick
 * peer's Hello and first Haves are a few.
 */
const MAX_EARLY_MESSAGES = 256

/** A connection through simple-peer. */
export class BrowserLink implements PeerLink {
  readonly #options: BrowserLinkOptions
  readonly #events: PeerLinkEvents
  readonly #inbox: SignalInbox
  readonly #outbox: SignalOutbox
  readonly #openTimer: ReturnType<typeof setTimeout>
  #connection: Connection | null = null
  readonly #openChannels = new Set<ChannelKind>()
  #state: 'opening' | 'open' | 'closed' = 'opening'
  #earlyMessages: [ChannelKind, Uint8Array][] = []

  constructor(options: BrowserLinkOptions, events: PeerLinkEvents) {
    this.#options = options
    this.#events = events
    this.#inbox = new SignalInbox(options.role)
    this.#outbox = new SignalOutbox((signal) => this.#tellSignal(signal))
    this.#openTimer = setTimeout(() => this.#end('connect-failed'), options.openTimeoutMs)
    try {
      this.#connection = connectSimplePeer(options.role, options.iceConfig, this.#connectionEvents())
    } catch (error) {
      this.#fail(error)
    }
  }

  signal(signal: Signal): void {
    const connection = this.#connection
    if (connection === null || this.#options.to !== undefined) return
    try {
      const { description, candidates } = this.#inbox.take(signal)
      if (description !== null) connection.setRemote(description)
      for (const candidate of candidates) connection.addCandidate(candidate)
    } catch {
      this.#end('bad-signal')
    }
  }

  send(channel: ChannelKind, bytes: Uint8Array): SendResult {
    const native = this.#connection?.channels[channel]
    if (this.#state !== 'open' || native === undefined) return 'closed'
    const lossy = channel === 'lossy'
    if (bytes.length > (lossy ? MAX_LOSSY_MESSAGE_BYTES : MAX_CONTROL_MESSAGE_BYTES)) {
      this.#fail(new RangeError(`message of ${bytes.length} bytes on the ${channel} channel`))
      return 'closed'
    }
    const bound = lossy ? LOSSY_BUFFER_HIGH_BYTES : CONTROL_BUFFER_HIGH_BYTES
    if (native.bufferedAmount + bytes.length > bound) return 'full'
    // The other side has just closed it; `onClose` is on its way.
    if (native.readyState !== 'open') return 'closed'
    try {
      native.send(bytes as Uint8Array<ArrayBuffer>)
      return 'sent'
    } catch (error) {
      this.#fail(error)
      return 'closed'
    }
  }

  bufferedAmount(channel: ChannelKind): number {
    return this.#state === 'open' ? (this.#connection?.channels[channel].bufferedAmount ?? 0) : 0
  }

  async roundTrip(): Promise<number | null> {
    return this.#state === 'open' ? ((await this.#connection?.roundTrip()) ?? null) : null
  }

  close(): void {
    this.#end('local')
  }

  #connectionEvents(): ConnectionEvents {
    return {
      onDescription: (sdp, type) => this.#described(sdp, type),
      onCandidate: (candidate, sdpMid) => this.#call(() => this.#outbox.candidate(candidate, sdpMid)),
      onChannelOpen: (channel) => this.#channelOpened(channel),
      onMessage: (channel, data) => this.#received(channel, data),
      onDrain: () => {
        if (this.#state === 'open') this.#call(() => this.#events.onDrain())
      },
      onEnd: (reason, error) => {
        if (reason === 'transport-error') this.#fail(error)
        else if (reason === 'ended') this.#end(this.#state === 'open' ? 'remote' : 'connect-failed')
        else this.#end(reason)
      },
    }
  }

  #described(sdp: string, type: string): void {
    const { to } = this.#options
    if (to === undefined) return this.#outbox.description(sdp, type)
    try {
      this.#connection?.setRemote({ type: 'answer', sdp: dialAnswer(sdp, to.self, to.address) })
    } catch (error) {
      this.#fail(error)
    }
  }

  #tellSignal(signal: Signal): void {
    if (this.#state !== 'closed' && this.#options.to === undefined) {
      this.#call(() => this.#events.onSignal(signal))
    }
  }

  #channelOpened(channel: ChannelKind): void {
    this.#openChannels.add(channel)
    if (this.#state !== 'opening' || this.#openChannels.size < 2) return
    this.#state = 'open'
    clearTimeout(this.#openTimer)
    this.#call(() => this.#events.onOpen())
    const early = this.#earlyMessages
    this.#earlyMessages = []
    for (const [from, bytes] of early) this.#tellMessage(from, bytes)
  }

  #received(channel: ChannelKind, data: unknown): void {
    if (this.#state === 'closed') return
    if (!(data instanceof ArrayBuffer)) {
      this.#fail(new TypeError(`text on the ${channel} channel`))
      return
    }
    const bound = channel === 'lossy' ? MAX_LOSSY_MESSAGE_BYTES : MAX_CONTROL_MESSAGE_BYTES
    if (data.byteLength > bound) {
      this.#fail(new RangeError(`the other side sent ${data.byteLength} bytes on the ${channel} channel`))
    } else if (this.#state === 'open') {
      this.#tellMessage(channel, new Uint8Array(data))
    } else if (this.#earlyMessages.length < MAX_EARLY_MESSAGES) {
      this.#earlyMessages.push([channel, new Uint8Array(data)])
    } else {
      this.#fail(new RangeError('too many messages before the connection is open'))
    }
  }

  #tellMessage(channel: ChannelKind, bytes: Uint8Array): void {
    if (this.#state === 'open') this.#call(() => this.#events.onMessage(channel, bytes))
  }

  /** Calls the owner. What it throws is reported: inside simple-peer it would end the connection. */
  #call(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#options.onError(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#state === 'closed') return
    queueMicrotask(() => this.#options.onError(error))
    this.#end('transport-error')
  }

  #end(reason: LinkCloseReason): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    clearTimeout(this.#openTimer)
    this.#earlyMessages = []
    const connection = this.#connection
    this.#connection = null
    this.#call(() => connection?.destroy())
    queueMicrotask(() => this.#call(() => this.#events.onClose(reason)))
  }
}

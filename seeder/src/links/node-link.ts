import {
  CONTROL_BUFFER_HIGH_BYTES,
  type LinkCloseReason,
  LOSSY_BUFFER_HIGH_BYTES,
  LOSSY_BUFFER_LOW_BYTES,
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
import nodeDataChannel, { type DataChannel, type PeerConnection, type RtcConfig } from 'node-datachannel'
import type { DirectDial } from './direct/dial.js'
import { JavaScriptQueue } from './javascript-queue.js'
import {
  CONTROL_CONFIG,
  CONTROL_LABEL,
  LINGER_MS,
  LOSSY_CONFIG,
  LOSSY_LABEL,
  OTHER_SIDE_GONE,
} from './native-settings.js'

export interface NodeLinkOptions {
  readonly role: 'offerer' | 'answerer'
  /** The other side has dialled us: there is nothing to signal. */
  readonly dial?: DirectDial
  /** The seeder that we dial as `self`: there is nothing to signal either. */
  readonly to?: { readonly address: DialAddress; readonly self: PeerId }
  readonly config: RtcConfig
  readonly openTimeoutMs: number
  /** Owners' exceptions, and what the native library complains of. */
  readonly onError: (error: unknown) => void
  /** The link holds nothing native any more. */
  readonly onReleased: (link: NodeLink) => void
}

/**
 * Messages that may come before `onOpen` has been told: each native event has a queue of its own, and
 * a quick peer's first words overtake the opening. Its Hello and first Haves are a few.
 */
const MAX_EARLY_MESSAGES = 256

/** A connection through node-datachannel's native interface (a quarter cheaper than its polyfill). */
export class NodeLink implements PeerLink {
  readonly #options: NodeLinkOptions
  readonly #events: PeerLinkEvents
  readonly #inbox: SignalInbox
  readonly #outbox: SignalOutbox
  readonly #queue: JavaScriptQueue
  readonly #openTimer: NodeJS.Timeout
  #connection: PeerConnection | null = null
  #channels: Readonly<Record<ChannelKind, DataChannel>> | null = null
  readonly #openChannels = new Set<ChannelKind>()
  /** Bytes in each channel's buffer at most: those of the last look, and what was sent since. */
  readonly #queued: Record<ChannelKind, number> = { control: 0, lossy: 0 }
  #state: 'opening' | 'open' | 'closed' = 'opening'
  #earlyMessages: [ChannelKind, Uint8Array][] = []

  constructor(options: NodeLinkOptions, events: PeerLinkEvents) {
    this.#options = options
    this.#events = events
    this.#inbox = new SignalInbox(options.role)
    this.#queue = new JavaScriptQueue(options.onError)
    this.#outbox = new SignalOutbox((signal) => this.#queue.put(() => this.#tellSignal(signal)))
    this.#openTimer = setTimeout(() => this.#end('connect-failed'), options.openTimeoutMs)
    try {
      this.#connect()
    } catch (error) {
      this.#fail(error)
    }
  }

  signal(signal: Signal): void {
    const connection = this.#connection
    if (connection === null || this.#unsignalled) return
    try {
      const { description, candidates } = this.#inbox.take(signal)
      if (description !== null) {
        connection.setRemoteDescription(description.sdp, description.type)
        if (description.type === 'offer') connection.setLocalDescription('answer')
      }
      for (const { candidate, sdpMid } of candidates) connection.addRemoteCandidate(candidate, sdpMid ?? '0')
    } catch {
      this.#end('bad-signal')
    }
  }

  send(channel: ChannelKind, bytes: Uint8Array): SendResult {
    const native = this.#channels?.[channel]
    if (this.#state !== 'open' || native === undefined) return 'closed'
    const lossy = channel === 'lossy'
    if (bytes.length > (lossy ? MAX_LOSSY_MESSAGE_BYTES : MAX_CONTROL_MESSAGE_BYTES)) {
      this.#fail(new RangeError(`message of ${bytes.length} bytes on the ${channel} channel`))
      return 'closed'
    }
    try {
      const bound = lossy ? LOSSY_BUFFER_HIGH_BYTES : CONTROL_BUFFER_HIGH_BYTES
      // Asking waits for the threads that send: only what may be too much is looked at.
      if (this.#queued[channel] + bytes.length > bound) this.#queued[channel] = native.bufferedAmount()
      if (this.#queued[channel] + bytes.length > bound) return 'full'
      // False means queued and not yet with SCTP: the library keeps it, it is sent.
      native.sendMessageBinary(bytes)
      this.#queued[channel] += bytes.length
      return 'sent'
    } catch (error) {
      if (OTHER_SIDE_GONE.test(String(error))) this.#end('remote')
      else this.#fail(error)
      return 'closed'
    }
  }

  bufferedAmount(channel: ChannelKind): number {
    const native = this.#channels?.[channel]
    if (this.#state !== 'open' || native === undefined) return 0
    try {
      this.#queued[channel] = native.bufferedAmount()
      return this.#queued[channel]
    } catch {
      // The other side has just closed it; `onClose` is on its way.
      return 0
    }
  }

  close(): void {
    this.#end('local')
  }

  #connect(): void {
    const connection = new nodeDataChannel.PeerConnection('shoal', this.#options.config)
    this.#connection = connection
    connection.onLocalDescription((sdp, type) => {
      this.#queue.put(() => this.#described(sdp, type))
    })
    connection.onLocalCandidate((candidate, mid) => {
      this.#queue.put(() => this.#outbox.candidate(candidate, mid))
    })
    connection.onStateChange((state) => {
      this.#queue.put(() => this.#stateChanged(state))
    })
    const control = connection.createDataChannel(CONTROL_LABEL, CONTROL_CONFIG)
    const lossy = connection.createDataChannel(LOSSY_LABEL, LOSSY_CONFIG)
    this.#channels = { control, lossy }
    this.#listen('control', control)
    this.#listen('lossy', lossy)
    lossy.setBufferedAmountLowThreshold(LOSSY_BUFFER_LOW_BYTES)
    lossy.onBufferedAmountLow(() => {
      this.#queue.put(() => {
        if (this.#state === 'open') this.#events.onDrain()
      })
    })
    const { role, dial } = this.#options
    if (dial !== undefined) {
      connection.setRemoteDescription(dial.offer, 'offer')
      connection.setLocalDescription('answer', dial.ice)
    } else if (role === 'offerer') {
      connection.setLocalDescription('offer')
    }
  }

  get #unsignalled(): boolean {
    return this.#options.dial !== undefined || this.#options.to !== undefined
  }

  #described(sdp: string, type: string): void {
    const { to } = this.#options
    if (to === undefined) return this.#outbox.description(sdp, type)
    try {
      this.#connection?.setRemoteDescription(dialAnswer(sdp, to.self, to.address), 'answer')
    } catch (error) {
      this.#fail(error)
    }
  }

  #listen(channel: ChannelKind, native: DataChannel): void {
    native.onOpen(() => {
      this.#queue.put(() => this.#channelOpened(channel))
    })
    native.onMessage((data) => {
      this.#queue.put(() => this.#received(channel, data))
    })
    native.onClosed(() => {
      this.#queue.put(() => this.#end(this.#state === 'open' ? 'remote' : 'connect-failed'))
    })
    native.onError((message) => {
      this.#queue.put(() => this.#fail(new Error(`data channel: ${message}`)))
    })
  }

  #tellSignal(signal: Signal): void {
    if (this.#state !== 'closed' && !this.#unsignalled) this.#events.onSignal(signal)
  }

  #channelOpened(channel: ChannelKind): void {
    this.#openChannels.add(channel)
    if (this.#state !== 'opening' || this.#openChannels.size < 2) return
    this.#state = 'open'
    clearTimeout(this.#openTimer)
    const early = this.#earlyMessages
    this.#earlyMessages = []
    this.#queue.put(() => {
      if (this.#state === 'open') this.#events.onOpen()
    })
    for (const [from, bytes] of early) this.#queue.put(() => this.#tellMessage(from, bytes))
  }

  #received(channel: ChannelKind, data: string | Buffer | ArrayBuffer): void {
    if (this.#state === 'closed') return
    if (typeof data === 'string') {
      this.#fail(new TypeError(`text on the ${channel} channel`))
      return
    }
    const bytes =
      data instanceof ArrayBuffer
        ? new Uint8Array(data)
        : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const bound = channel === 'lossy' ? MAX_LOSSY_MESSAGE_BYTES : MAX_CONTROL_MESSAGE_BYTES
    if (bytes.length > bound) {
      this.#fail(new RangeError(`the other side sent ${bytes.length} bytes on the ${channel} channel`))
    } else if (this.#state === 'open') {
      this.#tellMessage(channel, bytes)
    } else if (this.#earlyMessages.length < MAX_EARLY_MESSAGES) {
      this.#earlyMessages.push([channel, bytes])
    } else {
      this.#fail(new RangeError('too many messages before the connection is open'))
    }
  }

  #tellMessage(channel: ChannelKind, bytes: Uint8Array): void {
    if (this.#state === 'open') this.#events.onMessage(channel, bytes)
  }

  #stateChanged(state: string): void {
    // `disconnected` may recover; `failed` comes 15 s after a peer fell silent, or when DTLS failed.
    if (state !== 'failed' && state !== 'closed') return
    this.#end(this.#state === 'open' ? 'remote' : 'connect-failed')
  }

  #fail(error: unknown): void {
    if (this.#state === 'closed') return
    this.#queue.put(() => this.#options.onError(error))
    this.#end('transport-error')
  }

  #end(reason: LinkCloseReason): void {
    if (this.#state === 'closed') return
    const told = this.#state === 'open' && reason !== 'remote'
    this.#state = 'closed'
    clearTimeout(this.#openTimer)
    const connection = this.#connection
    const channels = this.#channels
    this.#connection = null
    this.#channels = null
    this.#earlyMessages = []
    const release = () => {
      this.#attempt(() => connection?.close())
      this.#options.onReleased(this)
    }
    if (told && channels !== null) {
      this.#attempt(() => channels.control.close())
      this.#attempt(() => channels.lossy.close())
      setTimeout(release, LINGER_MS)
    } else {
      release()
    }
    this.#queue.put(() => this.#events.onClose(reason))
  }

  #attempt(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#queue.put(() => this.#options.onError(error))
    }
  }
}

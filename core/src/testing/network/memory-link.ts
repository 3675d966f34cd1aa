import { type ChannelKind, millis, type Signal } from '@shoal/protocol'
import {
  type LinkCloseReason,
  LOSSY_BUFFER_LOW_BYTES,
  type PeerLink,
  type PeerLinkEvents,
  type SendResult,
} from '../../ports/link.js'
import { CLEAR_PATH, OPENING_ROUND_TRIPS, type PathConditions, SILENCE_NOTICED_MS } from './conditions.js'
import { BUFFER_LIMITS, MESSAGE_LIMITS, type QueuedMessage, SendBuffers } from './flow.js'
import { MemoryHandshake } from './memory-handshake.js'
import type { MemoryHost } from './memory-host.js'
import { candidateSignal, descriptionSignal } from './memory-signals.js'
import { Owner } from './owner.js'
import type { UplinkSender } from './uplink.js'

/** A message's fate on a cut path is known to the sender after SCTP's first retransmission timeout. */
const RETRANSMISSION_TIMEOUT_MS = 1000

/** One end of a connection inside a `MemoryNetwork`. */
export class MemoryLink implements PeerLink, UplinkSender {
  readonly buffers: SendBuffers
  readonly host: MemoryHost
  readonly #role: 'offerer' | 'answerer'
  readonly #owner: Owner
  readonly #handshake: MemoryHandshake
  #state: 'new' | 'connecting' | 'open' | 'closed' = 'new'
  #peer: MemoryLink | null = null
  #outgoing: PathConditions = CLEAR_PATH
  #lastControlArrival = 0
  #drainWanted = false
  #cancelOpenTimer: () => void
  #cancelSilenceTimer: (() => void) | null = null

  constructor(host: MemoryHost, role: 'offerer' | 'answerer', events: PeerLinkEvents, linkNumber: number) {
    this.host = host
    this.#role = role
    this.#owner = new Owner(host, events)
    this.#handshake = new MemoryHandshake(role, linkNumber, host.address)
    this.buffers = new SendBuffers(host.network.congestionControl)
    this.#cancelOpenTimer = host.clock.setTimer(millis(host.openTimeoutMs), () => this.#end('connect-failed'))
    if (role === 'offerer') this.#emitLocalSignals()
  }

  get token(): string {
    return this.#handshake.local.token
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Host of the other end, once both have found each other. */
  get peerHost(): MemoryHost | null {
    return this.#peer?.host ?? null
  }

  get outgoing(): PathConditions {
    return this.#outgoing
  }

  get roundTripMs(): number {
    return this.#outgoing.delayMs + (this.#peer?.outgoing.delayMs ?? 0)
  }

  signal(signal: Signal): void {
    if (this.#state === 'closed') return
    try {
      this.#handshake.take(signal)
    } catch {
      this.#end('bad-signal')
      return
    }
    if (this.#role === 'answerer' && signal.kind === 'description') this.#emitLocalSignals()
    this.#connect()
  }

  send(channel: ChannelKind, bytes: Uint8Array): SendResult {
    if (this.#state !== 'open') return 'closed'
    if (bytes.length > MESSAGE_LIMITS[channel]) {
      this.host.report(new RangeError(`message of ${bytes.length} bytes on ${channel}`))
      this.#end('transport-error')
      return 'closed'
    }
    if (this.bufferedAmount(channel) + bytes.length > BUFFER_LIMITS[channel]) return 'full'
    this.inject(channel, bytes)
    return 'sent'
  }

  bufferedAmount(channel: ChannelKind): number {
    if (this.#state !== 'open') return 0
    const bytes = this.buffers.bufferedBytes(channel)
    return channel === 'lossy' && bytes > 0 ? Math.ceil(bytes - this.host.uplink.sentOf(this)) : bytes
  }

  close(): void {
    this.#end('local')
  }

  /** Queues anything, as a peer that keeps to no rule would. For tests of the other end. */
  inject(channel: ChannelKind, data: Uint8Array | string): void {
    this.buffers.push({ channel, data, bytes: data.length })
    this.host.uplink.wake(this)
    if (this.buffers.bufferedBytes('lossy') > LOSSY_BUFFER_LOW_BYTES) this.#drainWanted = true
  }

  /** The process of this end is gone: nothing is told to anyone. */
  die(): void {
    const peer = this.#peer
    this.#release()
    peer?.checkSilence()
  }

  setOutgoing(path: PathConditions): void {
    this.#outgoing = path
    if (this.#state === 'open') this.host.uplink.wake(this)
  }

  /** Begins or stops waiting for ICE to notice that nothing comes any more. */
  checkSilence(): void {
    if (this.#state === 'closed') return
    const peer = this.#peer
    const heard = peer !== null && !peer.outgoing.cut && !this.#outgoing.cut && peer.#state !== 'closed'
    if (heard) {
      this.#cancelSilenceTimer?.()
      this.#cancelSilenceTimer = null
    } else if (this.#state === 'open') {
      this.#cancelSilenceTimer ??= this.host.clock.setTimer(millis(SILENCE_NOTICED_MS), () =>
        this.#end('remote'),
      )
    }
  }

  depart(message: QueuedMessage, leftAt: number): void {
    const { network, clock } = this.host
    const { delayMs, jitterMs, loss, cut } = this.#outgoing
    const peer = this.#peer
    this.host.stats.sentBytes += message.bytes
    this.#tellDrain()
    if (cut || peer === null) {
      this.host.stats.lostMessages++
      this.buffers.window.acknowledgeAt(leftAt + RETRANSMISSION_TIMEOUT_MS, message.bytes, true)
      return
    }
    let arrival = leftAt + delayMs + (jitterMs > 0 ? network.random() * jitterMs : 0)
    const lost = loss > 0 && network.random() < loss
    if (message.channel === 'control') {
      if (lost) arrival += this.roundTripMs
      arrival = Math.max(arrival, this.#lastControlArrival)
      this.#lastControlArrival = arrival
    } else if (lost) {
      this.host.stats.lostMessages++
      this.fateKnownAt(arrival + peer.outgoing.delayMs, message, true)
      return
    }
    clock.setTimer(millis(arrival - clock.now()), () => peer.host.receive(peer, this, message))
  }

  /** The message came to this host, or was dropped before its last line; the sender will learn it. */
  fateKnownAt(at: number, message: QueuedMessage, lost: boolean): void {
    this.buffers.window.acknowledgeAt(at, message.bytes, lost)
    if (this.#state === 'open' && this.buffers.waiting) this.host.uplink.wake(this)
  }

  /** Hands a message that came to the owner. */
  deliver(message: QueuedMessage): void {
    if (this.#state !== 'open') return
    const { channel, data } = message
    this.host.stats.receivedBytes += message.bytes
    if (typeof data === 'string' || data.length > MESSAGE_LIMITS[channel]) {
      this.#end('transport-error')
      return
    }
    // A copy: on a real network the receiver's bytes are its own.
    const bytes = this.host.network.light ? data : data.slice()
    this.#owner.message(channel, bytes)
  }

  #emitLocalSignals(): void {
    this.#owner.later((events) => events.onSignal(descriptionSignal(this.#handshake.local)))
    this.#owner.later((events) => events.onSignal(candidateSignal(this.host.address)))
  }

  /** Begins the handshake once both sides have the other's description and one has a candidate. */
  #connect(): void {
    const { remoteToken } = this.#handshake
    const peer = remoteToken === null ? undefined : this.host.network.linkOf(remoteToken)
    if (peer === undefined || this.#state !== 'new' || peer.#state !== 'new') return
    if (!this.#handshake.reaches(peer.#handshake)) return
    this.#state = 'connecting'
    peer.#state = 'connecting'
    this.#meet(peer)
    peer.#meet(this)
    const wait = Math.max(
      OPENING_ROUND_TRIPS * this.roundTripMs,
      this.host.network.openingMs(this.host, peer.host),
    )
    this.host.clock.setTimer(millis(wait), () => this.#finishHandshake(peer))
  }

  #meet(peer: MemoryLink): void {
    this.#peer = peer
    this.#outgoing = this.host.network.pathOf(this.host, peer.host)
  }

  #finishHandshake(peer: MemoryLink): void {
    if (this.#state !== 'connecting' || peer.#state !== 'connecting') return
    if (this.#outgoing.cut || peer.outgoing.cut) return
    const genuine = this.#handshake.verifies(peer.#handshake) && peer.#handshake.verifies(this.#handshake)
    for (const end of [peer, this]) {
      if (genuine) end.#open()
      else end.#end('connect-failed')
    }
  }

  #open(): void {
    this.#state = 'open'
    this.#cancelOpenTimer()
    this.#owner.later((events) => {
      if (this.#state === 'open') events.onOpen()
    })
  }

  #tellDrain(): void {
    if (!this.#drainWanted || this.buffers.bufferedBytes('lossy') > LOSSY_BUFFER_LOW_BYTES) return
    this.#drainWanted = false
    this.#owner.later((events) => {
      if (this.#state === 'open') events.onDrain()
    })
  }

  #end(reason: LinkCloseReason): void {
    if (this.#state === 'closed') return
    const peer = this.#peer
    const told = this.#state === 'open' && peer !== null && !this.#outgoing.cut
    this.#release()
    if (told) {
      const { clock } = this.host
      const arrival = Math.max(clock.now() + this.#outgoing.delayMs, this.#lastControlArrival)
      clock.setTimer(millis(arrival - clock.now()), () => peer.#end('remote'))
    } else {
      peer?.checkSilence()
    }
    this.#owner.later((events) => events.onClose(reason))
  }

  #release(): void {
    this.#state = 'closed'
    this.#cancelOpenTimer()
    this.#cancelSilenceTimer?.()
    this.buffers.clear()
    this.host.forget(this)
  }
}

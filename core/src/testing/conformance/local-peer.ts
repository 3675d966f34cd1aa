import type { ChannelKind, Signal } from '@shoal/protocol'
import type {
  LinkCloseReason,
  PeerLink,
  PeerLinkEvents,
  PeerLinkFactory,
  SendResult,
} from '../../ports/link.js'
import type { CreateOptions, FillResult, LinkEvent, TestPeer } from './harness.js'

/** A `TestPeer` around a link in this process. It watches the rules that only calls in turn show. */
export class LocalPeer implements TestPeer {
  readonly events: LinkEvent[] = []
  readonly errors: string[] = []
  readonly faults: string[] = []
  readonly #link: PeerLink
  readonly #throwIn: LinkEvent['type'] | undefined
  /** Name of the method that is running. */
  #inside: string | null = null

  /** @param makeFactory gets what the adapter is to report owners' exceptions and its own errors to */
  constructor(makeFactory: (onError: (error: unknown) => void) => PeerLinkFactory, options: CreateOptions) {
    this.#throwIn = options.throwIn
    const factory = makeFactory((error) => this.errors.push(String(error)))
    this.#inside = 'create'
    this.#link = factory.create(options.role, this.#recorder())
    this.#inside = null
  }

  async signal(signal: unknown): Promise<void> {
    this.#call('signal', () => this.#link.signal(signal as Signal), undefined)
  }

  async send(channel: ChannelKind, bytes: Uint8Array): Promise<SendResult> {
    return this.#send(channel, bytes)
  }

  async fill(channel: ChannelKind, size: number, limit: number): Promise<FillResult> {
    let sent = 0
    let last: SendResult = 'sent'
    while (sent < limit) {
      last = this.#send(channel, new Uint8Array(size).fill(sent))
      if (last !== 'sent') break
      sent++
    }
    return { sent, last, buffered: this.#link.bufferedAmount(channel) }
  }

  async bufferedAmount(channel: ChannelKind): Promise<number> {
    return this.#call('bufferedAmount', () => this.#link.bufferedAmount(channel), -1)
  }

  async close(): Promise<void> {
    this.#call('close', () => this.#link.close(), undefined)
  }

  #send(channel: ChannelKind, bytes: Uint8Array): SendResult {
    return this.#call('send', () => this.#link.send(channel, bytes), 'closed')
  }

  #call<T>(name: string, run: () => T, otherwise: T): T {
    this.#inside = name
    try {
      return run()
    } catch (error) {
      this.faults.push(`${name} threw ${String(error)}`)
      return otherwise
    } finally {
      this.#inside = null
    }
  }

  #recorder(): PeerLinkEvents {
    return {
      onSignal: (signal) => this.#record({ type: 'signal', signal }),
      onOpen: () => this.#record({ type: 'open' }),
      onMessage: (channel, bytes) => this.#record({ type: 'message', channel, bytes }),
      onDrain: () => this.#record({ type: 'drain' }),
      onClose: (reason: LinkCloseReason) => this.#record({ type: 'close', reason }),
    }
  }

  #record(event: LinkEvent): void {
    if (this.#inside !== null) this.faults.push(`${event.type} was called from inside ${this.#inside}`)
    if (this.events.some((earlier) => earlier.type === 'close')) {
      this.faults.push(`${event.type} came after close`)
    }
    if (event.type === 'open' && this.events.some((earlier) => earlier.type === 'open')) {
      this.faults.push('open came twice')
    }
    const early = event.type === 'message' || event.type === 'drain'
    if (early && !this.events.some((earlier) => earlier.type === 'open')) {
      this.faults.push(`${event.type} came before open`)
    }
    if (event.type === 'message' && !(event.bytes instanceof Uint8Array)) {
      this.faults.push('a message is not a Uint8Array')
    }
    this.events.push(event)
    if (event.type === this.#throwIn) throw new Error(`the owner throws in ${event.type}`)
  }
}

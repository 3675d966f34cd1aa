import type { PeerLinkFactory } from '@shoal/core'
import type { Signal } from '@shoal/protocol'
import type { Target } from './transport-cells.js'

/** What an end is asked to be. */
export interface EndOptions {
  readonly target: Target
  readonly role: 'offerer' | 'answerer'
  readonly messageBytes: number
}

export interface ConnectionHooks {
  onSignal(signal: Signal): void
  onOpen(): void
  onBytes(count: number): void
  /** The buffer has room again. */
  onRoom(): void
}

/** A connection of any target. */
export interface Connection {
  signal(signal: Signal): void
  /** False where the buffer is full and the message was not taken. */
  send(bytes: Uint8Array): boolean
  close(): void
}

export type Connect = (options: EndOptions, hooks: ConnectionHooks) => Connection

/** Bytes since `open`. */
export interface Counts {
  readonly sent: number
  readonly received: number
}

/** Depths that gave the bare channel its best throughput, in bytes (measured). */
export const BARE_BUFFER_HIGH_BYTES = 256 * 1024
export const BARE_BUFFER_LOW_BYTES = 64 * 1024

/** Messages sent before the event loop has its turn: a sender of its own is not all a process does. */
const BATCH = 256

/** One end of the connection that is measured; the same in Node and in the page. */
export class TransportEnd {
  readonly #connect: Connect
  readonly #soon: (run: () => void) => void
  #connection: Connection | null = null
  #message = new Uint8Array(0)
  #sent = 0
  #received = 0
  #sending = false
  #waiting = false

  /** @param soon runs after the events that wait now */
  constructor(connect: Connect, soon: (run: () => void) => void) {
    this.#connect = connect
    this.#soon = soon
  }

  open(options: EndOptions, onSignal: (signal: Signal) => void, onOpen: () => void): void {
    this.#message = new Uint8Array(options.messageBytes).fill(7)
    this.#sent = 0
    this.#received = 0
    this.#connection = this.#connect(options, {
      onSignal,
      onOpen,
      onBytes: (count) => {
        this.#received += count
      },
      onRoom: () => this.#pump(),
    })
  }

  signal(signal: Signal): void {
    this.#connection?.signal(signal)
  }

  startSending(): void {
    this.#sending = true
    this.#pump()
  }

  counts(): Counts {
    return { sent: this.#sent, received: this.#received }
  }

  close(): void {
    this.#sending = false
    this.#connection?.close()
    this.#connection = null
  }

  #pump(): void {
    if (this.#waiting) return
    for (let count = 0; count < BATCH; count++) {
      if (!this.#sending || this.#connection?.send(this.#message) !== true) return
      this.#sent += this.#message.length
    }
    this.#waiting = true
    this.#soon(() => {
      this.#waiting = false
      this.#pump()
    })
  }
}

/** Our link, from either adapter. */
export function connectShoal(
  factory: PeerLinkFactory,
  options: EndOptions,
  hooks: ConnectionHooks,
): Connection {
  const link = factory.create(options.role, {
    onSignal: (signal) => hooks.onSignal(signal),
    onOpen: () => hooks.onOpen(),
    onMessage: (_channel, bytes) => hooks.onBytes(bytes.length),
    onDrain: () => hooks.onRoom(),
    onClose: () => undefined,
  })
  return {
    signal: (signal) => link.signal(signal),
    send: (bytes) => link.send('lossy', bytes) === 'sent',
    close: () => link.close(),
  }
}

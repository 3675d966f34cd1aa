/**
 * What simple-peer 9.11.1 asks of its own dependencies, for a peer whose channels are read and written
 * directly. simple-peer is a Node stream; the browser shims of Node's streams and buffers are four times
 * its own size. `vite-simple-peer.ts` puts these in their place.
 */

type Listener = (...args: unknown[]) => void

interface Registration {
  readonly listener: Listener
  readonly once: boolean
}

/**
 * Node's `stream.Duplex` as far as a connection needs it: the events. Nobody reads or writes the stream,
 * so that `push` drops what it gets, no `data` or `end` ever comes, and `end` has nothing to wait for.
 */
export class Duplex {
  readonly _readableState = { ended: false }
  readonly _writableState = { finished: false }
  readonly #registrations = new Map<string, readonly Registration[]>()

  on(event: string, listener: Listener): this {
    return this.#add(event, { listener, once: false })
  }

  once(event: string, listener: Listener): this {
    return this.#add(event, { listener, once: true })
  }

  /** Takes every registration of the listener away. */
  removeListener(event: string, listener: Listener): this {
    const left = this.#of(event).filter((registration) => registration.listener !== listener)
    this.#registrations.set(event, left)
    return this
  }

  /**
   * Calls the listeners that are there now, in their order.
   *
   * @throws what a listener throws, and an `error` that nobody listens to, as Node's emitter does
   */
  emit(event: string, ...args: unknown[]): boolean {
    const registrations = this.#of(event)
    if (event === 'error' && registrations.length === 0) throw args[0]
    for (const { listener, once } of registrations) {
      if (once) this.removeListener(event, listener)
      listener(...args)
    }
    return registrations.length > 0
  }

  push(chunk: unknown): boolean {
    if (chunk === null) this._readableState.ended = true
    return false
  }

  end(): this {
    this._writableState.finished = true
    this.emit('finish')
    return this
  }

  #add(event: string, registration: Registration): this {
    this.#registrations.set(event, [...this.#of(event), registration])
    return this
  }

  #of(event: string): readonly Registration[] {
    return this.#registrations.get(event) ?? []
  }
}

/** Gives `error` a code of its own, also where its class has a read-only one, as a DOMException has. */
export function errCode<E extends Error>(error: E, code: string): E & { readonly code: string } {
  const value = { value: code, enumerable: true, configurable: true }
  return Object.defineProperty(error, 'code', value) as E & { readonly code: string }
}

/** The browser's WebRTC classes, without the prefixes of browsers before 2018; null without any. */
export function getBrowserRTC(): typeof globalThis | null {
  return globalThis.RTCPeerConnection ? globalThis : null
}

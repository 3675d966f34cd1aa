import type { OriginFetcher } from '@shoal/core'
import type { PartialBytes } from './delegate-origin.js'

/** An origin that may know more than it hands on. */
export interface HttpOrigin extends OriginFetcher {
  /** Bytes received and not handed on yet, or null. */
  readonly partial?: PartialBytes | null
  readonly check: NonNullable<OriginFetcher['check']>
  manifest?: NonNullable<OriginFetcher['manifest']>
  /** When the first response came, where the origin itself knows better; `performance.now()`. */
  readonly firstByteAt?: number | null
}

/** Sees what an origin delivers, and when, on its way to the swarm. */
export class HttpTap implements OriginFetcher {
  readonly #origin: HttpOrigin
  readonly #onData: (offset: number, bytes: Uint8Array) => void
  #startedAt: number | null = null
  #firstAt: number | null = null

  constructor(origin: HttpOrigin, onData: (offset: number, bytes: Uint8Array) => void) {
    this.#origin = origin
    this.#onData = onData
  }

  /** First request and first response, in milliseconds of `performance.now()`; null before. */
  get timing(): { readonly start: number; readonly first: number } | null {
    if (this.#startedAt === null || this.#firstAt === null) return null
    return { start: this.#startedAt, first: this.#origin.firstByteAt ?? this.#firstAt }
  }

  /** Past the tap: it is not for the player. */
  readonly check: NonNullable<OriginFetcher['check']> = (span, events) => this.#origin.check(span, events)

  /** Beside the tap, too: it is no media. */
  readonly manifest: NonNullable<OriginFetcher['manifest']> = async () =>
    (await this.#origin.manifest?.()) ?? null

  fetch: OriginFetcher['fetch'] = (span, events) => {
    this.#startedAt ??= performance.now()
    return this.#origin.fetch(span, {
      onResponse: (total) => {
        this.#firstAt ??= performance.now()
        events.onResponse(total)
      },
      onData: (offset, bytes) => {
        this.#firstAt ??= performance.now()
        this.#onData(offset, bytes)
        events.onData(offset, bytes)
      },
      onDone: (doubtful) => events.onDone(doubtful),
      onError: (error) => events.onError(error),
    })
  }
}

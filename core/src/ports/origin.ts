import type { ByteSpan, SegmentManifest } from '@shoal/protocol'

/** One HTTP load of a segment, or of one span of it. */
export interface OriginFetchEvents {
  /** The response's headers came. `total`: bytes in the whole segment, where known. */
  onResponse(total: number | null): void
  /** Bytes at `offset` of the segment, in order. They belong to the receiver. */
  onData(offset: number, bytes: Uint8Array): void
  /**
   * The span (or whole segment) is complete.
   *
   * @param doubtful the body ended where no error was seen and before its announced length: good
   *   enough for the player, which would get no more without a swarm, and not for peers
   */
  onDone(doubtful?: boolean): void
  onError(error: OriginError): void
}

/** An HTTP failure, as the player must hear it. */
export interface OriginError {
  readonly kind: 'http-status' | 'network' | 'timeout' | 'bad-response'
  /** HTTP status where there was one, else 0. */
  readonly status: number
  readonly message: string
  /** How long the origin wants to be left alone (Retry-After), in milliseconds, where it said so. */
  readonly retryAfterMs?: number
  /** What the host's player wants with an error (an XMLHttpRequest or Response); opaque here. */
  readonly details?: unknown
}

/** Fetches one segment from the origin. Made by the host for each segment it wants. */
export interface OriginFetcher {
  /**
   * @param span bytes of the segment to fetch, or null for all of it. A host whose origin ignores
   *   Range hands on the whole response, with its true offsets. What is no media (a captive portal's
   *   page) is a `bad-response`, and so is a part whose place is not known; no byte of them is
   *   handed on.
   * @returns cancels; no event follows
   */
  fetch(span: ByteSpan | null, events: OriginFetchEvents): () => void
  /**
   * As `fetch`, for a small span that is compared with what peers sent: no byte of it is for the player. It
   * may be called after the segment is complete. Left out: nothing is checked.
   */
  check?(span: ByteSpan, events: OriginFetchEvents): () => void
  /**
   * The manifest that the publisher has signed, where one lies beside the segment: asked for where
   * signatures are needed, when a load begins and no peer has it. It is verified by who asks; null where
   * there is none. It does not reject, and may take as long as it likes: nothing waits for it.
   */
  manifest?(): Promise<SegmentManifest | null>
}

import type { OriginError, OriginFetchEvents, OriginFetcher } from '@shoal/core'
import type { ByteSpan } from '@shoal/protocol'
import { placeResponse, type ResponseHead, requestRange } from './place-response.js'
import { retryAfterMs } from './retry-after.js'
import { SegmentBody } from './segment-body.js'

/** A segment that `fetch` can get. */
export interface StreamingSource {
  /** Where the segment lies in its resource (EXT-X-BYTERANGE), or null for all of it. */
  readonly range: ByteSpan | null
  /** It is no media: text is handed on. */
  readonly text?: boolean
  /** From the request to the response's headers, and between two arrivals of its body, in milliseconds. */
  readonly firstByteTimeoutMs: number
  /** From the request to the last byte, in milliseconds. */
  readonly loadTimeoutMs: number
  /** @param range bytes of the resource to ask for, or null for all of it */
  request(range: ByteSpan | null, signal: AbortSignal): Request | Promise<Request>
}

/**
 * Fetches a segment with `fetch`, handing on bytes while they arrive, so that the swarm can relay a
 * piece before the segment is complete.
 */
export function createStreamingOrigin(source: StreamingSource): Required<Omit<OriginFetcher, 'manifest'>> {
  /** The server was seen to refuse a request for its Range header (a CORS preflight, most often). */
  const memory = { refusesRange: false }
  const fetch: OriginFetcher['fetch'] = (span, events) => {
    const transfer = new Transfer(source, span, events, memory)
    void transfer.run()
    return () => transfer.cancel()
  }
  return { fetch, check: fetch }
}

class Transfer {
  readonly #source: StreamingSource
  readonly #asked: ByteSpan | null
  readonly #events: OriginFetchEvents
  readonly #memory: { refusesRange: boolean }
  readonly #abort = new AbortController()
  readonly #startedAt = performance.now()
  #timer: ReturnType<typeof setTimeout> | undefined
  #ended = false
  #timedOut = false

  constructor(
    source: StreamingSource,
    span: ByteSpan | null,
    events: OriginFetchEvents,
    memory: { refusesRange: boolean },
  ) {
    this.#source = source
    this.#asked = requestRange(source.range, span)
    this.#events = events
    this.#memory = memory
  }

  cancel(): void {
    this.#finish()
    this.#abort.abort()
  }

  async run(): Promise<void> {
    let response: Response | null = null
    try {
      this.#limit()
      response = await this.#respond()
      if (this.#ended) return
      if (!response.ok) return this.#fail(httpStatusError(response))
      await this.#read(response)
    } catch (error) {
      const kind = this.#timedOut ? 'timeout' : 'network'
      this.#fail({ kind, status: 0, message: String(error), details: response })
    }
  }

  /**
   * The response, without Range where the server refuses that. Some CDNs allow plain cross-origin
   * requests and fail the preflight that Range needs in older browsers; then all comes.
   */
  async #respond(): Promise<Response> {
    const optional = this.#source.range === null && this.#asked !== null
    if (optional && this.#memory.refusesRange) return this.#request(null)
    try {
      return await this.#request(this.#asked)
    } catch (error) {
      if (!optional || this.#ended || this.#timedOut) throw error
      const response = await this.#request(null)
      this.#memory.refusesRange = true
      return response
    }
  }

  async #request(range: ByteSpan | null): Promise<Response> {
    return fetch(await this.#source.request(range, this.#abort.signal))
  }

  async #read(response: Response): Promise<void> {
    const { status } = response
    const placement = placeResponse(headOf(response), this.#asked)
    const reader = response.body?.getReader()
    if (placement === null) {
      void reader?.cancel().catch(() => {})
      return this.#fail({ kind: 'bad-response', status, message: 'another part came', details: response })
    }
    const { range, text } = this.#source
    const media = status !== 206 && text !== true
    const body = new SegmentBody(placement, range, this.#asked, this.#events, media)
    while (reader !== undefined && !this.#ended) {
      this.#limit()
      const { done, value } = await reader.read()
      if (this.#ended) return
      if (done) break
      body.push(value)
      // The server sends the whole resource, and the rest of it is not ours; or it sends no media.
      const enough = body.complete && status !== 206 && range !== null
      if (enough || body.isText) {
        void reader.cancel().catch(() => {})
        break
      }
    }
    if (this.#ended) return
    const fault = body.finish(status)
    if (fault !== null) return this.#fail({ ...fault, details: response })
    this.#finish()
    this.#events.onDone(body.doubtful)
  }

  /** Ends the transfer with `timeout` where nothing comes for too long, or all of it takes too long. */
  #limit(): void {
    clearTimeout(this.#timer)
    const { firstByteTimeoutMs, loadTimeoutMs } = this.#source
    const left = loadTimeoutMs - (performance.now() - this.#startedAt)
    const ms = Math.min(firstByteTimeoutMs, left)
    if (!Number.isFinite(ms)) return
    this.#timer = setTimeout(() => {
      this.#timedOut = true
      this.#abort.abort()
    }, ms)
  }

  #fail(error: OriginError): void {
    if (this.#ended) return
    this.#finish()
    this.#events.onError(error)
  }

  #finish(): void {
    this.#ended = true
    clearTimeout(this.#timer)
  }
}

function httpStatusError(response: Response): OriginError {
  const message = response.statusText === '' ? `HTTP ${response.status}` : response.statusText
  const wait = retryAfterMs(response.headers.get('Retry-After'), Date.now())
  return {
    kind: 'http-status',
    status: response.status,
    message,
    details: response,
    ...(wait === null ? {} : { retryAfterMs: wait }),
  }
}

function headOf(response: Response): ResponseHead {
  const length = response.headers.get('Content-Length') ?? ''
  // With a content coding, Content-Length counts the coded bytes; `fetch` hands out decoded ones.
  const coded = response.headers.get('Content-Encoding') !== null
  return {
    status: response.status,
    contentRange: response.headers.get('Content-Range'),
    contentLength: coded || !/^\d{1,15}$/.test(length) ? null : Number(length),
  }
}

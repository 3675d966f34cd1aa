import { type ByteSpan, millis, type SegmentId, segmentKey } from '@shoal/protocol'
import type { Clock } from '../ports/clock.js'
import type { OriginError, OriginFetchEvents, OriginFetcher } from '../ports/origin.js'

/** Size of the blocks in which a response arrives, in bytes. */
const BLOCK_BYTES = 32 * 1024

export interface MemoryOriginOptions {
  readonly clock: Clock
  /** Bytes in a segment; every one is alike in size unless this says otherwise. */
  readonly segmentBytes: number | ((id: SegmentId) => number)
  /** Time to the first byte, in milliseconds; 50 unless given. */
  readonly firstByteMs?: number
  /** Bytes per second of each response; 2.5 MB/s unless given. */
  readonly bytesPerSecond?: number
}

/** What is wrong with one response; what is left out is as it should be. */
export interface OriginFault {
  /** Comes instead of a response. */
  readonly error?: OriginError
  /** Size of the segment as the response says it; null where it says none. */
  readonly total?: number | null
  /** What lies at each offset. */
  readonly content?: Uint8Array
  /** What the response holds, whatever was asked for. */
  readonly span?: ByteSpan
  /** After so many bytes of the body comes `ending`. */
  readonly stopAfter?: number
  /** `reset`: a network error; `silence`: nothing any more; `end`: the end, as if all had come. */
  readonly ending?: 'reset' | 'silence' | 'end'
  /** The body's end is told as doubtful. */
  readonly doubtful?: boolean
}

/** One request, as the origin saw it. */
export interface OriginRequest {
  readonly id: SegmentId
  readonly span: ByteSpan | null
  /** How many requests for this segment came before. */
  readonly before: number
}

const RESET: OriginError = { kind: 'network', status: 0, message: 'connection reset' }

/** An HTTP origin in memory, with made-up but reproducible content. */
export class MemoryOrigin {
  private readonly options: MemoryOriginOptions
  /** Requests by segment key. */
  readonly requests = new Map<string, number>()
  bytesServed = 0
  /** What every request answers instead, where set. */
  failure: OriginError | null = null
  /** Serves the whole segment whatever range is asked for. */
  ignoreRange = false
  /** What is wrong with the answer to a request; null for nothing. */
  misbehave: (request: OriginRequest) => OriginFault | null = () => null
  /** Spans that were asked for, in order. */
  readonly asked: (ByteSpan | null)[] = []
  /** Time to the first byte from now on, in milliseconds. */
  firstByteMs: number

  constructor(options: MemoryOriginOptions) {
    this.options = options
    this.firstByteMs = options.firstByteMs ?? 50
  }

  /** The bytes of a segment: the same for everyone, different for each segment. */
  content(id: SegmentId): Uint8Array {
    const { segmentBytes } = this.options
    const bytes = new Uint8Array(typeof segmentBytes === 'number' ? segmentBytes : segmentBytes(id))
    let state = (Math.imul(id.track ^ id.sequence, 0x9e3779b1) ^ (id.part ?? 77)) >>> 0
    for (let i = 0; i < bytes.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      bytes[i] = state >>> 24
    }
    return bytes
  }

  get totalRequests(): number {
    let total = 0
    for (const count of this.requests.values()) total += count
    return total
  }

  fetcher(id: SegmentId): OriginFetcher {
    const fetch: OriginFetcher['fetch'] = (span, events) => {
      const key = segmentKey(id)
      const before = this.requests.get(key) ?? 0
      this.requests.set(key, before + 1)
      this.asked.push(span)
      const fault = this.misbehave({ id, span, before }) ?? {}
      let cancelled = false
      const after = (delay: number, call: () => void): void => {
        this.options.clock.setTimer(millis(delay), () => {
          if (!cancelled) call()
        })
      }
      after(this.firstByteMs, () => {
        const failure = this.failure ?? fault.error ?? null
        if (failure !== null) events.onError(failure)
        else this.respond(id, span, fault, events, after)
      })
      return () => {
        cancelled = true
      }
    }
    return { fetch, check: fetch }
  }

  private respond(
    id: SegmentId,
    span: ByteSpan | null,
    fault: OriginFault,
    events: OriginFetchEvents,
    after: (delay: number, call: () => void) => void,
  ): void {
    const content = fault.content ?? this.content(id)
    const whole = { start: 0, end: content.length }
    const held = fault.span ?? (this.ignoreRange || span === null ? whole : span)
    const stopAt = held.start + (fault.stopAfter ?? Number.POSITIVE_INFINITY)
    events.onResponse(fault.total === undefined ? content.length : fault.total)
    const step = (BLOCK_BYTES * 1000) / (this.options.bytesPerSecond ?? 2_500_000)
    const next = (at: number): void => {
      if (this.failure !== null) return events.onError(this.failure)
      const end = Math.min(at + BLOCK_BYTES, held.end, stopAt)
      this.bytesServed += end - at
      if (end > at) events.onData(at, content.slice(at, end))
      const stopped = end >= stopAt
      if (stopped && fault.ending === 'silence') return
      if (stopped && fault.ending === 'reset') return events.onError(RESET)
      if (stopped || end === held.end) events.onDone(fault.doubtful)
      else after(step, () => next(end))
    }
    after(step, () => next(held.start))
  }
}

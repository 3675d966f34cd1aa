import { millis, type SegmentId, segmentKey } from '@shoal/protocol'
import type { Clock } from '../ports/clock.js'
import type { OriginError, OriginFetcher } from '../ports/origin.js'

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
    return {
      fetch: (span, events) => {
        const key = segmentKey(id)
        this.requests.set(key, (this.requests.get(key) ?? 0) + 1)
        let cancelled = false
        const after = (delay: number, call: () => void): void => {
          this.options.clock.setTimer(millis(delay), () => {
            if (!cancelled) call()
          })
        }
        after(this.firstByteMs, () => {
          if (this.failure !== null) {
            events.onError(this.failure)
            return
          }
          const content = this.content(id)
          const asked = this.ignoreRange || span === null ? { start: 0, end: content.length } : span
          events.onResponse(content.length)
          const step = (BLOCK_BYTES * 1000) / (this.options.bytesPerSecond ?? 2_500_000)
          const next = (at: number): void => {
            if (this.failure !== null) {
              events.onError(this.failure)
              return
            }
            const end = Math.min(at + BLOCK_BYTES, asked.end)
            this.bytesServed += end - at
            events.onData(at, content.slice(at, end))
            if (end === asked.end) events.onDone()
            else after(step, () => next(end))
          }
          after(step, () => next(asked.start))
        })
        return () => {
          cancelled = true
        }
      },
    }
  }
}

import type { OriginError, OriginFetchEvents } from '@shoal/core'
import type { ByteSpan } from '@shoal/protocol'
import type { Placement } from './place-response.js'

/**
 * Turns the body of one response into bytes of the segment, at their true offsets, and says at the
 * end whether all that was asked for came.
 */
export class SegmentBody {
  readonly #events: Pick<OriginFetchEvents, 'onResponse' | 'onData'>
  /** The segment in its resource. */
  readonly #segment: ByteSpan
  readonly #neededStart: number
  readonly #neededEnd: number | null
  readonly #start: number
  readonly #announced: number | null
  #received = 0

  /**
   * @param range where the segment lies in its resource, or null for all of it
   * @param asked what was wanted of the resource, or null for all of it
   */
  constructor(
    placement: Placement,
    range: ByteSpan | null,
    asked: ByteSpan | null,
    events: Pick<OriginFetchEvents, 'onResponse' | 'onData'>,
  ) {
    this.#events = events
    this.#segment = range ?? { start: 0, end: placement.resourceSize ?? Infinity }
    this.#start = placement.start
    this.#announced = placement.length
    this.#neededStart = asked?.start ?? 0
    this.#neededEnd = asked === null ? null : Math.min(asked.end, placement.resourceSize ?? Infinity)
    const total = this.#segment.end - this.#segment.start
    events.onResponse(Number.isFinite(total) ? total : null)
  }

  /** True once nothing more of the segment can follow. */
  get complete(): boolean {
    return this.#start + this.#received >= this.#segment.end
  }

  /** Takes the next bytes of the body. */
  push(bytes: Uint8Array): void {
    const at = this.#start + this.#received
    this.#received += bytes.byteLength
    const from = Math.max(0, this.#segment.start - at)
    const to = Math.min(bytes.byteLength, this.#segment.end - at)
    if (to <= from) return
    const part = from === 0 && to === bytes.byteLength ? bytes : bytes.subarray(from, to)
    this.#events.onData(at + from - this.#segment.start, part)
  }

  /** Null where the body held what was asked for. */
  fault(status: number): OriginError | null {
    const end = this.#start + this.#received
    if (this.#received === 0) return badResponse(status, 'the response was empty')
    if (this.#start > this.#neededStart) return badResponse(status, 'the response begins too late')
    if (this.#neededEnd !== null && end < this.#neededEnd) {
      return badResponse(status, `the response ends ${this.#neededEnd - end} bytes too early`)
    }
    if (this.#neededEnd === null && this.#announced !== null && this.#received !== this.#announced) {
      return badResponse(status, `${this.#received} bytes came, ${this.#announced} were announced`)
    }
    return null
  }
}

function badResponse(status: number, message: string): OriginError {
  return { kind: 'bad-response', status, message }
}

import type { OriginError, OriginFetchEvents } from '@shoal/core'
import type { ByteSpan } from '@shoal/protocol'
import { LOOK_BYTES, looksLikeText } from './looks-like-text.js'
import type { Placement } from './place-response.js'

/**
 * Turns the body of one response into bytes of the segment, at their true offsets, and says at the
 * end whether all that was asked for came. Text in place of media is kept back.
 */
export class SegmentBody {
  readonly #events: Pick<OriginFetchEvents, 'onResponse' | 'onData'>
  /** The segment in its resource. */
  readonly #segment: ByteSpan
  readonly #neededStart: number
  readonly #neededEnd: number | null
  readonly #start: number
  readonly #announced: number | null
  readonly #total: number | null
  #received = 0
  /** The beginning of a body that may be no media, until enough of it has come; null once it is told. */
  #head: Uint8Array | null
  #isText = false

  /**
   * @param range where the segment lies in its resource, or null for all of it
   * @param asked what was wanted of the resource, or null for all of it
   * @param fromStart the body begins where its resource does: its first bytes tell what it is
   */
  constructor(
    placement: Placement,
    range: ByteSpan | null,
    asked: ByteSpan | null,
    events: Pick<OriginFetchEvents, 'onResponse' | 'onData'>,
    fromStart: boolean,
  ) {
    this.#events = events
    // The size that a response announces is not where its body ends: it may count an encoded one.
    this.#segment = range ?? { start: 0, end: Infinity }
    this.#head = fromStart ? new Uint8Array(0) : null
    this.#start = placement.start
    this.#announced = placement.length
    this.#neededStart = asked?.start ?? 0
    this.#neededEnd = asked === null ? null : Math.min(asked.end, placement.resourceSize ?? Infinity)
    this.#total = range === null ? placement.resourceSize : range.end - range.start
    if (!fromStart) events.onResponse(this.#total)
  }

  /** It is text in place of media; none of it is handed on. */
  get isText(): boolean {
    return this.#isText
  }

  /**
   * The body ended before its announced length where HTTP saw no error: it was encoded, in a way that
   * CORS hides, or it was cut by a server that some browsers believe.
   */
  get doubtful(): boolean {
    return this.#neededEnd === null && this.#announced !== null && this.#received < this.#announced
  }

  /** True once nothing more of the segment can follow. */
  get complete(): boolean {
    return this.#start + this.#received >= this.#segment.end
  }

  /** Takes the next bytes of the body. */
  push(bytes: Uint8Array): void {
    if (this.#isText) return
    if (this.#head === null) return this.#place(bytes)
    const head = concat(this.#head, bytes)
    if (head.byteLength < LOOK_BYTES) this.#head = head
    else this.#look(head)
  }

  /** The body has ended. Null where it held what was asked for. */
  finish(status: number): OriginError | null {
    if (this.#head !== null) this.#look(this.#head)
    if (this.#isText) return badResponse(status, 'the response is text in place of media')
    const end = this.#start + this.#received
    if (this.#received === 0) return badResponse(status, 'the response was empty')
    if (this.#start > this.#neededStart) return badResponse(status, 'the response begins too late')
    if (this.#neededEnd !== null && end < this.#neededEnd) {
      return badResponse(status, `the response ends ${this.#neededEnd - end} bytes too early`)
    }
    return null
  }

  #look(head: Uint8Array): void {
    this.#head = null
    this.#isText = looksLikeText(head)
    if (this.#isText) return
    // Only now: the length of a page says nothing of the segment.
    this.#events.onResponse(this.#total)
    if (head.byteLength > 0) this.#place(head)
  }

  #place(bytes: Uint8Array): void {
    const at = this.#start + this.#received
    this.#received += bytes.byteLength
    const from = Math.max(0, this.#segment.start - at)
    const to = Math.min(bytes.byteLength, this.#segment.end - at)
    if (to <= from) return
    const part = from === 0 && to === bytes.byteLength ? bytes : bytes.subarray(from, to)
    this.#events.onData(at + from - this.#segment.start, part)
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.byteLength === 0) return b
  const joined = new Uint8Array(a.byteLength + b.byteLength)
  joined.set(a)
  joined.set(b, a.byteLength)
  return joined
}

function badResponse(status: number, message: string): OriginError {
  return { kind: 'bad-response', status, message }
}

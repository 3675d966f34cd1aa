import type { ByteSpan, Millis } from '@shoal/protocol'
import type { OriginError } from '../ports/origin.js'
import type { EmitEffect } from './io.js'
import { isAboutPart } from './origin-retry.js'
import type { RangeSupport } from './range-support.js'

/** A check that has not been answered by then is given up, in milliseconds. */
const TIMEOUT_MS = 10_000

/** What the origin has at a place: bytes; nothing (`absent`); or that could not be found out (`unknown`). */
export type Found = Uint8Array | 'absent' | 'unknown'

interface CheckLoad {
  readonly span: ByteSpan
  readonly bytes: Uint8Array
  readonly until: number
  readonly then: (found: Found, now: Millis) => void
  upTo: number
}

/** Loads small spans from the origin beside what is wanted. Their ids are negative: no other load's are. */
export class CheckLoads {
  private readonly loads = new Map<number, CheckLoad>()
  private nextId = -1
  private readonly ranges: RangeSupport
  private readonly emit: EmitEffect
  /** Bytes that came. */
  bytes = 0

  constructor(ranges: RangeSupport, emit: EmitEffect) {
    this.ranges = ranges
    this.emit = emit
  }

  get underWay(): number {
    return this.loads.size
  }

  /** True where the origin answers Range with what was asked for, as far as is known. */
  possible(now: Millis): boolean {
    return this.ranges.works(now)
  }

  begin(wantId: number, span: ByteSpan, now: Millis, then: CheckLoad['then']): void {
    const bytes = new Uint8Array(span.end - span.start)
    const fetchId = this.nextId--
    this.loads.set(fetchId, { span, bytes, until: now + TIMEOUT_MS, then, upTo: span.start })
    this.emit({ type: 'http-check', fetchId, wantId, span })
  }

  data(fetchId: number, offset: number, bytes: Uint8Array, now: Millis): void {
    const load = this.loads.get(fetchId)
    if (load === undefined) return
    this.bytes += bytes.byteLength
    if (offset !== load.upTo || offset + bytes.byteLength > load.span.end) {
      if (offset < load.span.start) this.ranges.ignored(now)
      return this.cancel(fetchId, load, now)
    }
    load.bytes.set(bytes, offset - load.span.start)
    load.upTo += bytes.byteLength
  }

  done(fetchId: number, now: Millis, doubtful: boolean): void {
    const load = this.loads.get(fetchId)
    if (load === undefined) return
    this.loads.delete(fetchId)
    load.then(load.upTo === load.span.end && !doubtful ? load.bytes : 'unknown', now)
  }

  error(fetchId: number, error: OriginError, now: Millis): void {
    const load = this.loads.get(fetchId)
    if (load === undefined) return
    this.loads.delete(fetchId)
    load.then(isAboutPart(error) ? 'absent' : 'unknown', now)
  }

  /** Gives up what takes too long. */
  expire(now: Millis): void {
    for (const [fetchId, load] of this.loads) if (now >= load.until) this.cancel(fetchId, load, now)
  }

  private cancel(fetchId: number, load: CheckLoad, now: Millis): void {
    this.loads.delete(fetchId)
    this.emit({ type: 'http-cancel', fetchId })
    load.then('unknown', now)
  }
}

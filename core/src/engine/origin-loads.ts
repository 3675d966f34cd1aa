import { type ByteSpan, MAX_SEGMENT_BYTES, type Millis } from '@shoal/protocol'
import type { OriginError } from '../ports/origin.js'
import { type HttpSituation, httpDueAt, type OriginEstimate } from './http-rules.js'
import type { EmitEffect } from './io.js'
import { RoundTrip, TransferRate } from './rates.js'
import type { Segment } from './segment.js'
import { type HttpFetch, hasPiece, missingPieces, type Want } from './want.js'

/** First wait after an HTTP failure while peers may still deliver, in milliseconds; doubles. */
const RETRY_MS = 1_000
/** Longest wait: an origin that is back must be found soon by who has run dry. */
const MAX_RETRY_MS = 2_000

/** Gaps smaller than this between missing spans are fetched along: one request costs more. */
const MERGE_GAP_BYTES = 128 * 1024

/** HTTP status of a Range that the resource does not have (RFC 9110 section 15.5.17). */
const RANGE_NOT_SATISFIABLE = 416

/** What HTTP loads bring. */
export interface OriginLoadEvents {
  /** All bytes of a piece came from the origin; they are in the buffer. */
  pieceLoaded(want: Want, piece: number): void
  /** The whole segment came while no manifest was known: its bytes. */
  segmentLoaded(want: Want, bytes: Uint8Array): void
  /** Bytes came. */
  progressed(want: Want): void
  /** The origin's bytes are not what the manifest describes. */
  manifestWrong(want: Want): void
  /** HTTP failed and peers cannot help. */
  failed(want: Want, error: OriginError): void
  /** A load is over, however it ended. */
  ended(want: Want): void
}

/** Loads from the origin what peers do not deliver in time. */
export class OriginLoads implements OriginEstimate {
  readonly timeToFirstByte = new RoundTrip()
  readonly rate = new TransferRate()
  private readonly loads = new Map<number, { want: Want; fetch: HttpFetch }>()
  private nextFetch = 0
  private readonly emit: EmitEffect
  private readonly events: OriginLoadEvents
  /** Payload bytes that came and were here already. */
  wastedBytes = 0

  constructor(emit: EmitEffect, events: OriginLoadEvents) {
    this.emit = emit
    this.events = events
  }

  /** Begins a load where it is time. Returns when it will be, or null while one is on its way. */
  consider(want: Want, situation: HttpSituation): number | null {
    const { segment } = want
    // One load at a time for a segment: other wants of it share what it brings.
    if (segment.loading !== null) return null
    if (segment.manifest !== null && missingPieces(segment).length === 0) return null
    const due = httpDueAt(want, situation)
    if (due > situation.now) return due
    this.begin(want, spanToLoad(segment), situation.now)
    return null
  }

  response(fetchId: number, total: number | null, now: Millis): void {
    const load = this.loads.get(fetchId)
    if (load === undefined) return
    const { want, fetch } = load
    fetch.responseAt = now
    this.timeToFirstByte.sample((now - fetch.askedAt) as Millis)
    const { segment } = want
    if (total === null) return
    if (segment.manifest !== null && segment.manifest.size !== total) {
      this.events.manifestWrong(want)
      return
    }
    if (segment.buffer === null && total <= MAX_SEGMENT_BYTES) segment.buffer = new Uint8Array(total)
  }

  data(fetchId: number, offset: number, bytes: Uint8Array, now: Millis): void {
    const load = this.loads.get(fetchId)
    if (load === undefined) return
    const { want, fetch } = load
    want.firstByteAt ??= now
    if (fetch.from === null) {
      fetch.from = offset
      fetch.upTo = offset
    }
    if (offset !== fetch.upTo) {
      this.bad(fetchId, want, `bytes at ${offset}, expected ${fetch.upTo}`, now)
      return
    }
    fetch.upTo += bytes.byteLength
    if (!this.store(want, fetch, offset, bytes)) {
      if (want.segment.manifest !== null) this.events.manifestWrong(want)
      else this.bad(fetchId, want, `more bytes than the ${want.segment.size} announced`, now)
      return
    }
    this.piecesLoaded(want, fetch)
    this.events.progressed(want)
  }

  done(fetchId: number, now: Millis): void {
    const load = this.loads.get(fetchId)
    if (load === undefined) return
    const { want, fetch } = load
    const { segment } = want
    const bytes = fetch.upTo - (fetch.from ?? fetch.upTo)
    this.rate.sample(bytes, (now - (fetch.responseAt ?? fetch.askedAt)) as Millis)
    this.end(fetchId, want)
    if (segment.manifest !== null) {
      const wanted = fetch.span ?? { start: 0, end: segment.manifest.size }
      if (fetch.from !== null && fetch.from <= wanted.start && fetch.upTo >= wanted.end) return
      // Either the origin cut it short, or a peer's manifest says more than there is.
      if (segment.manifestSource !== 'own') this.events.manifestWrong(want)
      else this.failed(want, { kind: 'bad-response', status: 0, message: 'the response ended early' }, now)
      return
    }
    if (fetch.loose.length > 0) segment.buffer = concatenate(fetch.loose, fetch.upTo)
    if (segment.buffer === null) segment.buffer = new Uint8Array(0)
    if (fetch.from !== null && (fetch.from !== 0 || fetch.upTo !== segment.buffer.byteLength)) {
      segment.buffer = null
      this.failed(want, { kind: 'bad-response', status: 0, message: 'the response ended early' }, now)
      return
    }
    this.events.segmentLoaded(want, segment.buffer)
  }

  error(fetchId: number, error: OriginError, now: Millis): void {
    const load = this.loads.get(fetchId)
    if (load === undefined) return
    const { want, fetch } = load
    this.end(fetchId, want)
    if (want.segment.manifest === null) want.segment.buffer = null
    // The span does not exist there: it was the manifest's idea.
    if (fetch.span !== null && error.status === RANGE_NOT_SATISFIABLE) this.events.manifestWrong(want)
    else this.failed(want, error, now)
  }

  /** The want is over: its load is not needed any more. */
  cancel(want: Want): void {
    if (want.http === null) return
    this.emit({ type: 'http-cancel', fetchId: want.http.id })
    this.end(want.http.id, want)
    if (want.segment.manifest === null) want.segment.buffer = null
  }

  private begin(want: Want, span: ByteSpan | null, now: Millis): void {
    const fetch: HttpFetch = {
      id: this.nextFetch++,
      span,
      askedAt: now,
      responseAt: null,
      from: null,
      upTo: 0,
      loose: [],
    }
    want.http = fetch
    const { segment } = want
    segment.fetching = true
    segment.loading = span ?? { start: 0, end: Number.POSITIVE_INFINITY }
    // What an earlier load left without a manifest may belong to its consumer by now.
    if (segment.manifest === null) segment.buffer = null
    this.loads.set(fetch.id, { want, fetch })
    this.emit({ type: 'http-fetch', fetchId: fetch.id, wantId: want.id, span })
  }

  private end(fetchId: number, want: Want): void {
    this.loads.delete(fetchId)
    want.http = null
    want.segment.fetching = false
    want.segment.loading = null
    this.events.ended(want)
  }

  private bad(fetchId: number, want: Want, message: string, now: Millis): void {
    this.emit({ type: 'http-cancel', fetchId })
    this.error(fetchId, { kind: 'bad-response', status: 0, message }, now)
    want.segment.httpOnly = true
  }

  private failed(want: Want, error: OriginError, now: Millis): void {
    const tries = want.httpError === null ? 0 : want.httpTries
    want.httpError = error
    want.httpTries = tries + 1
    want.httpRetryAt = now + Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** tries)
    this.events.failed(want, error)
  }

  /** Puts bytes where they belong; pieces that are here already are left as they are. */
  private store(want: Want, fetch: HttpFetch, offset: number, bytes: Uint8Array): boolean {
    const { segment } = want
    if (segment.buffer === null) {
      fetch.loose.push(bytes)
      return true
    }
    if (offset + bytes.byteLength > segment.buffer.byteLength) return false
    if (segment.manifest === null) {
      segment.buffer.set(bytes, offset)
      return true
    }
    const first = Math.floor(offset / segment.manifest.pieceSize)
    const last = Math.floor((offset + bytes.byteLength - 1) / segment.manifest.pieceSize)
    for (let piece = first; piece <= last; piece++) {
      const span = segment.pieceSpan(piece)
      const start = Math.max(offset, span.start)
      const end = Math.min(offset + bytes.byteLength, span.end)
      if (hasPiece(segment, piece)) this.wastedBytes += end - start
      else segment.buffer.set(bytes.subarray(start - offset, end - offset), start)
    }
    return true
  }

  private piecesLoaded(want: Want, fetch: HttpFetch): void {
    const { segment } = want
    if (segment.manifest === null || fetch.from === null) return
    const first = Math.ceil(fetch.from / segment.manifest.pieceSize)
    for (let piece = first; piece < segment.pieceCount; piece++) {
      const span = segment.pieceSpan(piece)
      if (span.end > fetch.upTo) return
      if (!hasPiece(segment, piece) && !segment.hashing.has(piece)) this.events.pieceLoaded(want, piece)
    }
  }
}

/** The span of missing pieces, as one request: from the first to the first large gap; null for all. */
function spanToLoad(segment: Segment): ByteSpan | null {
  if (segment.manifest === null) return null
  const [first, ...rest] = missingPieces(segment).map((piece) => segment.pieceSpan(piece))
  if (first === undefined) return null
  let end = first.end
  for (const bytes of rest) {
    if (bytes.start - end >= MERGE_GAP_BYTES) break
    end = bytes.end
  }
  return first.start === 0 && end === segment.manifest.size ? null : { start: first.start, end }
}

function concatenate(parts: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}

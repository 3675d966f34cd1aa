import { type ByteSpan, MAX_SEGMENT_BYTES, type Millis } from '@shoal/protocol'
import type { OriginError } from '../ports/origin.js'
import { comesFirst, type HttpSituation, httpDueAt, type OriginEstimate, urgentAt } from './http-rules.js'
import type { EmitEffect } from './io.js'
import {
  concatenate,
  forgetBytes,
  joinTail,
  keepTail,
  piecesWithin,
  spanToLoad,
  storeBytes,
} from './load-bytes.js'
import { segmentMemory } from './memory.js'
import { isAboutPart, isBroken, isSilent, noteFailure, noteSilence, resume } from './origin-retry.js'
import { frontSpan } from './origin-share.js'
import { RangeSupport } from './range-support.js'
import { RoundTrip, TransferRate } from './rates.js'
import type { Segment } from './segment.js'
import { type HttpFetch, missingPieces, type Want } from './want.js'

/**
 * A load with longer to go gives way to a neighbour that has all of the segment, in milliseconds; and how
 * long a load runs before that is asked.
 */
const SLOW_REST_MS = 1_000
const LEAST_MEASURE_MS = 500

/**
 * With less than this to the deadline, as at the start, one more request takes longer than small gaps that
 * are loaded along (swarm-algorithms, "When to use HTTP"), in milliseconds and bytes.
 */
const HURRY_MS = 500
const HURRIED_GAP_BYTES = 128 * 1024

/** While peers are about to deliver all that is missing, it is looked at this often, in milliseconds. */
const COMING_LOOK_MS = 50

/** What HTTP loads bring. */
export interface OriginLoadEvents {
  /** All bytes of a piece came from the origin; they are in the buffer. */
  pieceLoaded(want: Want, piece: number): void
  /** The whole segment came while no manifest was known: its bytes, and whether they are certain. */
  segmentLoaded(want: Want, bytes: Uint8Array, certain: boolean): void
  /** The whole segment comes, nothing of it is known, and its size has been announced. */
  sized(want: Want, size: number): void
  /** That size was wrong. */
  sizeWrong(want: Want): void
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
  readonly ranges = new RangeSupport()
  private nextFetch = 0
  /** Content-Length was seen to be wrong: of an encoded body, where CORS hides Content-Encoding. */
  private lengthsDoubtful = false
  /** What is missing of a segment costs all of it up to there: the origin has no ranges. */
  wholeOnly = false
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
    if (segment.loading !== null && !this.givesWay(want, situation)) return null
    if (segment.manifest !== null && missingPieces(segment).length === 0) return null
    this.wholeOnly = !this.ranges.works(situation.now)
    const due = httpDueAt(want, situation)
    if (due > situation.now) return due
    const missing = this.toLoad(want, situation)
    if (segment.manifest !== null && missing.length === 0) return situation.now + COMING_LOOK_MS
    const shared = situation.mode === 'aggressive' && segment.manifest !== null && !this.wholeOnly
    const urgent = urgentAt(want, this) <= situation.now
    const span =
      shared && !urgent
        ? frontSpan(want, situation)
        : spanToLoad(segment, missing, this.gapFor(want, situation.now))
    // All that is missing is asked of peers: the origin is for what they do not bring in time.
    if (span === null && shared && !urgent) return urgentAt(want, this)
    this.begin(want, span, situation.now)
    return null
  }

  /** Largest gap between missing bytes that is loaded along. */
  private gapFor({ deadline }: Want, now: Millis): number {
    // Without ranges it comes in any case.
    if (this.wholeOnly) return Number.POSITIVE_INFINITY
    return deadline - now < HURRY_MS ? HURRIED_GAP_BYTES : 0
  }

  /** Missing pieces that peers are not about to have delivered. */
  private toLoad(want: Want, situation: HttpSituation): number[] {
    const { segment } = want
    if (segment.manifest === null) return []
    const missing = missingPieces(segment)
    if (segment.httpOnly || comesFirst(want, situation)) return missing
    const { orphans } = want
    if (orphans !== null && urgentAt(want, this) > situation.now) {
      return missing.filter((piece) => orphans.pieces.has(piece))
    }
    const coming = situation.coming(want)
    return missing.filter((piece) => !coming.has(piece))
  }

  /** Loads a span of a segment whose manifest is known, unless something of it is loaded already. */
  loadSpan(want: Want, span: ByteSpan, now: Millis): boolean {
    if (want.segment.loading !== null || !this.ranges.works(now) || want.httpRetryAt > now) return false
    this.begin(want, span, now)
    return true
  }

  /** Leaves bytes of a load from `end` on to peers; it goes on, and what it brings first counts. */
  shareFrom(want: Want, end: number): void {
    const { loading } = want.segment
    if (want.http !== null && loading !== null && end < loading.end)
      want.segment.loading = { ...loading, end }
  }

  response(fetchId: number, total: number | null, now: Millis): void {
    const load = this.loads.get(fetchId)
    if (load === undefined) return
    const { want, fetch } = load
    fetch.responseAt = now
    fetch.lastByteAt = now
    this.timeToFirstByte.sample((now - fetch.askedAt) as Millis)
    const { segment } = want
    if (total === null || this.lengthsDoubtful) return
    if (fetch.span !== null && segment.size !== total) {
      this.partWrong(fetchId, want, now)
      return
    }
    if (segment.manifest !== null && segment.manifest.size !== total) {
      this.events.manifestWrong(want)
      return
    }
    if (segment.buffer !== null || total < 1 || total > MAX_SEGMENT_BYTES) return
    segment.buffer = segmentMemory(segment.id, total)
    if (segment.manifest === null && fetch.span === null) this.events.sized(want, total)
  }

  data(fetchId: number, offset: number, bytes: Uint8Array, now: Millis): void {
    const load = this.loads.get(fetchId)
    if (load === undefined) return
    const { want, fetch } = load
    const { segment } = want
    want.firstByteAt ??= now
    fetch.lastByteAt = now
    if (fetch.from === null) {
      joinTail(segment, fetch, offset)
      if (fetch.span !== null && offset < fetch.span.start) this.ranges.ignored(now)
      else if (fetch.span !== null && offset > fetch.span.start) return this.partWrong(fetchId, want, now)
    }
    if (offset !== fetch.upTo) {
      this.bad(fetchId, want, `bytes at ${offset}, expected ${fetch.upTo}`, now)
      return
    }
    if (offset + bytes.byteLength > MAX_SEGMENT_BYTES) {
      this.bad(fetchId, want, `more than ${MAX_SEGMENT_BYTES} bytes`, now)
      return
    }
    if (offset + bytes.byteLength > (segment.size ?? MAX_SEGMENT_BYTES)) this.undoSize(want, fetch)
    const stored = storeBytes(segment, fetch, offset, bytes)
    if (stored === 'too-long') {
      if (fetch.span !== null) this.partWrong(fetchId, want, now)
      else this.events.manifestWrong(want)
      return
    }
    if (stored === 'size-was-wrong') this.lengthsDoubtful = true
    else this.wastedBytes += stored.wasted
    fetch.upTo += bytes.byteLength
    this.piecesLoaded(want, fetch)
    this.events.progressed(want)
  }

  /** @param doubtful the body ended before its announced length, and without an error */
  done(fetchId: number, now: Millis, doubtful = false): void {
    const load = this.loads.get(fetchId)
    if (load === undefined) return
    const { want, fetch } = load
    const { segment } = want
    this.measure(fetch, now)
    if (doubtful) this.lengthsDoubtful = true
    if (fetch.upTo < (segment.size ?? 0)) this.undoSize(want, fetch)
    if (segment.manifest !== null) return this.partDone(fetchId, want, fetch, now, doubtful)
    this.end(fetchId, want)
    if (fetch.loose.length > 0) segment.buffer = concatenate(fetch.loose, fetch.upTo)
    if (segment.buffer === null) segment.buffer = new Uint8Array(0)
    if (doubtful && fetch.span === null && fetch.from === 0) {
      const bytes = segment.buffer.slice(0, fetch.upTo)
      forgetBytes(segment)
      this.events.segmentLoaded(want, bytes, false)
    } else if (fetch.from !== null && (fetch.from !== 0 || fetch.upTo !== segment.buffer.byteLength)) {
      forgetBytes(segment)
      this.failed(want, { kind: 'bad-response', status: 0, message: 'the response ended early' }, now)
    } else {
      this.wholeHere(want, segment.buffer)
    }
  }

  error(fetchId: number, error: OriginError, now: Millis): void {
    const load = this.loads.get(fetchId)
    if (load === undefined) return
    const { want, fetch } = load
    const { segment } = want
    if (fetch.span !== null && isAboutPart(error)) return this.partWrong(fetchId, want, now)
    this.end(fetchId, want)
    const broken = isBroken(error)
    if (broken) keepTail(segment, fetch)
    else if (fetch.from !== null) segment.tail = null
    if (segment.manifest === null && segment.buffer !== null) {
      // The error came after the last byte.
      const whole = fetch.from === 0 && fetch.upTo === segment.buffer.byteLength
      if (broken && whole) return this.wholeHere(want, segment.buffer)
      if (segment.tail === null) segment.buffer = null
    }
    if (broken && resume(want, fetch, this.ranges.works(now), now)) return
    this.failed(want, error, now)
  }

  /**
   * The bytes of a piece that HTTP brought are not the manifest's. True where a part's response
   * brought them: then they are dropped, and a whole response is to say which of the two is wrong.
   */
  pieceWrong(segment: Segment, piece: number, now: Millis): boolean {
    if (!segment.fromPart.has(piece)) return false
    segment.fromPart.delete(piece)
    segment.fromHttp.delete(piece)
    segment.tail = null
    this.ranges.blame(segment, now)
    for (const [fetchId, { want, fetch }] of this.loads) {
      if (want.segment === segment && fetch.span !== null) this.partWrong(fetchId, want, now)
    }
    return true
  }

  /** What was known of the segment was wrong, and not what the origin answered. */
  manifestWasWrong(segment: Segment): void {
    this.ranges.absolve(segment)
  }

  /** A manifest says where pieces end: those that an earlier load left complete are here. */
  tailLoaded(want: Want): void {
    const { tail } = want.segment
    if (tail === null) return
    for (const piece of piecesWithin(want.segment, tail)) this.events.pieceLoaded(want, piece)
  }

  /** The want is over: its load is not needed any more. */
  cancel(want: Want): void {
    if (want.http === null) return
    const { segment, http } = want
    // Where the manifest is known the last piece ends a want, not the end of the response.
    this.measure(http, http.lastByteAt)
    keepTail(segment, http)
    this.emit({ type: 'http-cancel', fetchId: http.id })
    this.end(http.id, want)
    if (segment.manifest === null && segment.tail === null) segment.buffer = null
  }

  private begin(want: Want, missing: ByteSpan | null, now: Millis): void {
    const { segment } = want
    if (this.wholeOnly && segment.manifest === null) forgetBytes(segment)
    const span = this.wholeOnly ? null : missing
    const fetch: HttpFetch = {
      id: this.nextFetch++,
      span,
      askedAt: now,
      responseAt: null,
      lastByteAt: now,
      first: 0,
      from: null,
      upTo: 0,
      loose: [],
    }
    want.http = fetch
    segment.fetching = true
    segment.loading = missing ?? { start: 0, end: Number.POSITIVE_INFINITY }
    // What an earlier load left without a manifest may belong to its consumer by now.
    if (segment.manifest === null && segment.tail === null) segment.buffer = null
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

  /**
   * True where nothing comes, or slowly, and peers may do better: the load is given up, its bytes are kept.
   * Where the origin comes first, a slow load goes on and peers help it (`lateFrom`).
   */
  private givesWay(want: Want, situation: HttpSituation): boolean {
    const { now, peers } = situation
    const { segment, http } = want
    if (http === null || segment.httpOnly) return false
    const silent = isSilent(want, now)
    const slow = !comesFirst(want, situation) && remainingMs(http, segment.size, now) > SLOW_REST_MS
    if (!silent && !(slow && peers.some((peer) => peer.usable(now) && peer.have.hasAll(segment.id))))
      return false
    if (!peers.some((peer) => peer.usable(now) && peer.have.piecesOf(segment.id) !== null)) return false
    this.cancel(want)
    if (silent) noteSilence(want, now)
    else want.httpRetryAt = now + SLOW_REST_MS
    return true
  }

  /** The answer to a Range request is of no use, or what is known here is wrong: all is asked for. */
  private partWrong(fetchId: number, want: Want, now: Millis): void {
    this.ranges.blame(want.segment, now)
    this.emit({ type: 'http-cancel', fetchId })
    this.end(fetchId, want)
    want.segment.tail = null
    if (want.segment.manifest === null) want.segment.buffer = null
  }

  private partDone(fetchId: number, want: Want, fetch: HttpFetch, now: Millis, doubtful: boolean): void {
    const { manifest, manifestSource } = want.segment
    const wanted = fetch.span ?? { start: 0, end: manifest?.size ?? 0 }
    const short = fetch.from === null || fetch.from > wanted.start || fetch.upTo < wanted.end
    if (short && fetch.span !== null) return this.partWrong(fetchId, want, now)
    this.end(fetchId, want)
    if (!short) return
    // Either the origin cut it short, or a peer's manifest says more than there is.
    if (manifestSource !== 'own' && !doubtful) this.events.manifestWrong(want)
    else this.failed(want, { kind: 'bad-response', status: 0, message: 'the response ended early' }, now)
  }

  private wholeHere(want: Want, bytes: Uint8Array): void {
    want.segment.tail = null
    this.events.segmentLoaded(want, bytes, true)
  }

  private bad(fetchId: number, want: Want, message: string, now: Millis): void {
    this.emit({ type: 'http-cancel', fetchId })
    this.error(fetchId, { kind: 'bad-response', status: 0, message }, now)
    want.segment.httpOnly = true
  }

  private failed(want: Want, error: OriginError, now: Millis): void {
    noteFailure(want, error, urgentAt(want, this), now)
    this.events.failed(want, error)
  }

  private measure(fetch: HttpFetch, until: Millis): void {
    const bytes = fetch.upTo - fetch.first
    if (bytes > 0) this.rate.sample(bytes, (until - (fetch.responseAt ?? fetch.askedAt)) as Millis)
  }

  /** The announced size of a whole response was wrong: the manifest that began with it is of no use. */
  private undoSize(want: Want, fetch: HttpFetch): void {
    const { segment } = want
    if (segment.manifestSource !== 'own' || !segment.growing || fetch.span !== null) return
    this.events.sizeWrong(want)
    segment.dissolve()
  }

  private piecesLoaded(want: Want, fetch: HttpFetch): void {
    const { segment } = want
    if (fetch.from === null) return
    for (const piece of piecesWithin(segment, { start: fetch.from, end: fetch.upTo })) {
      if (fetch.span === null) segment.fromPart.delete(piece)
      else segment.fromPart.add(piece)
      this.events.pieceLoaded(want, piece)
    }
  }
}

/** Milliseconds that a load still takes at its rate so far; 0 before that can be told. */
function remainingMs(fetch: HttpFetch, size: number | null, now: Millis): number {
  const spent = now - fetch.askedAt
  if (size === null || spent < LEAST_MEASURE_MS) return 0
  return ((size - fetch.upTo) * spent) / Math.max(1, fetch.upTo - fetch.first)
}

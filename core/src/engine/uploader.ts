import {
  CHUNK_BYTES,
  chunkCountOf,
  DATA_HEADER_BYTES,
  encodeData,
  MAX_LOSSY_MESSAGE_BYTES,
  type Millis,
  NO_DEADLINE_MS,
  NOT_SERVING_BACKLOG_MS,
  type Request,
  segmentKey,
} from '@shoal/protocol'
import { LOSSY_BUFFER_HIGH_BYTES } from '../ports/link.js'
import type { UploadState } from '../runtime/swarm-api.js'
import { clipRanges, mergeRanges } from './chunk-ranges.js'
import type { EmitEffect, LinkId } from './io.js'
import { MessageRoom } from './message-room.js'
import type { Peer, UploadRequest } from './peer.js'
import type { Segment } from './segment.js'
import type { SegmentStore } from './segment-store.js'
import { SentPieces } from './sent-pieces.js'
import { UplinkMeter } from './uplink-meter.js'
import type { UploadPolicy } from './upload-policy.js'
import { type UploadQueue, UploadQueues } from './upload-queues.js'
import { UploadReads } from './upload-reads.js'

/** Requests of one peer that are kept at most; a well-behaved asker has far fewer outstanding. */
const MAX_REQUESTS_PER_PEER = 48

/** Longest time a request without a deadline waits, in milliseconds. */
const MAX_WAIT_MS = 10_000

/** Uplink assumed until measured, for the backlog that is told, in bytes per second. */
const UNKNOWN_UPLINK_BYTES_PER_SECOND = 1_000_000

/** With more than this in a channel's buffer, a whole message does not fit below its bound. */
const FULL_BUFFER_BYTES = LOSSY_BUFFER_HIGH_BYTES - MAX_LOSSY_MESSAGE_BYTES

/** Uplink time that may wait in the send buffers of all peers together, in seconds. */
const BUFFER_SECONDS = 0.1
/** And at least this, in bytes: fourteen chunks, so that a slow uplink is never idle for want of a look. */
const LEAST_BUFFER_BYTES = 16 * 1024

/** With those buffers full, room is looked for again after this long, at least and at most, in milliseconds. */
const BLOCKED_LOOK_MS = 10
const MAX_BLOCKED_LOOK_MS = 100

/** Chunks of one request in a row, so that choosing the most urgent one is not paid for each. */
const CHUNKS_PER_TURN = 8

/**
 * A request overtakes an earlier one only where its deadline is earlier by more than this, in
 * milliseconds: deadlines are told relative to an arrival that jitters, and to finish one piece is
 * better than to begin two.
 */
const OVERTAKE_MS = 250

/** A request with less than this to its deadline waits for nothing, in milliseconds. */
const URGENT_MS = 1_000

/** A request that has waited longer is overtaken no more, in milliseconds: some askers relay nothing. */
const MAX_OVERTAKEN_MS = 2_000

interface Sendable {
  readonly queue: UploadQueue
  readonly upload: UploadRequest
}

/**
 * Serves pieces: earliest deadline first, at most one send buffer ahead of the network, so that a
 * Cancel or a more urgent request takes effect at once. Whether and how fast, its policy says.
 */
export class Uploader {
  private readonly queues = new UploadQueues()
  private readonly reads: UploadReads
  private readonly uplink = new UplinkMeter()
  private readonly sent = new SentPieces()
  private nextOrder = 0
  private readonly messages = new MessageRoom()
  private readonly store: SegmentStore
  private readonly swarmTag: number
  private readonly policy: UploadPolicy
  private readonly emit: EmitEffect
  /** As of the last look; see `UploadState`. */
  state: UploadState
  uploadedBytes = 0
  private now = 0 as Millis

  constructor(store: SegmentStore, swarmTag: number, policy: UploadPolicy, emit: EmitEffect) {
    this.store = store
    this.swarmTag = swarmTag
    this.policy = policy
    this.emit = emit
    this.state = policy.state(0 as Millis)
    this.reads = new UploadReads((a, b) => this.goesBefore(a, b), emit)
  }

  /** Takes a Request. What cannot be served is dropped: the asker notices by time. */
  request(peer: Peer, message: Request, now: Millis): void {
    if (this.state === 'off') return
    const segment = this.store.get(segmentKey(message.segment))
    if (segment?.manifest == null || message.piece >= segment.pieceCount) return
    const queue = this.queues.of(peer)
    const known = queue.requests.get(message.requestId)
    const span = segment.pieceSpan(message.piece)
    const chunks = clipRanges(message.chunks, chunkCountOf(span.end - span.start))
    if (chunks.length === 0) return
    if (known !== undefined) {
      // An id stands for one piece.
      if (known.segment !== segment || known.piece !== message.piece) return
      known.chunks = mergeRanges(known.chunks, chunks)
      return
    }
    const held = segment.verified.has(message.piece)
    if (!held && !segment.arriving) return
    if (queue.requests.size >= MAX_REQUESTS_PER_PEER) return
    const wait = message.deadlineMs === NO_DEADLINE_MS ? MAX_WAIT_MS : message.deadlineMs
    const upload: UploadRequest = {
      id: message.requestId,
      order: this.nextOrder++,
      askedAt: now,
      relayed: peer.identity?.uploads === true,
      segment,
      piece: message.piece,
      deadline: (now + Math.min(wait, MAX_WAIT_MS)) as Millis,
      chunks,
      bytes: null,
      reading: false,
      started: false,
    }
    queue.requests.set(upload.id, upload)
    this.store.touch(segment)
    if (held) this.load(upload)
  }

  cancel(link: LinkId, requestIds: readonly number[]): void {
    this.queues.cancel(link, requestIds)
  }

  /** True where the peer waits for pieces that it asked for. */
  isServing(link: LinkId): boolean {
    return this.queues.isServing(link)
  }

  closeLink(link: LinkId): void {
    this.queues.closeLink(link)
  }

  /** A piece that requests may wait for has been verified. */
  pieceReady(segment: Segment, piece: number): void {
    for (const queue of this.queues.all()) {
      for (const upload of queue.requests.values()) {
        if (upload.segment === segment && upload.piece === piece && upload.bytes === null) this.load(upload)
      }
    }
  }

  /** Bytes that `read-piece` asked for; null where they are gone. */
  pieceRead(jobId: number, bytes: Uint8Array | null): void {
    this.reads.pieceRead(jobId, bytes)
  }

  /** Something could be sent, if only there were room for it. */
  get waiting(): boolean {
    return this.queues.waiting
  }

  /** Uplink as measured, in bytes per second, or null before that. */
  get uplinkRate(): number | null {
    return this.uplink.value
  }

  /** Milliseconds that what is queued will take; Infinity while nothing is served. */
  get backlogMs(): number {
    if (this.state !== 'on') return Number.POSITIVE_INFINITY
    const bytes = this.queues.readyChunks * CHUNK_BYTES
    const uplink = this.uplink.value ?? UNKNOWN_UPLINK_BYTES_PER_SECOND
    // However slow: the largest number that a Have can say means that nothing is served at all.
    const backlog = (bytes * 1000) / Math.min(uplink, this.policy.rate)
    return bytes === 0 ? 0 : Math.min(NOT_SERVING_BACKLOG_MS - 1, backlog)
  }

  /** Sends what the channels take. Returns when to try again because of a cap, or null. */
  pump(now: Millis): Millis | null {
    this.settle(now)
    const again = this.state === 'on' ? this.sendAll(now) : null
    if (this.state === 'on') for (const queue of this.queues.all()) this.reads.readAhead(queue)
    return again
  }

  private settle(now: Millis): void {
    this.state = this.policy.state(now)
    if (this.state === 'off') this.queues.clear()
    else if (this.state === 'paused') this.queues.expire(now)
  }

  private sendAll(now: Millis): Millis | null {
    for (;;) {
      const excess = this.queues.bufferedBytes - this.bufferBound()
      if (excess >= 0) return (now + this.blockedLookMs(excess)) as Millis
      const next = this.mostUrgent(now)
      if (next === null) {
        this.uplink.measure(this.queues.bufferedBytes, this.queues.waiting, now)
        return null
      }
      this.uplink.begin(this.queues.bufferedBytes, now)
      for (let sent = 0; sent < CHUNKS_PER_TURN && this.canSend(next); sent++) {
        const wait = this.policy.take(now)
        if (wait === Number.POSITIVE_INFINITY) {
          this.settle(now)
          return null
        }
        if (wait > 0) return (now + wait) as Millis
        this.sendChunk(next.queue, next.upload)
      }
    }
  }

  /** When those bytes will have left, as far as is known. */
  private blockedLookMs(bytes: number): number {
    const drained = (bytes * 1000) / (this.uplink.value ?? UNKNOWN_UPLINK_BYTES_PER_SECOND)
    return Math.min(MAX_BLOCKED_LOOK_MS, Math.max(BLOCKED_LOOK_MS, drained))
  }

  /**
   * What may lie in all send buffers together: a tenth of a second of the uplink, so that one piece
   * after another leaves whole and is passed on by its receiver while the next one leaves.
   */
  private bufferBound(): number {
    const uplink = this.uplink.value ?? UNKNOWN_UPLINK_BYTES_PER_SECOND
    return Math.max(LEAST_BUFFER_BYTES, uplink * BUFFER_SECONDS)
  }

  private load(upload: UploadRequest): void {
    if (!upload.segment.external) upload.bytes = upload.segment.pieceBytes(upload.piece)
  }

  /** The sendable request with the earliest deadline among peers whose buffer has room. */
  private mostUrgent(now: Millis): Sendable | null {
    this.now = now
    this.queues.expire(now)
    let best: Sendable | null = null
    for (const queue of this.queues.all()) {
      if (queue.peer.lossyBuffered > FULL_BUFFER_BYTES) continue
      for (const upload of queue.requests.values()) {
        if (upload.bytes !== null && (best === null || this.goesBefore(upload, best.upload))) {
          best = { queue, upload }
        }
      }
    }
    return best
  }

  private canSend({ queue, upload }: Sendable): boolean {
    return upload.chunks.length > 0 && queue.peer.lossyBuffered <= FULL_BUFFER_BYTES
  }

  private sendChunk(queue: UploadQueue, upload: UploadRequest): void {
    const range = upload.chunks[0]
    if (range === undefined || upload.bytes === null) return
    if (!upload.started) this.begin(upload)
    const start = range.start * CHUNK_BYTES
    const payload = upload.bytes.subarray(start, start + CHUNK_BYTES)
    const peer = queue.peer
    const { swarmTag } = this
    const { id: requestId } = upload
    const { dataSerial: serial } = peer
    const bytes = encodeData(
      { type: 'data', swarmTag, requestId, chunk: range.start, serial, payload },
      this.messages.take(DATA_HEADER_BYTES + payload.byteLength),
    )
    this.emit({ type: 'send', link: peer.link, channel: 'lossy', bytes })
    peer.dataSerial = (peer.dataSerial + 1) % 0x10000
    peer.lossyBuffered += bytes.byteLength
    peer.sentBytes += payload.byteLength
    this.uploadedBytes += payload.byteLength
    this.policy.sent(payload.byteLength)
    this.uplink.sent(payload.byteLength)
    if (range.start + 1 < range.end) upload.chunks[0] = { start: range.start + 1, end: range.end }
    else upload.chunks.shift()
    if (upload.chunks.length === 0) queue.requests.delete(upload.id)
  }

  private begin(upload: UploadRequest): void {
    upload.started = true
    this.sent.note(upload.segment, upload.piece, this.now)
  }

  private rankOf(upload: UploadRequest): number {
    const onlyHere = this.isOnlyHere(upload)
    if (this.now - upload.askedAt > MAX_OVERTAKEN_MS && (onlyHere || !this.spreads(upload))) return 2
    return onlyHere ? 1 : 0
  }

  /** A piece of a segment that we lead, and that has not left here of late: the swarm has it when it has. */
  private isOnlyHere(upload: UploadRequest): boolean {
    const { segment, piece, started, relayed } = upload
    if (!relayed || segment.manifestSource !== 'own') return false
    return (segment.published || segment.fromHttp.has(piece)) && (started || this.timesSent(upload) === 0)
  }

  /** The host brought it, and somebody has got it from here a moment ago: its asker gets it from them as well. */
  private spreads(upload: UploadRequest): boolean {
    return upload.relayed && upload.segment.published && this.timesSent(upload) > 0
  }

  private timesSent({ segment, piece }: UploadRequest): number {
    return this.sent.times(segment, piece, this.now)
  }

  /**
   * Which of two requests goes first: one that has been overtaken for long, or one for a piece that
   * nobody but us has, unless the other is urgent; the one with the earlier deadline, where the deadlines
   * differ by more than their jitter; else one that is begun; else the piece that has left here the fewest
   * times, since whoever has got a piece passes it on; else the older request.
   */
  private goesBefore(a: UploadRequest, b: UploadRequest): boolean {
    const rank = this.rankOf(a) - this.rankOf(b)
    if (rank !== 0 && (rank > 0 ? b : a).deadline - this.now > URGENT_MS) return rank > 0
    if (Math.abs(a.deadline - b.deadline) > OVERTAKE_MS) return a.deadline < b.deadline
    if (a.started !== b.started) return a.started
    return (this.timesSent(a) - this.timesSent(b) || a.order - b.order) < 0
  }
}

import {
  CHUNK_BYTES,
  chunkCountOf,
  encodeMessage,
  MAX_LOSSY_MESSAGE_BYTES,
  MAX_PIECES_PER_SEGMENT,
  type Millis,
  NO_DEADLINE_MS,
  type Request,
  segmentKey,
} from '@shoal/protocol'
import { LOSSY_BUFFER_HIGH_BYTES } from '../ports/link.js'
import { chunkTotal, clipRanges, mergeRanges } from './chunk-ranges.js'
import type { EmitEffect, LinkId } from './io.js'
import type { Peer, UploadRequest } from './peer.js'
import { TokenBucket, TransferRate } from './rates.js'
import type { Segment } from './segment.js'
import type { SegmentStore } from './segment-store.js'

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

/** With those buffers full, room is looked for again after this long, in milliseconds. */
const BLOCKED_LOOK_MS = 10

/** Chunks of one request in a row, so that choosing the most urgent one is not paid for each. */
const CHUNKS_PER_TURN = 8

/** Burst of the upload cap, in bytes: one full send buffer. */
const UPLOAD_BURST_BYTES = LOSSY_BUFFER_HIGH_BYTES

/**
 * A request overtakes an earlier one only where its deadline is earlier by more than this, in
 * milliseconds: deadlines are told relative to an arrival that jitters, and to finish one piece is
 * better than to begin two.
 */
const OVERTAKE_MS = 250

/**
 * Bytes outside memory that are read ahead for one peer at most, in bytes: what is asked for and
 * cancelled over and over must fill neither memory nor the disk's queue.
 */
const READ_AHEAD_BYTES = 256 * 1024

/** Busy time over which the uplink is measured at least, in milliseconds. */
const UPLINK_SPAN_MS = 200

interface Queue {
  readonly peer: Peer
  readonly requests: Map<number, UploadRequest>
  /** Bytes that are being read for it, for requests that may have been cancelled since. */
  reading: number
}

interface Sendable {
  readonly queue: Queue
  readonly upload: UploadRequest
}

/**
 * Serves pieces: earliest deadline first, at most one send buffer ahead of the network, so that a
 * Cancel or a more urgent request takes effect at once.
 */
export class Uploader {
  private readonly queues = new Map<LinkId, Queue>()
  private readonly reads = new Map<number, { readonly queue: Queue; readonly upload: UploadRequest }>()
  private readonly bucket: TokenBucket
  private readonly uplink = new TransferRate()
  private uplinkSince: Millis | null = null
  private uplinkBytes = 0
  /** How often each piece of a segment has left here. */
  private readonly sent = new WeakMap<Segment, Uint16Array>()
  private nextJob = 0
  private nextOrder = 0
  private readonly store: SegmentStore
  private readonly swarmTag: number
  private readonly emit: EmitEffect
  private readonly bytesPerSecond: number
  uploadedBytes = 0

  constructor(store: SegmentStore, swarmTag: number, bytesPerSecond: number, emit: EmitEffect) {
    this.store = store
    this.swarmTag = swarmTag
    this.emit = emit
    this.bytesPerSecond = bytesPerSecond
    this.bucket = new TokenBucket(bytesPerSecond, UPLOAD_BURST_BYTES)
  }

  /** Takes a Request. What cannot be served is dropped: the asker notices by time. */
  request(peer: Peer, message: Request, now: Millis): void {
    const segment = this.store.get(segmentKey(message.segment))
    if (segment?.manifest == null || message.piece >= segment.pieceCount) return
    const queue = this.queueOf(peer)
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
    const queue = this.queues.get(link)
    for (const id of requestIds) queue?.requests.delete(id)
  }

  closeLink(link: LinkId): void {
    this.queues.delete(link)
  }

  /** A piece that requests may wait for has been verified. */
  pieceReady(segment: Segment, piece: number): void {
    for (const queue of this.queues.values()) {
      for (const upload of queue.requests.values()) {
        if (upload.segment === segment && upload.piece === piece && upload.bytes === null) this.load(upload)
      }
    }
  }

  /** Bytes that `read-piece` asked for; null where they are gone. */
  pieceRead(jobId: number, bytes: Uint8Array | null): void {
    const read = this.reads.get(jobId)
    if (read === undefined) return
    const { queue, upload } = read
    this.reads.delete(jobId)
    queue.reading -= pieceBytes(upload)
    upload.reading = false
    if (bytes?.byteLength === pieceBytes(upload)) upload.bytes = bytes
    else dropUpload(queue, upload)
  }

  /** Milliseconds that what is queued will take. */
  get backlogMs(): number {
    let bytes = 0
    for (const queue of this.queues.values()) {
      for (const upload of queue.requests.values()) {
        if (upload.bytes !== null) bytes += chunkTotal(upload.chunks) * CHUNK_BYTES
      }
    }
    const uplink = this.uplink.value ?? UNKNOWN_UPLINK_BYTES_PER_SECOND
    return bytes === 0 ? 0 : (bytes * 1000) / Math.min(uplink, this.bytesPerSecond)
  }

  /** Sends what the channels take. Returns when to try again because of the cap, or null. */
  pump(now: Millis): Millis | null {
    const again = this.sendAll(now)
    for (const queue of this.queues.values()) this.readAhead(queue)
    return again
  }

  private sendAll(now: Millis): Millis | null {
    for (;;) {
      if (this.bufferedBytes() >= this.bufferBound()) return (now + BLOCKED_LOOK_MS) as Millis
      const next = this.mostUrgent(now)
      if (next === null) {
        this.measureUplink(now)
        return null
      }
      for (let sent = 0; sent < CHUNKS_PER_TURN && this.canSend(next); sent++) {
        if (!this.bucket.take(CHUNK_BYTES, now)) {
          return (now + Math.max(1, Math.ceil(this.bucket.wait(CHUNK_BYTES)))) as Millis
        }
        this.sendChunk(next.queue, next.upload, now)
      }
    }
  }

  /** Bytes in the send buffers of all peers that are served. */
  private bufferedBytes(): number {
    let bytes = 0
    for (const { peer } of this.queues.values()) bytes += peer.lossyBuffered
    return bytes
  }

  /**
   * What may lie in all send buffers together: a tenth of a second of the uplink, so that one piece
   * after another leaves whole and is passed on by its receiver while the next one leaves.
   */
  private bufferBound(): number {
    const uplink = this.uplink.value ?? UNKNOWN_UPLINK_BYTES_PER_SECOND
    return Math.max(LOSSY_BUFFER_HIGH_BYTES, uplink * BUFFER_SECONDS)
  }

  private queueOf(peer: Peer): Queue {
    let queue = this.queues.get(peer.link)
    if (queue === undefined) {
      queue = { peer, requests: new Map(), reading: 0 }
      this.queues.set(peer.link, queue)
    }
    return queue
  }

  private load(upload: UploadRequest): void {
    if (!upload.segment.external) upload.bytes = upload.segment.pieceBytes(upload.piece)
  }

  /** Reads what is sent next of what lies outside memory: one piece at least. */
  private readAhead(queue: Queue): void {
    let ahead = queue.reading
    let next: UploadRequest | null = null
    for (const upload of queue.requests.values()) {
      if (!upload.segment.external || upload.reading) continue
      if (upload.bytes !== null) ahead += upload.bytes.byteLength
      else if (next === null || this.goesBefore(upload, next)) next = upload
    }
    if (next === null || (ahead > 0 && ahead + pieceBytes(next) > READ_AHEAD_BYTES)) return
    const jobId = this.nextJob++
    this.reads.set(jobId, { queue, upload: next })
    queue.reading += pieceBytes(next)
    next.reading = true
    const span = next.segment.pieceSpan(next.piece)
    this.emit({ type: 'read-piece', jobId, segment: next.segment.id, span })
    this.readAhead(queue)
  }

  /** The sendable request with the earliest deadline among peers whose buffer has room. */
  private mostUrgent(now: Millis): Sendable | null {
    let best: Sendable | null = null
    for (const queue of this.queues.values()) {
      const room = queue.peer.lossyBuffered <= FULL_BUFFER_BYTES
      for (const upload of queue.requests.values()) {
        if (upload.deadline < now) queue.requests.delete(upload.id)
        else if (room && upload.bytes !== null && (best === null || this.goesBefore(upload, best.upload))) {
          best = { queue, upload }
        }
      }
    }
    return best
  }

  private canSend({ queue, upload }: Sendable): boolean {
    return upload.chunks.length > 0 && queue.peer.lossyBuffered <= FULL_BUFFER_BYTES
  }

  private sendChunk(queue: Queue, upload: UploadRequest, now: Millis): void {
    const range = upload.chunks[0]
    if (range === undefined || upload.bytes === null) return
    if (!upload.started) this.begin(upload)
    const start = range.start * CHUNK_BYTES
    const payload = upload.bytes.subarray(start, start + CHUNK_BYTES)
    const peer = queue.peer
    const bytes = encodeMessage({
      type: 'data',
      swarmTag: this.swarmTag,
      requestId: upload.id,
      chunk: range.start,
      serial: peer.dataSerial,
      payload,
    })
    this.emit({ type: 'send', link: peer.link, channel: 'lossy', bytes })
    peer.dataSerial = (peer.dataSerial + 1) % 0x10000
    peer.lossyBuffered += bytes.byteLength
    peer.sentBytes += payload.byteLength
    this.uploadedBytes += payload.byteLength
    this.uplinkBytes += payload.byteLength
    this.uplinkSince ??= now
    if (range.start + 1 < range.end) upload.chunks[0] = { start: range.start + 1, end: range.end }
    else upload.chunks.shift()
    if (upload.chunks.length === 0) queue.requests.delete(upload.id)
  }

  private begin(upload: UploadRequest): void {
    upload.started = true
    const sent = this.sent.get(upload.segment) ?? new Uint16Array(MAX_PIECES_PER_SEGMENT)
    this.sent.set(upload.segment, sent)
    sent[upload.piece] = (sent[upload.piece] ?? 0) + 1
  }

  private timesSent({ segment, piece }: UploadRequest): number {
    return this.sent.get(segment)?.[piece] ?? 0
  }

  /**
   * Which of two requests goes first: the one with the earlier deadline, where the deadlines differ
   * by more than their jitter; else one that is begun; else the piece that has left here the fewest
   * times, since whoever has got a piece passes it on; else the older request.
   */
  private goesBefore(a: UploadRequest, b: UploadRequest): boolean {
    if (Math.abs(a.deadline - b.deadline) > OVERTAKE_MS) return a.deadline < b.deadline
    if (a.started !== b.started) return a.started
    return (this.timesSent(a) - this.timesSent(b) || a.order - b.order) < 0
  }

  /** Rate while there is something to send: what the channels took, less what waits in them. */
  private measureUplink(now: Millis): void {
    if (this.uplinkSince === null) return
    let waiting = false
    let buffered = 0
    for (const { peer, requests } of this.queues.values()) {
      buffered += peer.lossyBuffered
      for (const { bytes } of requests.values()) if (bytes !== null) waiting = true
    }
    const elapsed = now - this.uplinkSince
    if (elapsed >= UPLINK_SPAN_MS) {
      this.uplink.sample(Math.max(0, this.uplinkBytes - buffered), elapsed as Millis)
      this.uplinkSince = now
      this.uplinkBytes = buffered
    }
    if (waiting) return
    // Idle from here on: time without anything to send says nothing of the uplink.
    this.uplinkSince = null
    this.uplinkBytes = 0
  }
}

function dropUpload(queue: Queue, upload: UploadRequest): void {
  if (queue.requests.get(upload.id) === upload) queue.requests.delete(upload.id)
}

function pieceBytes({ segment, piece }: UploadRequest): number {
  const { start, end } = segment.pieceSpan(piece)
  return end - start
}

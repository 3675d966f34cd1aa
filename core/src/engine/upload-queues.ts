import type { Millis } from '@shoal/protocol'
import { chunkTotal } from './chunk-ranges.js'
import type { LinkId } from './io.js'
import type { Peer, UploadRequest } from './peer.js'
import { PieceSet } from './piece-set.js'
import type { Segment } from './segment.js'

/** What one peer has asked for. */
export interface UploadQueue {
  readonly peer: Peer
  readonly requests: Map<number, UploadRequest>
  /** Bytes that are being read for it, for requests that may have been cancelled since. */
  reading: number
}

/** What peers have asked for and not got yet. */
export class UploadQueues {
  private readonly queues = new Map<LinkId, UploadQueue>()

  of(peer: Peer): UploadQueue {
    let queue = this.queues.get(peer.link)
    if (queue === undefined) {
      queue = { peer, requests: new Map(), reading: 0 }
      this.queues.set(peer.link, queue)
    }
    return queue
  }

  all(): Iterable<UploadQueue> {
    return this.queues.values()
  }

  cancel(link: LinkId, requestIds: readonly number[]): void {
    const queue = this.queues.get(link)
    for (const id of requestIds) queue?.requests.delete(id)
  }

  closeLink(link: LinkId): void {
    this.queues.delete(link)
  }

  isServing(link: LinkId): boolean {
    return (this.queues.get(link)?.requests.size ?? 0) > 0
  }

  /** Forgets all requests. */
  clear(): void {
    for (const { requests } of this.queues.values()) requests.clear()
  }

  /** Forgets the requests whose deadline has passed. */
  expire(now: Millis): void {
    for (const { requests } of this.queues.values()) {
      for (const { id, deadline } of requests.values()) if (deadline < now) requests.delete(id)
    }
  }

  /** Bytes in the send buffers of all peers that have asked. */
  get bufferedBytes(): number {
    let bytes = 0
    for (const { peer } of this.queues.values()) bytes += peer.lossyBuffered
    return bytes
  }

  /**
   * Chunks that could be sent at once. Of a piece that the host brought, one request counts: the others are
   * withdrawn when its receiver has it and passes it on. Were all counted, a seeder would seem too busy to be
   * asked for what nobody has yet.
   */
  get readyChunks(): number {
    let chunks = 0
    const counted = new Map<Segment, PieceSet>()
    for (const { requests } of this.queues.values()) {
      for (const upload of requests.values()) {
        if (upload.bytes === null || (upload.relayed && isCounted(upload, counted))) continue
        chunks += chunkTotal(upload.chunks)
      }
    }
    return chunks
  }

  /** A request could be served at once, if only the channels took more. */
  get waiting(): boolean {
    for (const { requests } of this.queues.values()) {
      for (const { bytes } of requests.values()) if (bytes !== null) return true
    }
    return false
  }
}

/** Whether another request for the same piece of the host's is among `counted`; from now on it is. */
function isCounted({ segment, piece }: UploadRequest, counted: Map<Segment, PieceSet>): boolean {
  if (!segment.published) return false
  const pieces = counted.get(segment) ?? new PieceSet()
  if (pieces.has(piece)) return true
  pieces.add(piece)
  counted.set(segment, pieces)
  return false
}

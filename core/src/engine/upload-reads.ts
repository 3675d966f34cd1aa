import type { EmitEffect } from './io.js'
import type { UploadRequest } from './peer.js'
import type { UploadQueue } from './upload-queues.js'

/**
 * Bytes outside memory that are read ahead for one peer at most, in bytes: what is asked for and
 * cancelled over and over must fill neither memory nor the disk's queue.
 */
const READ_AHEAD_BYTES = 256 * 1024

/** Reads pieces that lie outside memory before it is their turn. */
export class UploadReads {
  private readonly reads = new Map<number, { readonly queue: UploadQueue; readonly upload: UploadRequest }>()
  private nextJob = 0
  private readonly goesBefore: (a: UploadRequest, b: UploadRequest) => boolean
  private readonly emit: EmitEffect

  constructor(goesBefore: (a: UploadRequest, b: UploadRequest) => boolean, emit: EmitEffect) {
    this.goesBefore = goesBefore
    this.emit = emit
  }

  /** Reads what is sent next of what lies outside memory: one piece at least. */
  readAhead(queue: UploadQueue): void {
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

  /** Bytes that `read-piece` asked for; null where they are gone, and the request with them. */
  pieceRead(jobId: number, bytes: Uint8Array | null): void {
    const read = this.reads.get(jobId)
    if (read === undefined) return
    const { queue, upload } = read
    this.reads.delete(jobId)
    queue.reading -= pieceBytes(upload)
    upload.reading = false
    if (bytes?.byteLength === pieceBytes(upload)) upload.bytes = bytes
    else if (queue.requests.get(upload.id) === upload) queue.requests.delete(upload.id)
  }
}

function pieceBytes({ segment, piece }: UploadRequest): number {
  const { start, end } = segment.pieceSpan(piece)
  return end - start
}

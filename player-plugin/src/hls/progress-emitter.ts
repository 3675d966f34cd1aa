/** Joins chunks into one buffer of exactly their size, which is the receiver's to transfer. */
function join(chunks: readonly Uint8Array[], size: number): ArrayBuffer {
  const joined = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    joined.set(chunk, at)
    at += chunk.byteLength
  }
  return joined.buffer
}

/**
 * Hands a segment on in order while it arrives, for hls.js's `progressive` mode, where the payload of
 * `onSuccess` is ignored. Chunks are copies: hls.js's worker detaches what it is given.
 */
export class ProgressEmitter {
  readonly #highWaterBytes: number
  readonly #emit: (chunk: ArrayBuffer) => void
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #emitted = 0

  /** @param highWaterBytes smallest chunk that is handed on before the end */
  constructor(highWaterBytes: number, emit: (chunk: ArrayBuffer) => void) {
    this.#highWaterBytes = highWaterBytes
    this.#emit = emit
  }

  /** Bytes handed on so far, from the segment's start. */
  get emittedBytes(): number {
    return this.#emitted
  }

  /** Bytes at `offset` of the segment; what does not continue the known beginning waits for `finish`. */
  push(offset: number, bytes: Uint8Array): void {
    const known = this.#emitted + this.#pendingBytes
    if (offset > known || offset + bytes.byteLength <= known) return
    // A copy: the swarm owns what it was given.
    const chunk = bytes.slice(known - offset)
    this.#pending.push(chunk)
    this.#pendingBytes += chunk.byteLength
    if (this.#pendingBytes < this.#highWaterBytes) return
    const size = this.#pendingBytes
    const joined = join(this.#pending, size)
    this.#pending = []
    this.#pendingBytes = 0
    this.#emitted += size
    this.#emit(joined)
  }

  /** The whole segment is here: hands on what is left of it. */
  finish(segment: Uint8Array): void {
    this.#pending = []
    this.#pendingBytes = 0
    if (this.#emitted >= segment.byteLength) return
    const rest = segment.slice(this.#emitted)
    this.#emitted = segment.byteLength
    this.#emit(rest.buffer)
  }
}

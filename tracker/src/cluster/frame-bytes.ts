/** Bytes to begin with: as many as a busy node has for another in a few milliseconds. */
const FIRST_BYTES = 16 * 1024

/** A larger one is let go after use. */
const KEPT_BYTES = 512 * 1024

/** Bytes that are written one after the other, used again and again. */
export class FrameBytes {
  length: number
  private buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)

  /** @param reserved bytes at the beginning that are written last */
  constructor(reserved: number) {
    this.length = reserved
  }

  begin(reserved: number): void {
    this.length = reserved
    if (this.buffer.length > KEPT_BYTES) this.buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  }

  /** What has been written, as a view: it changes with what is written next. */
  taken(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  byte(value: number): void {
    this.room(1)
    this.buffer[this.length++] = value
  }

  int32(value: number): void {
    this.room(4)
    const { buffer, length } = this
    buffer[length] = value >>> 24
    buffer[length + 1] = value >>> 16
    buffer[length + 2] = value >>> 8
    buffer[length + 3] = value
    this.length += 4
  }

  uint32(value: number): void {
    this.int32(value | 0)
  }

  uint32At(at: number, value: number): void {
    this.buffer.writeUInt32BE(value, at)
  }

  /** A short text of characters up to U+00FF, one byte each. */
  chars(text: string): void {
    this.room(text.length)
    const { buffer } = this
    let at = this.length
    // Twenty of them take less time so than by a call into the runtime.
    for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i)
    this.length = at
  }

  /** As `chars`, for a long one. */
  text(text: string): void {
    this.room(text.length)
    this.length += this.buffer.write(text, this.length, 'latin1')
  }

  bytes(some: Uint8Array): void {
    this.room(some.byteLength)
    this.buffer.set(some, this.length)
    this.length += some.byteLength
  }

  private room(more: number): void {
    const needed = this.length + more
    if (needed <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.buffer.length))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }
}

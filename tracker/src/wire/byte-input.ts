/** Bytes behind a message that may be read; the first one is 0. */
const MARGIN = 16

/** A byte of four with its uppermost bit set, below 0x20, a quote, a backslash or 0x7f. */
const UPPER_BITS = 0x80808080 | 0

/**
 * The message that is read now, copied to where the last one was.
 *
 * A view of each message would cost as much as the copy, and code that always reads the same memory
 * is compiled better.
 */
export class ByteInput {
  readonly bytes: Buffer
  private readonly view: DataView
  private readonly maxBytes: number
  /** Of the message. */
  length = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
    this.bytes = Buffer.alloc(maxBytes + MARGIN)
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
  }

  /** False for a message that has no room. */
  take(data: Uint8Array): boolean {
    const { length } = data
    if (length > this.maxBytes) return false
    this.bytes.set(data)
    // No part of a message goes over it, so that no loop needs to look for the end.
    this.bytes[length] = 0
    this.length = length
    return true
  }

  /**
   * Skips printable ASCII without quotes and backslashes, four bytes at a time.
   *
   * @returns the first place from `at` on whose four bytes hold anything else
   */
  skipPlain(at: number): number {
    const { view } = this
    for (let to = at; ; to += 4) {
      const four = view.getInt32(to, true)
      const quotes = four ^ 0x22222222
      const backslashes = four ^ 0x5c5c5c5c
      // Subtracting or adding carries into the next byte only from one that is found already.
      const found =
        four |
        (four - 0x20202020) |
        (four + 0x01010101) |
        ((quotes - 0x01010101) & ~quotes) |
        ((backslashes - 0x01010101) & ~backslashes)
      if ((found & UPPER_BITS) !== 0) return to
    }
  }

  /** Each byte as one character. */
  latin1(from: number, to: number): string {
    return this.bytes.toString('latin1', from, to)
  }
}

import { DecodeError } from './errors.js'

/** Bounds-checked big-endian reader over one message. Every read past the end is a `DecodeError`. */
export class Reader {
  private readonly bytes: Uint8Array
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get remaining(): number {
    return this.bytes.byteLength - this.at
  }

  u8(): number {
    return this.byte(this.take(1))
  }

  u16(): number {
    const at = this.take(2)
    return (this.byte(at) << 8) | this.byte(at + 1)
  }

  u32(): number {
    const at = this.take(4)
    return this.word(at)
  }

  /** 48-bit unsigned integer: exact in a JavaScript number. */
  u48(): number {
    const at = this.take(6)
    return ((this.byte(at) << 8) | this.byte(at + 1)) * 2 ** 32 + this.word(at + 2)
  }

  /** A view of the next `length` bytes: it shares memory with the message and copies nothing. */
  view8(length: number): Uint8Array {
    const at = this.take(length)
    return this.bytes.subarray(at, at + length)
  }

  /** `length` bytes as a string of characters U+0000 to U+00FF. */
  binaryString(length: number): string {
    return binaryStringOf(this.view8(length))
  }

  /** Fails unless the whole message has been read. */
  end(): void {
    if (this.remaining !== 0) {
      throw new DecodeError('trailing-bytes', `${this.remaining} bytes after the message`)
    }
  }

  /** A byte that `take` has found to be there. */
  private byte(at: number): number {
    return this.bytes[at] ?? 0
  }

  private word(at: number): number {
    const high = (this.byte(at) << 8) | this.byte(at + 1)
    return ((high << 16) | (this.byte(at + 2) << 8) | this.byte(at + 3)) >>> 0
  }

  private take(length: number): number {
    if (length > this.remaining) {
      throw new DecodeError('truncated', `${length} bytes wanted, ${this.remaining} left`)
    }
    const at = this.at
    this.at += length
    return at
  }
}

/** Bytes as a string of characters U+0000 to U+00FF (the WebTorrent protocol's binary strings). */
export function binaryStringOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/** The inverse of `binaryStringOf`. Throws `DecodeError` (`bad-value`) on characters above U+00FF. */
export function bytesOfBinaryString(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0xff) throw new DecodeError('bad-value', 'a character above U+00FF in a binary string')
    bytes[i] = code
  }
  return bytes
}

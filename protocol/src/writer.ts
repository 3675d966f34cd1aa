/**
 * Big-endian writer into one buffer of known size: encoders compute the size first. Byte by byte: a
 * `DataView` for each of many small messages costs more than it saves.
 */
export class Writer {
  readonly bytes: Uint8Array
  private at = 0

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
  }

  u8(value: number): this {
    this.bytes[this.at++] = value
    return this
  }

  u16(value: number): this {
    this.bytes[this.at++] = value >>> 8
    this.bytes[this.at++] = value
    return this
  }

  u32(value: number): this {
    this.bytes[this.at++] = value >>> 24
    this.bytes[this.at++] = value >>> 16
    this.bytes[this.at++] = value >>> 8
    this.bytes[this.at++] = value
    return this
  }

  u48(value: number): this {
    return this.u16(Math.floor(value / 2 ** 32)).u32(value % 2 ** 32)
  }

  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.at)
    this.at += bytes.byteLength
    return this
  }

  binaryString(text: string): this {
    for (let i = 0; i < text.length; i++) this.u8(text.charCodeAt(i))
    return this
  }
}

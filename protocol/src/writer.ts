/** Big-endian writer into one buffer of known size: encoders compute the size first. */
export class Writer {
  readonly bytes: Uint8Array
  private readonly view: DataView
  private at = 0

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
    this.view = new DataView(this.bytes.buffer)
  }

  u8(value: number): this {
    this.view.setUint8(this.at, value)
    this.at += 1
    return this
  }

  u16(value: number): this {
    this.view.setUint16(this.at, value)
    this.at += 2
    return this
  }

  u32(value: number): this {
    this.view.setUint32(this.at, value)
    this.at += 4
    return this
  }

  u48(value: number): this {
    this.view.setUint16(this.at, Math.floor(value / 2 ** 32))
    this.view.setUint32(this.at + 2, value % 2 ** 32)
    this.at += 6
    return this
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

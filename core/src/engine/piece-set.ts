import { MAX_PIECES_PER_SEGMENT, type PieceBits } from '@shoal/protocol'

/** A set of piece indices, 0 to 63: two 32-bit words, as Have carries it. */
export class PieceSet {
  private low: number
  private high: number

  constructor(bits: PieceBits = { low: 0, high: 0 }) {
    this.low = bits.low >>> 0
    this.high = bits.high >>> 0
  }

  /** The set of the first `count` pieces. */
  static first(count: number): PieceSet {
    const set = new PieceSet()
    for (let piece = 0; piece < count; piece++) set.add(piece)
    return set
  }

  has(piece: number): boolean {
    return piece < 32 ? (this.low & (1 << piece)) !== 0 : (this.high & (1 << (piece - 32))) !== 0
  }

  add(piece: number): void {
    if (piece < 0 || piece >= MAX_PIECES_PER_SEGMENT) throw new RangeError(`piece ${piece}`)
    if (piece < 32) this.low = (this.low | (1 << piece)) >>> 0
    else this.high = (this.high | (1 << (piece - 32))) >>> 0
  }

  delete(piece: number): void {
    if (piece < 32) this.low = (this.low & ~(1 << piece)) >>> 0
    else this.high = (this.high & ~(1 << (piece - 32))) >>> 0
  }

  get size(): number {
    return popcount(this.low) + popcount(this.high)
  }

  get bits(): PieceBits {
    return { low: this.low, high: this.high }
  }
}

function popcount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

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
    return new PieceSet({ low: lowest(Math.min(count, 32)), high: lowest(Math.max(count - 32, 0)) })
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

  get isEmpty(): boolean {
    return this.low === 0 && this.high === 0
  }

  addAll(other: PieceSet): void {
    this.low = (this.low | other.low) >>> 0
    this.high = (this.high | other.high) >>> 0
  }

  removeAll(other: PieceSet): void {
    this.low = (this.low & ~other.low) >>> 0
    this.high = (this.high & ~other.high) >>> 0
  }

  /** Adds what both `a` and `b` have. */
  addCommon(a: PieceSet, b: PieceSet): void {
    this.low = (this.low | (a.low & b.low)) >>> 0
    this.high = (this.high | (a.high & b.high)) >>> 0
  }

  intersects(bits: PieceBits): boolean {
    return (this.low & bits.low) !== 0 || (this.high & bits.high) !== 0
  }

  /** The members, ascending. */
  toArray(): number[] {
    const members: number[] = []
    for (let bits = this.low; bits !== 0; bits &= bits - 1) members.push(31 - Math.clz32(bits & -bits))
    for (let bits = this.high; bits !== 0; bits &= bits - 1) members.push(63 - Math.clz32(bits & -bits))
    return members
  }

  get bits(): PieceBits {
    return { low: this.low, high: this.high }
  }
}

/** A word with its `count` lowest bits set, 0 to 32. */
function lowest(count: number): number {
  return count === 32 ? 0xffffffff : (1 << count) - 1
}

function popcount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

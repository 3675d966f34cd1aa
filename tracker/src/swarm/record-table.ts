/** Bytes of an id of 20 characters from U+0000 to U+00FF, and the numbers that hold them. */
const ID_BYTES = 20
export const ID_INTS = ID_BYTES / 4

/** Constants of the hash functions FNV-1a and MurmurHash3. */
const FNV_OFFSET = 0x811c9dc5 | 0
const FNV_PRIME = 0x01000193
const MIX = 0x85ebca6b | 0

const FIRST_CAPACITY = 256

/**
 * Records of whole numbers in one piece of memory: hundreds of thousands of them live for a minute, and as
 * objects each would be copied by the garbage collector twice and marked again and again.
 */
export class RecordTable {
  /** Grows: never keep it. A record is known by its place in here. */
  ints: Int32Array
  /** Records in use. */
  size = 0
  private readonly record: number
  private readonly link: number
  private readonly idBytes = Buffer.alloc(ID_BYTES)
  private readonly id = new Int32Array(this.idBytes.buffer, this.idBytes.byteOffset, ID_INTS)
  private used = 0
  private free = -1

  /**
   * @param record numbers of one record
   * @param link place in a record that those which are not used are chained by
   */
  constructor(record: number, link: number) {
    this.record = record
    this.link = link
    this.ints = new Int32Array(FIRST_CAPACITY * record)
  }

  /** A record with anything in it. */
  take(): number {
    this.size++
    const at = this.free
    if (at >= 0) {
      this.free = this.ints[at + this.link] ?? -1
      return at
    }
    if (this.used === this.ints.length) this.grow()
    this.used += this.record
    return this.used - this.record
  }

  remove(at: number): void {
    this.ints[at + this.link] = this.free
    this.free = at
    this.size--
  }

  /** Sets the id that `putId` writes and `hasId` looks for. */
  decode(id: string): void {
    if (id.length < ID_BYTES) this.idBytes.fill(0)
    this.idBytes.write(id, 0, 'latin1')
  }

  /** Writes the id that was decoded last to a place of a record. */
  putId(at: number): void {
    for (let i = 0; i < ID_INTS; i++) this.ints[at + i] = this.id[i] ?? 0
  }

  /** True where the id that was decoded last is at this place of a record. */
  hasId(at: number): boolean {
    const { ints, id } = this
    for (let i = 0; i < ID_INTS; i++) if (ints[at + i] !== id[i]) return false
    return true
  }

  /** Decodes the id that is at this place of a record. */
  takeId(at: number): void {
    for (let i = 0; i < ID_INTS; i++) this.id[i] = this.ints[at + i] ?? 0
  }

  /** A number from the id that was decoded last and `seed` (FNV-1a by four bytes, mixed at the end). */
  hashId(seed: number): number {
    let hash = seed ^ FNV_OFFSET
    for (let i = 0; i < ID_INTS; i++) hash = Math.imul(hash ^ (this.id[i] ?? 0), FNV_PRIME)
    hash = Math.imul(hash ^ (hash >>> 15), MIX)
    return hash ^ (hash >>> 13)
  }

  private grow(): void {
    const grown = new Int32Array(this.ints.length * 2)
    grown.set(this.ints)
    this.ints = grown
  }
}

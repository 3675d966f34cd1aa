import type { Peer } from './peer.js'
import type { PeerTable } from './peer-table.js'

/** Of an offer's id: its characters are from U+0000 to U+00FF. */
const ID_BYTES = 20
const ID_INTS = ID_BYTES / 4

/** Where in a record what is; the id's 20 bytes are first. */
export const OFFER = {
  next: 5,
  /** The clock's ms at which it can no longer be answered, modulo 2^32. */
  expires: 6,
  receiver: 7,
  /** Of the receiver: its slot may have gone to another peer. */
  serial: 8,
  answered: 9,
  /** Candidates relayed so far, by the side that sent them. */
  fromOfferer: 10,
  fromReceiver: 11,
} as const

const RECORD = 12

const FIRST_CAPACITY = 256

/**
 * Records of offers, in one piece of memory: hundreds of thousands of them live for a minute, and as
 * objects each would be copied by the garbage collector twice and marked again and again.
 */
export class OfferTable {
  /** Grows: never keep it. A record is known by its place in here. */
  ints = new Int32Array(FIRST_CAPACITY * RECORD)
  size = 0
  private readonly idBytes = Buffer.alloc(ID_BYTES)
  private readonly id = new Int32Array(this.idBytes.buffer, this.idBytes.byteOffset, ID_INTS)
  private used = 0
  private free = -1

  /** @returns the record, with no next one */
  add(offerId: string, receiver: Peer, expires: number): number {
    const at = this.take()
    const { ints } = this
    this.decode(offerId)
    for (let i = 0; i < ID_INTS; i++) ints[at + i] = this.id[i] ?? 0
    ints[at + OFFER.next] = -1
    ints[at + OFFER.expires] = expires
    ints[at + OFFER.receiver] = receiver.slot
    ints[at + OFFER.serial] = receiver.serial
    ints[at + OFFER.answered] = 0
    ints[at + OFFER.fromOfferer] = 0
    ints[at + OFFER.fromReceiver] = 0
    return at
  }

  remove(at: number): void {
    this.ints[at + OFFER.next] = this.free
    this.free = at
    this.size--
  }

  /** Sets the id that `hasId` looks for. */
  decode(offerId: string): void {
    if (offerId.length < ID_BYTES) this.idBytes.fill(0)
    this.idBytes.write(offerId, 0, 'latin1')
  }

  /** True for a record of the id that was decoded last. */
  hasId(at: number): boolean {
    const { ints, id } = this
    for (let i = 0; i < ID_INTS; i++) if (ints[at + i] !== id[i]) return false
    return true
  }

  isFor(at: number, { slot, serial }: Peer): boolean {
    return this.ints[at + OFFER.receiver] === slot && this.ints[at + OFFER.serial] === serial
  }

  /** Null once the receiver has left. */
  receiver(at: number, peers: PeerTable): Peer | null {
    const peer = peers.peer(this.ints[at + OFFER.receiver] ?? -1)
    return peer !== null && peer.serial === this.ints[at + OFFER.serial] ? peer : null
  }

  private take(): number {
    this.size++
    const at = this.free
    if (at >= 0) {
      this.free = this.ints[at + OFFER.next] ?? -1
      return at
    }
    if (this.used === this.ints.length) this.grow()
    this.used += RECORD
    return this.used - RECORD
  }

  private grow(): void {
    const grown = new Int32Array(this.ints.length * 2)
    grown.set(this.ints)
    this.ints = grown
  }
}

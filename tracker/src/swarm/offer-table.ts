import type { Peer } from './peer.js'
import type { PeerTable } from './peer-table.js'
import { ID_INTS, RecordTable } from './record-table.js'

/** Where in a record what is; the id is first. */
export const OFFER = {
  next: ID_INTS,
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

/** Records of offers that were relayed. */
export class OfferTable extends RecordTable {
  constructor() {
    super(RECORD, OFFER.next)
  }

  /** @returns the record, with no next one */
  add(offerId: string, receiver: Peer, expires: number): number {
    const at = this.take()
    const { ints } = this
    this.decode(offerId)
    this.putId(at)
    ints[at + OFFER.next] = -1
    ints[at + OFFER.expires] = expires
    ints[at + OFFER.receiver] = receiver.slot
    ints[at + OFFER.serial] = receiver.serial
    ints[at + OFFER.answered] = 0
    ints[at + OFFER.fromOfferer] = 0
    ints[at + OFFER.fromReceiver] = 0
    return at
  }

  isFor(at: number, { slot, serial }: Peer): boolean {
    return this.ints[at + OFFER.receiver] === slot && this.ints[at + OFFER.serial] === serial
  }

  /** Null once the receiver has left. */
  receiver(at: number, peers: PeerTable): Peer | null {
    const peer = peers.peer(this.ints[at + OFFER.receiver] ?? -1)
    return peer !== null && peer.serial === this.ints[at + OFFER.serial] ? peer : null
  }
}

import { ID_INTS, RecordTable } from '../swarm/record-table.js'
import type { NodeId } from './bus.js'

/** Where in a record what is; the offer's id is first. */
export const AWAY = {
  /** Of the same offerer: the next newer one, -1 for none. */
  newer: ID_INTS,
  /** Of the same place in the index. */
  next: 6,
  /** The offerer's serial number. */
  offerer: 7,
  /** The clock's ms at which it can no longer be answered, modulo 2^32. */
  expires: 8,
  /** The 8 bytes of the node's id. */
  node: 9,
  /** The peer id of who has it, once that peer has said something. */
  receiver: 11,
  /** `STATE`, and candidates relayed so far. */
  state: 16,
} as const

const RECORD = 17

export const STATE = {
  answered: 1,
  hasReceiver: 2,
  /** One candidate of the offerer, and one of the receiver: eight bits each. */
  fromOfferer: 1 << 8,
  fromReceiver: 1 << 16,
} as const

/** Places of the index: at half a million offers, a search looks at eight. */
const INDEX_SIZE = 65_536

/** Candidates that a side has sent, by what one of them counts in `state`. */
export function candidatesIn(state: number, one: number): number {
  return Math.floor(state / one) & 0xff
}

/** Records of offers that went to other nodes, found by offerer and id. */
export class AwayTable extends RecordTable {
  private readonly index = new Int32Array(INDEX_SIZE).fill(-1)
  private readonly nodeBytes = Buffer.alloc(8)
  private readonly nodeInts = new Int32Array(this.nodeBytes.buffer, this.nodeBytes.byteOffset, 2)

  constructor() {
    super(RECORD, AWAY.newer)
  }

  /** The record of an offerer's offer; -1 for none. */
  find(offerer: number, offerId: string): number {
    this.decode(offerId)
    let at = this.index[this.placeOf(offerer)] ?? -1
    while (at >= 0 && (this.ints[at + AWAY.offerer] !== offerer || !this.hasId(at))) {
      at = this.ints[at + AWAY.next] ?? -1
    }
    return at
  }

  /** @returns the record of the offer that was looked for last, in vain */
  add(offerer: number, node: NodeId, expires: number): number {
    const at = this.take()
    const { ints } = this
    const place = this.placeOf(offerer)
    this.putId(at)
    ints[at + AWAY.newer] = -1
    ints[at + AWAY.next] = this.index[place] ?? -1
    ints[at + AWAY.offerer] = offerer
    ints[at + AWAY.expires] = expires
    this.nodeBytes.write(node, 'hex')
    ints[at + AWAY.node] = this.nodeInts[0] ?? 0
    ints[at + AWAY.node + 1] = this.nodeInts[1] ?? 0
    ints[at + AWAY.state] = 0
    this.index[place] = at
    return at
  }

  override remove(at: number): void {
    const { ints, index } = this
    this.takeId(at)
    const place = this.placeOf(ints[at + AWAY.offerer] ?? 0)
    const next = ints[at + AWAY.next] ?? -1
    let before = index[place] ?? -1
    if (before === at) index[place] = next
    else {
      while (ints[before + AWAY.next] !== at) before = ints[before + AWAY.next] ?? -1
      ints[before + AWAY.next] = next
    }
    super.remove(at)
  }

  nodeOf(at: number): NodeId {
    this.nodeInts[0] = this.ints[at + AWAY.node] ?? 0
    this.nodeInts[1] = this.ints[at + AWAY.node + 1] ?? 0
    return this.nodeBytes.toString('hex') as NodeId
  }

  isAt(at: number, node: NodeId): boolean {
    this.nodeBytes.write(node, 'hex')
    return (
      this.ints[at + AWAY.node] === this.nodeInts[0] && this.ints[at + AWAY.node + 1] === this.nodeInts[1]
    )
  }

  /** Of an offerer's offer with the id that was decoded last. */
  private placeOf(offerer: number): number {
    return this.hashId(offerer) & (INDEX_SIZE - 1)
  }
}

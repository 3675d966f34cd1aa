import type { NodeId } from './bus.js'
import { FrameBytes } from './frame-bytes.js'
import { MAX_ENTRIES, MAX_FRAME_BYTES, VERSION } from './frame-fields.js'
import { readItem, writeItem } from './item-bytes.js'
import type { Item } from './items.js'

/** Of a node's id, and of the number of a frame. */
const NODE_BYTES = 8
const SERIAL_BYTES = 6
const HEAD_BYTES = 1 + NODE_BYTES + SERIAL_BYTES

/** Of an item: how many bytes follow. */
const LENGTH_BYTES = 4

/** Bytes with which a frame goes out: what is left has room for any message of a client. */
const FULL_BYTES = MAX_FRAME_BYTES / 4

/**
 * Puts items together to a frame as they come: a version byte, the sender's id, a number that grows with
 * its frames, then each item with its length before it. Numbers are big-endian.
 *
 * Offers and answers are nearly all of it. Their descriptions are copied from the text that came from the
 * client to where the socket takes them from, and nothing of an item lives longer than the call.
 */
export class FrameWriter {
  private readonly from: NodeId
  private readonly bytes = new FrameBytes(HEAD_BYTES)
  private count = 0

  constructor(from: NodeId) {
    this.from = from
  }

  get isEmpty(): boolean {
    return this.count === 0
  }

  /** True once it is to go out: it has as many items or bytes as is good for a frame. */
  get isFull(): boolean {
    return this.count >= MAX_ENTRIES || this.bytes.length >= FULL_BYTES
  }

  /** False for an item that has no room. */
  add(item: Item): boolean {
    const { bytes } = this
    const start = bytes.length
    bytes.uint32(0)
    writeItem(bytes, item)
    if (bytes.length > MAX_FRAME_BYTES) {
      bytes.length = start
      return false
    }
    bytes.uint32At(start, bytes.length - start - LENGTH_BYTES)
    this.count++
    return true
  }

  /** The frame, and begins anew: it is to be used before the next item is added. */
  take(serial: number): Uint8Array {
    const { bytes } = this
    const frame = bytes.taken()
    frame[0] = VERSION
    frame.write(this.from, 1, 'hex')
    frame.writeUIntBE(serial, 1 + NODE_BYTES, SERIAL_BYTES)
    bytes.begin(HEAD_BYTES)
    this.count = 0
    return frame
  }
}

export interface ItemFrame {
  readonly from: NodeId
  /** Grows with the sender's frames: one that comes twice is seen by it. */
  readonly serial: number
  readonly items: readonly Item[]
  /** Items out of form. */
  readonly rejected: number
}

/** Null for what is no frame of this version. */
export function readItems(bytes: Uint8Array): ItemFrame | null {
  if (bytes.byteLength > MAX_FRAME_BYTES || bytes.byteLength < HEAD_BYTES) return null
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (frame[0] !== VERSION) return null
  const from = frame.toString('hex', 1, 1 + NODE_BYTES) as NodeId
  const serial = frame.readUIntBE(1 + NODE_BYTES, SERIAL_BYTES)
  const items: Item[] = []
  let rejected = 0
  let at = HEAD_BYTES
  while (at < frame.length) {
    if (frame.length - at < LENGTH_BYTES || items.length + rejected >= MAX_ENTRIES) return null
    const start = at + LENGTH_BYTES
    const end = start + frame.readUInt32BE(at)
    if (end > frame.length) return null
    const item = readItem(frame, start, end)
    if (item === null) rejected++
    else items.push(item)
    at = end
  }
  return { from, serial, items, rejected }
}

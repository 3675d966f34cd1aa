import { DATA_HEADER_BYTES, type Data, MAX_LOSSY_MESSAGE_BYTES, MessageType } from '@shoal/protocol'

/*
 * Data messages of which only the header and the payload's first byte mean anything. Takes the place
 * of the protocol's `encode-data` where `sampled-memory` takes that of the engine's memory.
 */

/** Room for a header and one byte of payload; what follows is the next messages'. */
const SLOT_BYTES = 16
/** Messages on their way that are told apart: all that a swarm of 10,000 sends in 8 s. */
const MESSAGES_UNDER_WAY = 2 ** 21

let slots: Uint8Array | null = null
let view: DataView | null = null
let made = 0

/** As the protocol's, as far as the simulator looks. */
export function encodeData({ swarmTag, requestId, chunk, serial, payload }: Data): Uint8Array {
  slots ??= new Uint8Array(MESSAGES_UNDER_WAY * SLOT_BYTES + MAX_LOSSY_MESSAGE_BYTES)
  view ??= new DataView(slots.buffer)
  const at = (made++ % MESSAGES_UNDER_WAY) * SLOT_BYTES
  view.setUint8(at, MessageType.data)
  view.setUint32(at + 1, swarmTag)
  view.setUint32(at + 5, requestId)
  view.setUint16(at + 9, chunk)
  view.setUint16(at + 11, serial)
  view.setUint8(at + DATA_HEADER_BYTES, payload[0] ?? 0)
  return slots.subarray(at, at + DATA_HEADER_BYTES + payload.byteLength)
}

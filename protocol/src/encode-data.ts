import { DATA_HEADER_BYTES } from './limits.js'
import { type Data, MessageType } from './messages.js'

/**
 * A Data message. Byte by byte: most of all messages are this one, and a `DataView` is not free.
 *
 * @param bytes where it is written, as long as the message
 */
export function encodeData(
  { swarmTag, requestId, chunk, serial, payload }: Data,
  bytes = new Uint8Array(DATA_HEADER_BYTES + payload.byteLength),
): Uint8Array {
  bytes[0] = MessageType.data
  bytes[1] = swarmTag >>> 24
  bytes[2] = swarmTag >>> 16
  bytes[3] = swarmTag >>> 8
  bytes[4] = swarmTag
  bytes[5] = requestId >>> 24
  bytes[6] = requestId >>> 16
  bytes[7] = requestId >>> 8
  bytes[8] = requestId
  bytes[9] = chunk >>> 8
  bytes[10] = chunk
  bytes[11] = serial >>> 8
  bytes[12] = serial
  bytes.set(payload, DATA_HEADER_BYTES)
  return bytes
}

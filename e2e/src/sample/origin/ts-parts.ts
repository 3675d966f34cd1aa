const PACKET_BYTES = 188
const SYNC_BYTE = 0x47
/** Stream id of the first video stream (ISO/IEC 13818-1, table 2-22). */
const VIDEO_STREAM_ID = 0xe0
const TICKS_PER_SECOND = 90_000
/** Timestamps are rounded to ticks: a frame this much early still begins the next part. */
const ROUNDING_TICKS = 100

/**
 * Where the parts of an MPEG-TS segment begin, in bytes: each at the packet of the first frame that is
 * `partSeconds` later than the part before it began. The first is 0, the last element is the size.
 *
 * @throws {Error} where the segment is not the MPEG-TS that the samples are made of
 */
export function partOffsets(segment: Buffer, partSeconds: number): number[] {
  const offsets = [0]
  let start: number | null = null
  for (let at = 0; at < segment.length; at += PACKET_BYTES) {
    if (segment[at] !== SYNC_BYTE) throw new Error(`no MPEG-TS packet at ${at}`)
    const time = frameTime(segment.subarray(at, at + PACKET_BYTES))
    if (time === null) continue
    start ??= time
    if (time - start >= offsets.length * partSeconds * TICKS_PER_SECOND - ROUNDING_TICKS) offsets.push(at)
  }
  if (start === null) throw new Error('no video in the segment')
  return [...offsets, segment.length]
}

/** Presentation time of the video frame that begins in this packet, in ticks; null where none does. */
function frameTime(packet: Buffer): number | null {
  const begins = (packet.readUInt8(1) & 0x40) !== 0
  const control = packet.readUInt8(3) & 0x30
  if (!begins || (control & 0x10) === 0) return null
  const payload = packet.subarray(control === 0x30 ? 5 + packet.readUInt8(4) : 4)
  // A packetised elementary stream begins with 00 00 01 and its id; tables do not.
  if (payload.length < 14 || payload.readUInt32BE(0) !== 0x100 + VIDEO_STREAM_ID) return null
  const high = (payload.readUInt8(9) & 0x0e) * 2 ** 29
  const middle = (payload.readUInt16BE(10) & 0xfffe) * 2 ** 14
  return high + middle + (payload.readUInt16BE(12) >> 1)
}

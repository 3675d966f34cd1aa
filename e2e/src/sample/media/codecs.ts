/** AAC-LC, RFC 6381. */
export const AAC_CODEC = 'mp4a.40.2'

/**
 * The RFC 6381 name of the H.264 video in a segment or init file, read from its parameter set: what an
 * encoder is asked for and what it writes may differ.
 *
 * @throws {Error} when there is no sequence parameter set
 */
export function h264Codec(bytes: Buffer): string {
  const profile = fromAvcConfiguration(bytes) ?? fromStartCode(bytes)
  if (profile === null) throw new Error('no H.264 parameter set in the first segment')
  return `avc1.${profile.toString('hex')}`
}

/** ISO/IEC 14496-15: `avcC`, version 1, then profile, compatibility and level. */
function fromAvcConfiguration(bytes: Buffer): Buffer | null {
  const at = bytes.indexOf('avcC', 0, 'latin1')
  return at < 0 ? null : bytes.subarray(at + 5, at + 8)
}

/** ISO/IEC 14496-10, annex B: a start code, then a NAL unit of type 7. */
function fromStartCode(bytes: Buffer): Buffer | null {
  const startCode = '\0\0\x01'
  for (let at = bytes.indexOf(startCode, 0, 'latin1'); at >= 0; ) {
    if (((bytes[at + 3] ?? 0) & 0x1f) === 7) return bytes.subarray(at + 4, at + 7)
    at = bytes.indexOf(startCode, at + 3, 'latin1')
  }
  return null
}

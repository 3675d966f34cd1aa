/** Bytes that tell text from media. */
export const LOOK_BYTES = 32

const TAB = 0x09
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const LAST_PRINTABLE = 0x7e

/** UTF-8's byte order mark. */
const BOM = [0xef, 0xbb, 0xbf]

/**
 * True where a body is text: the page of a captive portal, or an error told with status 200.
 *
 * No audio or video segment begins with 32 printable characters: MPEG-TS has zeros and 0xff in its
 * first packet, an fMP4 box and an ID3 tag a length in binary; of ciphertext one in 10^13 does.
 * Content-Type is not asked: media is served under wrong ones, and some sites do so on purpose.
 *
 * @param head the first `LOOK_BYTES` of a body, or all of a shorter one
 */
export function looksLikeText(head: Uint8Array): boolean {
  const marked = BOM.every((byte, index) => head[index] === byte)
  const text = head.subarray(marked ? BOM.length : 0, LOOK_BYTES)
  return text.byteLength > 0 && text.every(isText)
}

function isText(byte: number): boolean {
  return (byte >= TAB && byte <= CARRIAGE_RETURN) || (byte >= SPACE && byte <= LAST_PRINTABLE)
}

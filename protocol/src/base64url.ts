const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Base64url of bytes, without padding (RFC 4648 section 5). By hand: this package knows no `btoa`. */
export function base64urlOf(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.byteLength; at += 3) {
    const left = Math.min(3, bytes.byteLength - at)
    const word = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    for (let n = 0; n <= left; n++) text += ALPHABET[(word >>> (18 - 6 * n)) & 63]
  }
  return text
}

/**
 * Bytes of base64url, or null where it is none. Padding and bits beyond the last byte are refused: bytes
 * have one text, so that texts can be compared in their place.
 */
export function bytesOfBase64url(text: string): Uint8Array | null {
  const bytes = new Uint8Array(Math.floor((text.length * 6) / 8))
  let word = 0
  let bits = 0
  let at = 0
  for (const character of text) {
    const value = ALPHABET.indexOf(character)
    if (value < 0) return null
    word = ((word << 6) | value) & 0xffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = word >>> bits
  }
  return bits < 6 && (word & ((1 << bits) - 1)) === 0 ? bytes : null
}

import type { CryptoPort } from '../ports/digest.js'

/**
 * Stands in for SHA-256 where speed and a virtual clock matter: 32 bytes that differ where the input
 * differs by chance, not where an attacker wants them equal. Every signature counts as unsigned.
 */
export const toyCrypto: CryptoPort = {
  sha256: async (bytes) => toyDigest(bytes),
  verifyManifest: async () => 'unsigned',
}

/** The digest, at once. */
export function toyDigest(bytes: Uint8Array): Uint8Array {
  let a = 0x811c9dc5 ^ bytes.byteLength
  let b = 0x9e3779b9
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193)
    b = Math.imul(b ^ (a >>> 15), 0x85ebca6b)
  }
  const digest = new Uint8Array(32)
  const view = new DataView(digest.buffer)
  for (let word = 0; word < 8; word++) {
    a = Math.imul(a ^ (b >>> 13), 0xc2b2ae35)
    b = Math.imul(b ^ (a >>> 16), 0x27d4eb2f)
    view.setUint32(word * 4, (a ^ b) >>> 0)
  }
  return digest
}

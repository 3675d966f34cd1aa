import { bytesOfBase64url } from './base64url.js'
import type { ManifestSignature } from './messages.js'

/** A key that verifies manifests, in the raw form that WebCrypto imports. */
export interface PublicKey {
  readonly algorithm: ManifestSignature['algorithm']
  /** 32 bytes of Ed25519 (RFC 8032), or an uncompressed point of P-256: 4 and 64 bytes (SEC 1, 2.3.3). */
  readonly bytes: Uint8Array
}

/** Base64url of 32 and of 65 bytes, in characters. */
const ED25519_CHARS = 43
const P256_CHARS = 87

/**
 * Reads a public key as configuration and tracker messages write it: base64url without padding of the raw
 * key. Its length tells the algorithm.
 *
 * @returns null where it is none; that a point is on the curve is for who imports it to say
 */
export function readPublicKey(value: unknown): PublicKey | null {
  if (typeof value !== 'string') return null
  if (value.length !== ED25519_CHARS && value.length !== P256_CHARS) return null
  const bytes = bytesOfBase64url(value)
  if (bytes === null) return null
  if (bytes.byteLength === 32) return { algorithm: 'ed25519', bytes }
  return bytes[0] === 4 ? { algorithm: 'p256', bytes } : null
}

/** True for the text of a public key. */
export function isPublicKey(value: unknown): value is string {
  return readPublicKey(value) !== null
}

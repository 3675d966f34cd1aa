import type { KeyObject } from 'node:crypto'
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { InfoHash } from '@shoal/protocol'
import { attestationBytes } from '@shoal/protocol'

/** Signs what fetchers agree on. */
export interface Attestor {
  /** Base64url of the raw public key. */
  readonly publicKey: string
  /** Signature over `attestationBytes`, base64url of 64 bytes. */
  sign(infoHash: InfoHash, digest: string): string
}

/** Signs with a key that lives as long as the process: P-256, which every browser verifies. */
export function ephemeralAttestor(): Attestor {
  return attestorOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
}

/**
 * Signs with the key of a PEM file (PKCS #8): Ed25519 or P-256.
 *
 * @throws Error for any other text
 */
export function attestorFrom(pem: string): Attestor {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw new Error('holds no private key in PEM form (PKCS #8)')
  }
  return attestorOf(key)
}

function attestorOf(key: KeyObject): Attestor {
  const ed25519 = key.asymmetricKeyType === 'ed25519'
  if (!ed25519 && key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Error('holds a key that is neither Ed25519 nor P-256')
  }
  return {
    publicKey: rawPublicKey(key),
    sign(infoHash, digest) {
      const bytes = attestationBytes(infoHash, digest)
      const signature = ed25519
        ? sign(null, bytes, key)
        : // r and s of 32 bytes each (IEEE P1363), as WebCrypto verifies them; ASN.1 is the default.
          sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' })
      return signature.toString('base64url')
    },
  }
}

/** From JWK: RFC 8037 section 2, RFC 7518 section 6.2.1. */
function rawPublicKey(key: KeyObject): string {
  const { x = '', y } = createPublicKey(key).export({ format: 'jwk' })
  if (y === undefined) return x
  const point = [Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
  return Buffer.concat(point).toString('base64url')
}

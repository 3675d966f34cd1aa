import type { KeyObject } from 'node:crypto'
import {
  createHash,
  createHmac,
  createPublicKey,
  createSecretKey,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import {
  publicKeyBlocks,
  readToken as readWith,
  secretLines,
  type TokenClaims,
  type TokenPort,
} from '@shoal/protocol'

/** HMAC-SHA256 secrets are at least as long as the hash, in bytes (RFC 7518 section 3.2). */
const MIN_SECRET_BYTES = 32

/** Keys that tokens may be signed with; several of them while one takes the other's place. */
export interface TokenKeys {
  readonly hmac: readonly KeyObject[]
  readonly ed25519: readonly KeyObject[]
}

/** Reads secrets, one a line, of at least 32 characters; `#` begins a comment. @throws Error */
export function readSecrets(text: string): KeyObject[] {
  return secretLines(text).map((secret, i) => {
    const bytes = Buffer.from(secret, 'utf8')
    if (bytes.byteLength < MIN_SECRET_BYTES) throw new Error(`secret ${i + 1} has less than 32 bytes`)
    return createSecretKey(bytes)
  })
}

/** Reads Ed25519 public keys, PEM blocks one after the other. @throws Error */
export function readPublicKeys(text: string): KeyObject[] {
  return publicKeyBlocks(text).map((pem, i) => {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`key ${i + 1} is not an Ed25519 key`)
    return key
  })
}

/**
 * Checks the signature of a join token; see `readToken` of the protocol.
 *
 * @returns the claims, or null when the token is out of form or signed by none of the keys
 */
export function readToken(token: string, keys: TokenKeys): TokenClaims | null {
  return readWith(token, nodeTokens(keys))
}

/** Node's part in checking tokens. The seeder has the same: packages share no Node code. */
function nodeTokens({ hmac, ed25519 }: TokenKeys): TokenPort {
  return {
    binary: (part) => Buffer.from(part, 'base64url').toString('latin1'),
    text: (part) => Buffer.from(part, 'base64url').toString('utf8'),
    infoHashOf,
    verify: (algorithm, text, signature) => {
      const signed = Buffer.from(text, 'latin1')
      const proof = Buffer.from(signature, 'latin1')
      return algorithm === 'HS256'
        ? hmac.some((key) => isMac(signed, key, proof))
        : ed25519.some((key) => verify(null, signed, key, proof))
    },
  }
}

/** The info hash of a content id (docs/protocol.md: the first 20 bytes of its SHA-256). */
export function infoHashOf(contentId: string): string {
  return createHash('sha256').update(contentId, 'utf8').digest().toString('latin1', 0, 20)
}

function isMac(signed: Buffer, key: KeyObject, proof: Buffer): boolean {
  const mac = createHmac('sha256', key).update(signed).digest()
  return mac.byteLength === proof.byteLength && timingSafeEqual(mac, proof)
}

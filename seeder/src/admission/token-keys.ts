import {
  createHash,
  createHmac,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import { publicKeyBlocks, secretLines, type TokenPort } from '@shoal/protocol'

/** HMAC-SHA256 secrets are at least as long as the hash, in bytes (RFC 7518 section 3.2). */
const MIN_SECRET_BYTES = 32

/** Reads secrets of HS256 tokens, one a line, of at least 32 characters; `#` begins a comment. @throws Error */
export function readSecrets(text: string): KeyObject[] {
  return secretLines(text).map((secret, i) => {
    const bytes = Buffer.from(secret, 'utf8')
    if (bytes.byteLength < MIN_SECRET_BYTES) throw new Error(`secret ${i + 1} has less than 32 bytes`)
    return createSecretKey(bytes)
  })
}

/** Reads Ed25519 public keys of EdDSA tokens, PEM blocks one after the other. @throws Error */
export function readPublicKeys(text: string): KeyObject[] {
  return publicKeyBlocks(text).map((pem, i) => {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`key ${i + 1} is not an Ed25519 key`)
    return key
  })
}

/** Node's part in checking tokens. The tracker has the same: packages share no Node code. */
export function tokenPort(secrets: readonly KeyObject[], publicKeys: readonly KeyObject[]): TokenPort {
  return {
    binary: (part) => Buffer.from(part, 'base64url').toString('latin1'),
    text: (part) => Buffer.from(part, 'base64url').toString('utf8'),
    infoHashOf: (content) => createHash('sha256').update(content, 'utf8').digest().toString('latin1', 0, 20),
    verify: (algorithm, text, signature) => {
      const signed = Buffer.from(text, 'latin1')
      const proof = Buffer.from(signature, 'latin1')
      return algorithm === 'HS256'
        ? secrets.some((key) => isMac(signed, key, proof))
        : publicKeys.some((key) => verify(null, signed, key, proof))
    },
  }
}

function isMac(signed: Buffer, key: KeyObject, proof: Buffer): boolean {
  const mac = createHmac('sha256', key).update(signed).digest()
  return mac.byteLength === proof.byteLength && timingSafeEqual(mac, proof)
}

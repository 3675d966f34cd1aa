import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { type ManifestSignature, type PublicKey, readPublicKey } from '@shoal/protocol'
import { SeederError } from '../errors.js'

export type Algorithm = ManifestSignature['algorithm']

export const ALGORITHMS: readonly Algorithm[] = ['ed25519', 'p256']

/** A private key, with what others verify its signatures with. */
export interface SigningKey {
  readonly algorithm: Algorithm
  /** Base64url of the raw public key: 32 bytes of Ed25519, 65 of P-256. */
  readonly publicKey: string
  /** 64 bytes: RFC 8032 for Ed25519, r and s (IEEE P1363) for P-256. */
  sign(bytes: Uint8Array): Uint8Array
}

/** A key that lives as long as the process. */
export function newKey(algorithm: Algorithm = 'ed25519'): SigningKey {
  return signingKey(generated(algorithm))
}

/**
 * The key of a PEM file (PKCS #8).
 *
 * @throws SeederError (`bad-key`)
 */
export function keyFromFile(file: string): SigningKey {
  const hint = 'Make one with: shoal-seeder keygen FILE'
  let pem: string
  try {
    pem = readFileSync(file, 'utf8')
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const reason = missing ? 'there is no such file' : String(error)
    throw new SeederError('bad-key', `cannot read the key ${file}: ${reason}. ${hint}`)
  }
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw new SeederError('bad-key', `${file} holds no private key in PEM form (PKCS #8). ${hint}`)
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type !== 'ed25519' && details?.namedCurve !== 'prime256v1') {
    const found = details?.namedCurve ?? type ?? 'unknown'
    throw new SeederError('bad-key', `${file} holds a key of type ${found}, not Ed25519 or P-256. ${hint}`)
  }
  return signingKey(key)
}

/**
 * Makes a key and writes it, readable by its owner only; an existing file is left alone.
 *
 * @returns the public key, as `SigningKey.publicKey`
 * @throws SeederError (`bad-key`)
 */
export function writeNewKey(file: string, algorithm: Algorithm = 'ed25519'): string {
  const privateKey = generated(algorithm)
  try {
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
    writeFileSync(file, pem, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const reason = exists
      ? 'the file exists; choose another name, or remove it first'
      : missing
        ? 'there is no such folder; make it first'
        : String(error)
    throw new SeederError('bad-key', `cannot write the key ${file}: ${reason}.`)
  }
  return signingKey(privateKey).publicKey
}

/** True for a signature of these bytes that this public key verifies. Never throws. */
export function verifies(publicKey: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  const key = readPublicKey(publicKey)
  if (key === null) return false
  try {
    const imported = importKey(key)
    return key.algorithm === 'ed25519'
      ? verify(null, bytes, imported, signature)
      : verify('sha256', bytes, { key: imported, dsaEncoding: 'ieee-p1363' }, signature)
  } catch {
    // A point that is not on the curve.
    return false
  }
}

function generated(algorithm: Algorithm): KeyObject {
  return algorithm === 'ed25519'
    ? generateKeyPairSync('ed25519').privateKey
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

function signingKey(key: KeyObject): SigningKey {
  const algorithm = key.asymmetricKeyType === 'ed25519' ? 'ed25519' : 'p256'
  return {
    algorithm,
    publicKey: rawPublicKey(key),
    sign: (bytes) =>
      new Uint8Array(
        algorithm === 'ed25519'
          ? sign(null, bytes, key)
          : sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }),
      ),
  }
}

/** From JWK: its `x` and `y` are raw bytes, base64url (RFC 8037 section 2, RFC 7518 section 6.2.1). */
function rawPublicKey(key: KeyObject): string {
  const { x = '', y } = createPublicKey(key).export({ format: 'jwk' })
  if (y === undefined) return x
  const point = [Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
  return Buffer.concat(point).toString('base64url')
}

function importKey({ algorithm, bytes }: PublicKey): KeyObject {
  const text = (start: number, end: number) => Buffer.from(bytes.subarray(start, end)).toString('base64url')
  const key =
    algorithm === 'ed25519'
      ? { kty: 'OKP', crv: 'Ed25519', x: text(0, 32) }
      : { kty: 'EC', crv: 'P-256', x: text(1, 33), y: text(33, 65) }
  return createPublicKey({ key, format: 'jwk' })
}

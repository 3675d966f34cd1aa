import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import type { CryptoPort, ManifestTrust } from '@shoal/core'
import { type SegmentManifest, signedManifestBytes } from '@shoal/protocol'
import { SeederError } from '../errors.js'
import { sha256 } from './pieces.js'

/** Signs manifests with one Ed25519 key (RFC 8032). */
export interface Signer {
  /** The raw 32 bytes of the public key, base64url: what viewers are configured with. */
  readonly publicKey: string
  sign(swarmId: Uint8Array, manifest: SegmentManifest): SegmentManifest
  /** Trusts this key's signatures alone. */
  readonly crypto: CryptoPort
}

/** A signer with a key that lives as long as the process. */
export function ephemeralSigner(): Signer {
  return signerOf(generateKeyPairSync('ed25519').privateKey)
}

/**
 * A signer with the key of a PEM file (PKCS #8).
 *
 * @throws SeederError (`bad-key`)
 */
export function signerFromFile(file: string): Signer {
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
  if (key.asymmetricKeyType !== 'ed25519') {
    const type = key.asymmetricKeyType ?? 'unknown'
    throw new SeederError('bad-key', `${file} holds a key of type ${type}, not Ed25519. ${hint}`)
  }
  return signerOf(key)
}

/**
 * Makes a key and writes it, readable by its owner only; an existing file is left alone.
 *
 * @returns the public key, as `Signer.publicKey`
 * @throws SeederError (`bad-key`)
 */
export function writeNewKey(file: string): string {
  const { privateKey } = generateKeyPairSync('ed25519')
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
  return rawPublicKey(createPublicKey(privateKey))
}

function signerOf(privateKey: KeyObject): Signer {
  const publicKey = createPublicKey(privateKey)
  return {
    publicKey: rawPublicKey(publicKey),
    sign: (swarmId, manifest) => ({
      ...manifest,
      signature: {
        algorithm: 'ed25519',
        bytes: new Uint8Array(sign(null, signedManifestBytes(swarmId, manifest), privateKey)),
      },
    }),
    crypto: {
      sha256,
      verifyManifest: async (swarmId, manifest) => trustOf(publicKey, swarmId, manifest),
    },
  }
}

function trustOf(key: KeyObject, swarmId: Uint8Array, manifest: SegmentManifest): ManifestTrust {
  const signature = manifest.signature
  if (signature === null) return 'unsigned'
  if (signature.algorithm !== 'ed25519') return 'untrusted'
  const ours = verify(null, signedManifestBytes(swarmId, manifest), key, signature.bytes)
  return ours ? 'trusted' : 'untrusted'
}

/** JWK's `x` of an Ed25519 key is its raw bytes, base64url without padding (RFC 8037 section 2). */
function rawPublicKey(key: KeyObject): string {
  return key.export({ format: 'jwk' }).x ?? ''
}

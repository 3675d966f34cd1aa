import type { CryptoPort, ManifestTrust } from '@shoal/core'
import { type SegmentManifest, signedManifestBytes } from '@shoal/protocol'
import { keyFromFile, newKey, type SigningKey, verifies } from './keys.js'
import { sha256 } from './pieces.js'

/** Signs manifests with one key. */
export interface Signer {
  /** Base64url of the raw public key: what viewers are configured with. */
  readonly publicKey: string
  sign(swarmId: Uint8Array, manifest: SegmentManifest): SegmentManifest
  /** Trusts this key's signatures alone. */
  readonly crypto: CryptoPort
}

/** A signer with a key that lives as long as the process. */
export function ephemeralSigner(): Signer {
  return signerOf(newKey())
}

/**
 * A signer with the key of a PEM file (PKCS #8), Ed25519 or P-256.
 *
 * @throws SeederError (`bad-key`)
 */
export function signerFromFile(file: string): Signer {
  return signerOf(keyFromFile(file))
}

/** Trusts what any of these public keys has signed. */
export function trusting(publicKeys: readonly string[]): CryptoPort {
  return {
    sha256,
    verifyManifest: async (swarmId, manifest): Promise<ManifestTrust> => {
      if (manifest.signature === null) return 'unsigned'
      return isSignedBy(publicKeys, swarmId, manifest) ? 'trusted' : 'untrusted'
    },
  }
}

/** True where one of the keys has signed the manifest for this swarm. */
export function isSignedBy(
  publicKeys: readonly string[],
  swarmId: Uint8Array,
  manifest: SegmentManifest,
): boolean {
  const { signature } = manifest
  if (signature === null) return false
  const bytes = signedManifestBytes(swarmId, manifest)
  return publicKeys.some((key) => verifies(key, bytes, signature.bytes))
}

function signerOf(key: SigningKey): Signer {
  const { algorithm, publicKey } = key
  return {
    publicKey,
    sign: (swarmId, manifest) => ({
      ...manifest,
      signature: { algorithm, bytes: key.sign(signedManifestBytes(swarmId, manifest)) },
    }),
    crypto: trusting([publicKey]),
  }
}

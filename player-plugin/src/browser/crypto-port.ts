import type { CryptoPort, ManifestTrust } from '@shoal/core'
import { type SegmentManifest, type Sha256, signedManifestBytes } from '@shoal/protocol'

/** SHA-256 over WebCrypto. */
export function sha256With(subtle: SubtleCrypto): Sha256 {
  return async (bytes) => new Uint8Array(await subtle.digest('SHA-256', ownBuffer(bytes)))
}

interface TrustedKey {
  readonly algorithm: 'ed25519' | 'p256'
  readonly key: CryptoKey
}

/**
 * Cryptography of the browser.
 *
 * @param publicKeys raw keys: 32 bytes are Ed25519, 65 an uncompressed P-256 point
 * @returns null where keys are given and the browser can use none of them (Ed25519 is missing before
 *   Chromium 137, Firefox 129 and Safari 17)
 */
export async function createCryptoPort(
  subtle: SubtleCrypto,
  publicKeys: readonly Uint8Array[],
): Promise<CryptoPort | null> {
  const imported = await Promise.all(publicKeys.map((raw) => importKey(subtle, raw)))
  const keys = imported.filter((key) => key !== null)
  if (publicKeys.length > 0 && keys.length === 0) return null
  return {
    sha256: sha256With(subtle),
    verifyManifest: (swarmId, manifest) => verifyManifest(subtle, keys, swarmId, manifest),
  }
}

async function importKey(subtle: SubtleCrypto, raw: Uint8Array): Promise<TrustedKey | null> {
  const algorithm = raw.byteLength === 32 ? 'ed25519' : 'p256'
  const parameters = algorithm === 'ed25519' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256' }
  try {
    return { algorithm, key: await subtle.importKey('raw', ownBuffer(raw), parameters, false, ['verify']) }
  } catch {
    // The kind of key is not supported, or the point is not on the curve: another key may do.
    return null
  }
}

async function verifyManifest(
  subtle: SubtleCrypto,
  keys: readonly TrustedKey[],
  swarmId: Uint8Array,
  manifest: SegmentManifest,
): Promise<ManifestTrust> {
  const { signature } = manifest
  if (signature === null) return 'unsigned'
  const signed = ownBuffer(signedManifestBytes(swarmId, manifest))
  const parameters =
    signature.algorithm === 'ed25519' ? { name: 'Ed25519' } : { name: 'ECDSA', hash: 'SHA-256' }
  for (const { algorithm, key } of keys) {
    if (algorithm !== signature.algorithm) continue
    try {
      if (await subtle.verify(parameters, key, ownBuffer(signature.bytes), signed)) return 'trusted'
    } catch {
      // A signature that cannot be read is one that does not verify.
    }
  }
  return 'untrusted'
}

/** WebCrypto takes no views on shared memory; ours never are, which only a copy can tell the compiler. */
function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}

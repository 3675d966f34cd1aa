import type { CryptoPort, ManifestTrust } from '@shoal/core'
import {
  attestationBytes,
  listDigestOf,
  type ManifestSignature,
  type PublicKey,
  type SegmentManifest,
  type Sha256,
  signedManifestBytes,
  swarmIdFromBytes,
} from '@shoal/protocol'

/** SHA-256 over WebCrypto. */
export function sha256With(subtle: SubtleCrypto): Sha256 {
  return async (bytes) => new Uint8Array(await subtle.digest('SHA-256', ownBuffer(bytes)))
}

/** Says whether a signature over `bytes` is this key's. Never rejects. */
type Verify = (signature: ManifestSignature, bytes: Uint8Array) => Promise<boolean>

/** Reads a public key; null where the browser cannot use its kind, or it is none. Never rejects. */
export async function verifierOf(
  subtle: SubtleCrypto,
  { algorithm, bytes }: PublicKey,
): Promise<Verify | null> {
  const p256 = algorithm === 'p256'
  const kind = p256 ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'Ed25519' }
  const parameters = p256 ? { name: 'ECDSA', hash: 'SHA-256' } : kind
  try {
    const key = await subtle.importKey('raw', ownBuffer(bytes), kind, false, ['verify'])
    return async (signature, signed) => {
      if (signature.algorithm !== algorithm) return false
      try {
        return await subtle.verify(parameters, key, ownBuffer(signature.bytes), ownBuffer(signed))
      } catch {
        // A signature that cannot be read is one that does not verify.
        return false
      }
    }
  } catch {
    // The kind of key is not supported, or the point is not on the curve: another key may do.
    return null
  }
}

/** Cryptography of the browser (Ed25519 is missing before Chromium 137, Firefox 129 and Safari 17). */
export class BrowserCrypto implements CryptoPort {
  readonly sha256: Sha256
  readonly #subtle: SubtleCrypto
  #own: readonly Verify[] = []
  #vouched: readonly Verify[] = []
  #attestors: readonly Verify[] = []
  /** A manifest is signed with a key that is not known. */
  onUnknownKey: () => void = () => {}

  constructor(subtle: SubtleCrypto) {
    this.#subtle = subtle
    this.sha256 = sha256With(subtle)
  }

  /** The publisher's keys, in place of those before. False where the browser can use none of them. */
  async setKeys(keys: readonly PublicKey[]): Promise<boolean> {
    this.#own = await this.#read(keys)
    return this.#own.length > 0
  }

  readonly vouch: NonNullable<CryptoPort['vouch']> = async (keys, attestor) => {
    const [vouched, attestors] = [
      await this.#read(keys),
      await this.#read(attestor === null ? [] : [attestor]),
    ]
    this.#vouched = vouched
    this.#attestors = attestors
    return vouched.length > 0
  }

  async verifyManifest(swarmId: Uint8Array, manifest: SegmentManifest): Promise<ManifestTrust> {
    const { signature } = manifest
    if (signature === null) return 'unsigned'
    const signed = signedManifestBytes(swarmId, manifest)
    for (const verify of [...this.#own, ...this.#vouched])
      if (await verify(signature, signed)) return 'trusted'
    if (this.#attestors.length > 0) {
      const digest = await listDigestOf(swarmId, manifest, this.sha256)
      const attested = attestationBytes(swarmIdFromBytes(swarmId).infoHash, digest)
      for (const verify of this.#attestors) if (await verify(signature, attested)) return 'trusted'
    }
    this.onUnknownKey()
    return 'untrusted'
  }

  async #read(keys: readonly PublicKey[]): Promise<readonly Verify[]> {
    const read = await Promise.all(keys.map((key) => verifierOf(this.#subtle, key)))
    return read.filter((key) => key !== null)
  }
}

/** WebCrypto takes no views on shared memory; ours never are, which only a copy can tell the compiler. */
function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}

import type { SegmentManifest, Sha256 } from '@shoal/protocol'

/** Cryptography of the host: WebCrypto in browsers and Node, plain functions in the simulator. */
export interface CryptoPort {
  readonly sha256: Sha256
  /**
   * True where the manifest carries a signature of a trusted key over this swarm; never rejects.
   * `unsigned`: it carries none. `untrusted`: by a key we do not know, or the signature is wrong.
   */
  verifyManifest(swarmId: Uint8Array, manifest: SegmentManifest): Promise<ManifestTrust>
}

export type ManifestTrust = 'trusted' | 'unsigned' | 'untrusted'

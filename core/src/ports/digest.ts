import type { PublicKey, SegmentManifest, Sha256 } from '@shoal/protocol'

/** Cryptography of the host: WebCrypto in browsers and Node, plain functions in the simulator. */
export interface CryptoPort {
  readonly sha256: Sha256
  /**
   * True where the manifest carries a signature of a trusted key over this swarm; never rejects.
   * `unsigned`: it carries none. `untrusted`: by a key we do not know, or the signature is wrong.
   */
  verifyManifest(swarmId: Uint8Array, manifest: SegmentManifest): Promise<ManifestTrust>
  /**
   * Trusts keys that a tracker names, beside the host's own and in place of those of the last call; never
   * rejects. True where one of `keys` can be used. Left out: the host's own keys alone count.
   *
   * @param keys of signers, over `signedManifestBytes`
   * @param attestor key of the tracker itself, over `attestationBytes`
   */
  vouch?(keys: readonly PublicKey[], attestor: PublicKey | null): Promise<boolean>
}

export type ManifestTrust = 'trusted' | 'unsigned' | 'untrusted'

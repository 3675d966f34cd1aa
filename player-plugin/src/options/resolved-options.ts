import type { DialAddress, PublicKey } from '@shoal/protocol'
import type { Integrity, NetworkOptions, ShoalOptions, UploadOptions } from './options.js'

/** Options after validation, with the defaults that do not depend on the device. */
export interface ResolvedOptions {
  readonly trackers: readonly string[]
  readonly contentId: ShoalOptions['contentId']
  readonly joinToken: ShoalOptions['joinToken']
  readonly p2p: NonNullable<ShoalOptions['p2p']>
  readonly mode: NonNullable<ShoalOptions['mode']>
  /** The publisher's keys, or with `publicKeyUrl` those that sign the document there. */
  readonly publicKeys: readonly PublicKey[]
  readonly publicKeyUrl: string | null
  readonly sidecars: boolean
  /** Null: by what is known of keys. */
  readonly integrity: Integrity | null
  readonly upload: Required<Omit<UploadOptions, 'maxBytesPerSession'>>
  /** Null, as for the next two: by device. */
  readonly uploadBytesPerSession: number | null
  readonly iceServers: NonNullable<NetworkOptions['iceServers']>
  readonly maxPeers: number | null
  readonly seeders: readonly DialAddress[]
  readonly memoryBytes: number | null
}

/**
 * Upload cap in bytes per second unless the site gives one: 10 Mbit/s, a little over two copies of a
 * 4 Mbit/s stream, and half of a 20 Mbit/s uplink stays free for the viewer's own use.
 */
export const DEFAULT_UPLOAD_BYTES_PER_SECOND = 1_250_000

/** Beyond it browsers spend more on ICE keep-alives and messages than the neighbours bring. */
export const MAX_MAX_PEERS = 30

/** Less does not hold the few segments that neighbours want at once. */
export const MIN_MEMORY_BYTES = 1024 * 1024

/** True where the site says that nothing of peers counts without a signature. */
export function needsSignature({ integrity, publicKeys }: ResolvedOptions): boolean {
  const level = integrity ?? (publicKeys.length > 0 ? 'signed' : 'checked')
  return level === 'signed' || level === 'attested'
}

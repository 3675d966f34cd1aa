/** Which of origin and peers comes first; see `ShoalOptions.mode`. */
export type DownloadMode = 'server-friendly' | 'peer-friendly' | 'aggressive'

/** How it is made sure that bytes of peers are the publisher's; see `ShoalOptions.integrity`. */
export type Integrity = 'signed' | 'checked' | 'attested' | 'off'

/** How much this viewer gives to others. */
export interface UploadOptions {
  /**
   * `'auto'`: serve others except where the browser reports a cellular connection, its data saver is
   * on, or the battery is below 20 % and not charging. `true`: always. `false`: never. A function is
   * asked twice a second while there is a swarm and says whether to serve now; a throw means no.
   * Default `'auto'`. Whatever it is, uploads pause while playback is about to run dry.
   */
  readonly enabled?: boolean | 'auto' | (() => boolean)
  /** Upload cap in bytes per second; `Infinity` for none. Default 1 250 000 (10 Mbit/s). */
  readonly maxBytesPerSecond?: number
  /**
   * Bytes uploaded at most by this Shoal instance, all its sources together; `Infinity` for no limit.
   * Default by device: 500 000 000 on phones and tablets, no limit elsewhere.
   */
  readonly maxBytesPerSession?: number
}

/** Connections to other viewers and to seeders. */
export interface NetworkOptions {
  /**
   * STUN and TURN servers. Default: none, so that no third party learns of a viewer unless the site
   * says so. Without STUN, viewers behind different NATs reach only peers with a public address.
   */
  readonly iceServers?: readonly RTCIceServer[]
  /**
   * Connections at most, 1 to 30. Default by device: 8 on phones and tablets, 16 elsewhere. Up to three
   * quarters of them are sought; the rest is room for who comes later.
   */
  readonly maxPeers?: number
  /**
   * Seeders that are reached by their addresses, with or without a tracker: `shoal-dial://host:port/` and
   * the fingerprint of the certificate, as the seeder prints it. Four at most. Default: those that the
   * tracker tells of.
   */
  readonly seeders?: readonly string[]
}

/** What is kept for others. */
export interface MemoryOptions {
  /**
   * Bytes of segments kept in memory at most, 1 MiB or more. Default by device: 1/32 of
   * `navigator.deviceMemory`, 16 MiB to 256 MiB; 128 MiB where the browser does not tell; 64 MiB at
   * most on phones and tablets.
   */
  readonly maxBytes?: number
}

/** Options of `new Shoal()`. */
export interface ShoalOptions {
  /**
   * `wss://` (or `ws://`) URL of the tracker, or several: the first that answers is used, the others
   * when it goes. Without one, and without `network.seeders`, the plugin works as plain hls.js.
   */
  readonly tracker?: string | readonly string[]
  /**
   * Names the title: viewers with the same content id help each other. Default: the manifest URL
   * without query and fragment. Give one where URLs of one title differ between viewers (tokens in
   * the path, several CDN hosts). A function gets the manifest URL: use it where one player plays
   * several titles.
   */
  readonly contentId?: string | ((manifestUrl: string) => string)
  /**
   * Join token, for a tracker or a seeder that wants one. A function is asked when a tracker is reached
   * first or a seeder asks, and again when the token is refused, a few times with growing pauses; one that throws or takes longer than
   * 10 s gives none.
   */
  readonly joinToken?: string | (() => string | Promise<string>)
  /**
   * Whether to use peers at all. A function is asked once, at the first `attach`; until it answers
   * yes, everything comes by HTTP and no peer or tracker is contacted. Default true.
   */
  readonly p2p?: boolean | (() => boolean | Promise<boolean>)
  /**
   * Which of origin and peers comes first. `'server-friendly'` (default): peers as much as deadlines
   * allow, the origin for the rest. `'peer-friendly'`: the origin; peers where it is slow, fails, or is
   * to be spared (`spareOrigin`). `'aggressive'`: both at once, for downloads.
   */
  readonly mode?: DownloadMode
  /**
   * Public keys of the publisher, each base64url of the raw key: Ed25519 (32 bytes) or P-256 (65
   * bytes, uncompressed). With one, a segment of a peer is played only where the seeder signed it.
   */
  readonly publicKey?: string | readonly string[]
  /**
   * URL of a key document (docs/integrity.md), so that keys can change: the document, which must be signed
   * with a key of `publicKey`, names the keys that sign segments. Loaded anew every hour, and within a
   * minute where a segment is signed with a key that it does not name.
   */
  readonly publicKeyUrl?: string
  /**
   * Signed manifests lie beside the segments, as `shoal-seeder sign` writes them: at a segment's URL with
   * `.shoal` after its path. With true, whoever loads a segment by HTTP where signatures are needed loads
   * its manifest too, and may then pass it on without a seeder. Default false.
   */
  readonly sidecars?: boolean
  /**
   * How it is made sure that bytes of peers are the publisher's (docs/integrity.md). Default: `'signed'`
   * with `publicKey`, or while the tracker vouches for seeders that sign; else `'checked'`. `'signed'`:
   * with a trusted signature only. `'checked'`: compared with the origin by sampling. `'attested'`: signed
   * by the tracker, once viewers of two networks loaded the same. `'off'`: whatever a peer's hashes say.
   */
  readonly integrity?: Integrity
  readonly upload?: UploadOptions
  readonly network?: NetworkOptions
  readonly memory?: MemoryOptions
}

/** How much this viewer gives to others. */
export interface UploadOptions {
  /**
   * `'unmetered'`: serve others except where the browser reports a cellular connection or its data
   * saver is on. `true`: always. `false`: never. Default `'unmetered'`.
   */
  readonly enabled?: boolean | 'unmetered'
  /** Upload cap in bytes per second; `Infinity` for none. Default 1 250 000 (10 Mbit/s). */
  readonly maxBytesPerSecond?: number
}

/** Connections to other viewers. */
export interface NetworkOptions {
  /**
   * STUN and TURN servers. Default: none, so that no third party learns of a viewer unless the site
   * says so. Without STUN, viewers behind different NATs reach only peers with a public address.
   */
  readonly iceServers?: readonly RTCIceServer[]
  /** Connections at most, 1 to 64. Default 16. */
  readonly maxPeers?: number
}

/** What is kept for others. */
export interface MemoryOptions {
  /**
   * Bytes of segments kept in memory at most, 1 MiB or more. Default by device: 1/32 of
   * `navigator.deviceMemory`, 16 MiB to 256 MiB; 128 MiB where the browser does not tell.
   */
  readonly maxBytes?: number
}

/** Options of `new Shoal()`. */
export interface ShoalOptions {
  /**
   * `wss://` (or `ws://`) URL of the tracker, or several: the first that answers is used, the others
   * when it goes. Without one the plugin works as plain hls.js.
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
   * Whether to use peers at all. A function is asked once, at the first `attach`; until it answers
   * yes, everything comes by HTTP and no peer or tracker is contacted. Default true.
   */
  readonly p2p?: boolean | (() => boolean | Promise<boolean>)
  /**
   * Public keys of the publisher, each base64url of the raw key: Ed25519 (32 bytes) or P-256 (65
   * bytes, uncompressed). With one, a segment of a peer is played only where the seeder signed it.
   */
  readonly publicKey?: string | readonly string[]
  readonly upload?: UploadOptions
  readonly network?: NetworkOptions
  readonly memory?: MemoryOptions
}

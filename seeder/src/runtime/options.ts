import type { TokenFiles } from '../admission/token-gate.js'
import type { NodeLinkFactoryOptions } from '../links/index.js'
import type { Logger } from '../log.js'

/** How this machine is reached: ICE servers, the local address and the UDP ports to use. */
export type WebRtcOptions = Pick<NodeLinkFactoryOptions, 'iceServers' | 'bindAddress' | 'portRange'>

/** What a seeder seeds, and how. */
export interface SeederOptions {
  /**
   * A folder with a playlist, a playlist file, or the `http(s)://` URL of a multivariant or media
   * playlist, on demand or live.
   */
  readonly source: string
  /**
   * The same playlist at other origins, with the same files beside it: asked where the first fails. Not
   * for a folder. Redundant streams of a multivariant playlist need no mention.
   */
  readonly origins?: readonly string[] | undefined
  /** `ws://` or `wss://` URLs of trackers; the first that answers is used. None is needed with `direct`. */
  readonly trackers: readonly string[]
  /**
   * What viewers of the title share; default: SOURCE's URL without query and fragment. A folder has
   * no URL: there it must be given.
   */
  readonly contentId?: string | undefined
  /** The title's name on the tracker's dashboard, at most 80 characters. */
  readonly name?: string | undefined
  /**
   * Serve what is held by HTTP too; port 0 takes a free one. `publicUrl`: where viewers reach the server's
   * root; they are told it through the tracker, and ask there when the origin fails. Default: its own
   * address, where `host` is one.
   */
  readonly http?:
    | {
        readonly port: number
        readonly host?: string | undefined
        readonly publicUrl?: string | undefined
      }
    | undefined
  /**
   * A UDP port that viewers dial without signalling, where the page or the tracker tells them
   * `RunningSeeder.dial`; port 0 takes a free one. `host` is what they are told, where it is not this machine's address.
   * The certificate is kept beside the key, or in the cache's folder.
   */
  readonly direct?: { readonly port: number; readonly host?: string | undefined } | undefined
  /** Serve only peers with a join token that these keys signed; all peers unless given. */
  readonly tokens?: TokenFiles | undefined
  /** Private key, PEM (PKCS #8), Ed25519 or P-256; default: a key that lives as long as the process. */
  readonly keyFile?: string | undefined
  /**
   * Public keys, 4 at most, in place of a key of its own: the origin has signed manifests beside its
   * segments (`shoal-seeder sign`), which are passed on; what they do not vouch for is left out.
   */
  readonly signedBy?: readonly string[] | undefined
  /** Join token, for trackers that want one: at most 2048 characters. */
  readonly token?: string | undefined
  /** A file with the join token in its place, read at the start and anew when the tracker refuses the last. */
  readonly tokenFile?: string | undefined
  /** Keep segments on disk, `bytes` at most; default: in memory. Not used for a folder. */
  readonly cache?: { readonly folder: string; readonly bytes?: number | undefined } | undefined
  /** Bytes kept in memory at most, where there is no cache folder. */
  readonly memoryBytes?: number | undefined
  readonly upload?: { readonly maxLinks?: number | undefined; readonly bytesPerSecond?: number | undefined }
  readonly webrtc?: WebRtcOptions | undefined
  readonly log?: Logger | undefined
}

/** Two hours of five renditions, about 12 Mbit/s together, are 11 GB: a cache for a title's heads. */
export const DEFAULT_CACHE_BYTES = 4 * 1024 ** 3

/** A live window of a minute at 12 Mbit/s is 90 MB. */
export const DEFAULT_MEMORY_BYTES = 512 * 1024 ** 2

/** All interfaces: viewers are elsewhere. */
export const DEFAULT_HTTP_HOST = '0.0.0.0'

/** Connections at most: each costs the WebRTC stack a socket and some hundred kilobytes. */
export const DEFAULT_MAX_LINKS = 200

import type { Integrity } from './options/options.js'

/** Why everything comes by HTTP alone. */
export type ShoalDegradation =
  /** No `tracker` option. */
  | 'no-tracker'
  /** No tracker answers; tried again with growing pauses. */
  | 'tracker-unreachable'
  /** The browser has no WebRTC, or a policy switched it off. */
  | 'no-webrtc'
  /** The tracker knows nobody else: the normal state of a first viewer. */
  | 'no-peers'
  /** The tracker does not let this viewer in; the warning has its code, such as `token-expired`. */
  | 'refused'
  /** Peers are known and no connection opens: UDP is blocked, or STUN or TURN is missing. */
  | 'links-fail'
  /** `crypto.subtle` is missing because the page came over plain HTTP from another host. */
  | 'insecure-context'
  /** `publicKey` is given and the browser cannot verify signatures of its kind. */
  | 'no-signature-support'
  /** The option `p2p` is false, or the consent hook said no or has not answered. */
  | 'p2p-off'
  /** The page is in the back/forward cache, or on its way out. */
  | 'suspended'
  /** A fault inside the swarm; a `warning` event tells it. */
  | 'swarm-failed'

/** Where one segment, or low-latency part, came from. Bytes of it as HLS names it, `durationMs` of the load. */
export interface ShoalSegmentStats {
  /** Identity of the rendition, as in the protocol's documentation, or empty where it has none. */
  readonly track: string
  /** Media sequence number. */
  readonly sequence: number
  /** Index of a low-latency part in its segment; null for a whole segment. */
  readonly part: number | null
  readonly http: number
  readonly peers: number
  readonly seeders: number
  /** From the player's request to the last byte, in milliseconds. */
  readonly durationMs: number
}

/**
 * Counters since the Shoal instance was made, and the state now. Bytes unless said otherwise.
 * Initialisation segments and subtitles count in `httpBytes`; playlists and keys do not.
 */
export interface ShoalStats {
  /** From the origin or CDN. */
  readonly httpBytes: number
  /** From other viewers. */
  readonly peerBytes: number
  /** From seeders, over WebRTC, or by HTTP while the origin fails. */
  readonly seederBytes: number
  /** Served to others. */
  readonly uploadedBytes: number
  /**
   * Whether others are served now. `paused`: playback is about to run dry. `off`: no swarm, an option,
   * `setUploadAllowed(false)`, the session's cap, or what the device says.
   */
  readonly uploads: 'on' | 'paused' | 'off'
  /** How it is made sure now that bytes of peers are the publisher's; null without a swarm. */
  readonly integrity: Integrity | null
  /**
   * Whether bytes of peers are compared with the origin's: with `integrity` `'checked'`, and where the
   * origin answers Range requests.
   */
  readonly checks: 'on' | 'off' | 'no-range'
  /** Loaded from the origin for that; not in `httpBytes`. */
  readonly checkedBytes: number
  /** Comparisons that found other bytes. */
  readonly checksFailed: number
  /** Loaded from the origin for signed manifests beside segments; not in `httpBytes`. */
  readonly sidecarBytes: number
  /** Received twice or thrown away. */
  readonly wastedBytes: number
  /** Open connections to viewers. */
  readonly peers: number
  /** Open connections to seeders. */
  readonly seeders: number
  /** Null while peers can help. */
  readonly degraded: ShoalDegradation | null
  readonly tracker: 'connecting' | 'connected' | 'unreachable' | 'none'
  /** (peerBytes + seederBytes) / all received bytes, 0 to 1. */
  readonly offload: number
  /** The last 100 segments, oldest first. */
  readonly segments: readonly ShoalSegmentStats[]
  /** Times that playback ran dry after it had started; seeks do not count. */
  readonly stalls: number
}

/** Something went wrong and was worked around by HTTP. Each code is told once per instance. */
export interface ShoalWarning {
  readonly code:
    | ShoalDegradation
    | 'consent-failed'
    | 'content-id-failed'
    | 'key-document-failed'
    | 'upload-check-failed'
    | 'already-attached'
    | 'link-error'
  /** For people. */
  readonly message: string
}

/** Events of `Shoal.on`. */
export interface ShoalEvents {
  /** Every second while attached. */
  stats: ShoalStats
  warning: ShoalWarning
}

import type {
  ByteSpan,
  DialAddress,
  Millis,
  PeerId,
  SegmentId,
  SegmentManifest,
  SwarmId,
} from '@shoal/protocol'
import type { Clock, Random } from '../ports/clock.js'
import type { DialMemory } from '../ports/dial-memory.js'
import type { CryptoPort } from '../ports/digest.js'
import type { Door, DoorPorts } from '../ports/door.js'
import type { PeerLink, PeerLinkEvents, PeerLinkFactory } from '../ports/link.js'
import type { OriginError, OriginFetcher } from '../ports/origin.js'
import type { PieceReader } from '../ports/pieces.js'
import type { OpenTrackerSocket } from '../ports/socket.js'

/**
 * Which of origin and peers comes first:
 *
 * - `server-friendly`: peers as much as deadlines allow, the origin for the rest.
 * - `peer-friendly`: the origin; peers where it is slow, fails, or is to be spared.
 * - `aggressive`: both at once, for downloads that are to be over soon.
 */
export type DownloadMode = 'server-friendly' | 'peer-friendly' | 'aggressive'

/**
 * How it is made sure that what peers send is the publisher's (docs/integrity.md):
 *
 * - `signed`: manifests of peers count only with a signature of a trusted key.
 * - `checked`: a manifest is taken from whoever loaded the segment, and compared with the origin by
 *   sampling.
 * - `attested`: as `signed`; the tracker signs what two members in different networks loaded alike.
 * - `off`: a manifest is taken from whoever loaded the segment.
 */
export type Integrity = 'signed' | 'checked' | 'attested' | 'off'

/** What one member of a swarm is. */
export interface SwarmOptions {
  readonly swarmId: SwarmId
  readonly peerId: PeerId
  readonly role: 'viewer' | 'seeder'
  /** A seeder's name for the title, for the tracker's dashboard. */
  readonly name?: string
  /**
   * Join token, for trackers and seeders that want one. A function is asked before the first announce or
   * when a seeder asks, and again when the token is refused: by a tracker 6 times in a row with growing
   * pauses and every half hour or so after that; one that throws or takes longer than 10 s gives none.
   */
  readonly token?: string | (() => string | Promise<string>)
  /** Public keys that a seeder signs with, base64url, at most 4: the tracker may vouch for them. */
  readonly keys?: readonly string[]
  /** Where a seeder serves its playlist by HTTP: an http or https URL of at most 512 characters. */
  readonly http?: string
  /** Where this seeder is dialled, for the tracker to tell viewers. */
  readonly dial?: DialAddress
  /** Seeders that a viewer dials by itself; the first 4 count. */
  readonly seeders?: readonly DialAddress[]
  /** `ws://` or `wss://` URLs; the first that answers is used, the others are tried when it goes. */
  readonly trackers: readonly string[]
  /** Serve other peers; false for never. */
  readonly uploads: boolean
  /**
   * Connections at most. A viewer offers connections until it has three quarters of them, and accepts
   * what is offered beyond.
   */
  readonly maxLinks: number
  /** Bytes of segments kept in memory at most; the oldest-used are dropped first. */
  readonly memoryBytes: number
  /** Upload cap in bytes per second; Infinity for none. */
  readonly uploadBytesPerSecond: number
  /** Payload bytes that are uploaded at most in the life of this member; no limit unless given. */
  readonly uploadBytesPerSession?: number
  /** `auto`: `checked`, and `signed` from when the tracker vouches for keys. */
  readonly integrity: Integrity | 'auto'
  /**
   * Keys that the tracker vouches for are trusted as well; false unless given, always true with `auto`.
   * Leave it out where the publisher's key is known.
   */
  readonly trustsTracker?: boolean
  /** `server-friendly` where left out. */
  readonly mode?: DownloadMode
}

/**
 * Whether peers are served.
 *
 * `paused`: for a moment nothing is sent, and requests that are queued wait. It does not count for the
 * duration of a live segment that this member loads from the origin and none of its neighbours has, since
 * all of them wait for it. `off`: nothing is served, requests are forgotten. Either is told to the peers
 * at once, and they turn to others.
 */
export type UploadState = 'on' | 'paused' | 'off'

/** The host's side: everything that touches the world. */
export interface SwarmPorts {
  readonly clock: Clock
  readonly random: Random
  readonly crypto: CryptoPort
  /** Null where there is no WebRTC: the swarm then only fetches by HTTP, and says so. */
  readonly links: PeerLinkFactory | null
  readonly openSocket: OpenTrackerSocket
  /**
   * No connection is made, and no seeder dialled, before this resolves; it never rejects. At once unless given: to
   * open even one connection takes CPU time that a player's first picture needs. The tracker is asked meanwhile.
   */
  readonly quiet?: Promise<void>
  /** Pieces outside memory, for segments published without bytes. */
  readonly pieces: PieceReader | null
  /**
   * Where playback is, for trackers that choose neighbours by it; asked for each announce. Seconds: live,
   * behind the edge; on demand, the position. Null where nothing plays; left out where nothing ever does.
   */
  readonly playhead?: () => number | null
  /** Where seeders are remembered that the tracker told of; they are not, unless given. */
  readonly dialMemory?: DialMemory
  /**
   * Decides who is let in, as `TokenDoor` by join tokens; called once. Everybody is let in unless given.
   */
  readonly door?: (ports: DoorPorts) => Door
}

/** A segment that the player wants. */
export interface WantedSegment {
  readonly segment: SegmentId
  /** The byte range that the playlist gives, or null for the whole resource. */
  readonly range: ByteSpan | null
  /** When playback reaches it, on the clock of `SwarmPorts`; now or earlier means HTTP at once. */
  readonly deadline: Millis
  /** Media duration. */
  readonly duration: Millis
  /** At a live edge others want it too and it may just not be announced yet. */
  readonly live: boolean
}

/** Bytes of one segment by where they came from, verified or from the origin itself. */
export interface SegmentSources {
  readonly http: number
  readonly peers: number
  readonly seeders: number
}

export interface SegmentResult {
  /**
   * The whole segment. It stays in the swarm's cache and is served to others: copy it before
   * handing it to anything that may change or transfer it.
   */
  readonly bytes: Uint8Array
  readonly sources: SegmentSources
  /** Clock readings: the fetch was asked for, its first byte came, it was complete. */
  readonly startedAt: Millis
  readonly firstByteAt: Millis
  readonly finishedAt: Millis
}

/** Called asynchronously, never from inside `fetch`. After `onDone`, `onError` or `cancel` nothing follows. */
export interface SegmentConsumer {
  /** Bytes of the segment that are here, and its size where known. */
  onProgress(loaded: number, total: number | null): void
  onDone(result: SegmentResult): void
  /** HTTP failed too: the origin's own error, for the player's retry policy. */
  onError(error: OriginError): void
}

/** A segment on its way. */
export interface SegmentFetch {
  /** Playback moved: the segment is needed earlier or later than said. */
  setDeadline(deadline: Millis): void
  /** No longer wanted; pieces that are here stay in the cache. */
  cancel(): void
}

/** Why the swarm works by HTTP alone, or null where it does not. */
export type Degradation =
  | 'no-tracker'
  | 'tracker-unreachable'
  | 'no-webrtc'
  | 'no-peers'
  /** The tracker does not let us in; `SwarmSnapshot.refusal` says why. */
  | 'refused'
  /** Offers and answers pass, and no connection opens: a blocked UDP, most often. */
  | 'links-fail'

/** Counters since the start, and the state now. Bytes unless said otherwise. */
export interface SwarmSnapshot {
  readonly httpBytes: number
  readonly peerBytes: number
  readonly seederBytes: number
  readonly uploadedBytes: number
  /** `off` as well where the options say so, or the session's bytes are used up. */
  readonly uploads: UploadState
  /** Received twice, or thrown away: cancelled too late, or corrupt. */
  readonly wastedBytes: number
  /** The level of integrity that holds now. */
  readonly integrity: Integrity
  /**
   * Whether what peers send is compared with the origin: not at every level (`off`), and not while the
   * origin does not answer Range requests (`no-range`).
   */
  readonly checks: 'on' | 'off' | 'no-range'
  /** Bytes that the origin served for that, which are not in `httpBytes`. */
  readonly checkedBytes: number
  /** Comparisons that were made, and those that found other bytes. */
  readonly checksMade: number
  readonly checksFailed: number
  /** Pieces whose hash was wrong, and peers dropped for it. */
  readonly corruptPieces: number
  readonly segments: { readonly http: number; readonly peers: number; readonly mixed: number }
  readonly links: readonly LinkSnapshot[]
  readonly tracker: 'connecting' | 'connected' | 'unreachable' | 'none'
  readonly degraded: Degradation | null
  /** The code of the last refusal, of the tracker or a seeder (docs/protocol.md); null once we are let in. */
  readonly refusal: string | null
  readonly cachedBytes: number
  readonly cachedSegments: number
  /** Measured transfer rates in bytes per second; null before the first measurement. */
  readonly httpRate: number | null
  readonly peerRate: number | null
}

export interface LinkSnapshot {
  readonly peerId: PeerId
  readonly role: 'viewer' | 'seeder'
  readonly receivedBytes: number
  readonly sentBytes: number
  /** Smoothed round trip in milliseconds, or null before the first. */
  readonly rtt: number | null
}

/** `verified`: a manifest that the options trust has these bytes. `unknown`: there is no complete one. */
export type Verdict = 'verified' | 'wrong' | 'unknown'

/** One member of one swarm; see `createSwarm`. */
export interface Swarm {
  /** Fetches a segment from peers and the origin so that it is here by its deadline. */
  fetch(wanted: WantedSegment, origin: OriginFetcher, consumer: SegmentConsumer): SegmentFetch
  /**
   * Offers a complete segment to the swarm.
   *
   * @param bytes null where the host's `PieceReader` has them
   * @throws RangeError where `bytes` do not have the manifest's size
   */
  publish(manifest: SegmentManifest, bytes: Uint8Array | null): void
  /** Says that a segment is being fetched and will be published, so that others wait for it. */
  announceFetching(segment: SegmentId): void
  /** The segment is gone (left the live window, or evicted from disk). */
  drop(segment: SegmentId): void
  /**
   * A peer has connected to us by itself: `make` is called for its link, unless there is no room, it is
   * connected already, or a connection to it has just been given up.
   *
   * @param remote whom it says to be; its Hello must say the same
   * @returns whether it was taken
   */
  accept(remote: PeerId, make: (events: PeerLinkEvents) => PeerLink): boolean
  snapshot(): SwarmSnapshot
  /** Playlists of the title at seeders that answer by HTTP, as the tracker last told; at most 4. */
  readonly seederUrls: readonly string[]
  /** Compares a whole segment, from wherever it came, with the manifest that is known of it. */
  verify(segment: SegmentId, bytes: Uint8Array): Promise<Verdict>
  /**
   * Allows, pauses or forbids uploads, at any time; `on` at first. It cannot lift what the options say.
   */
  setUploads(state: UploadState): void
  /** Leaves to peers what they can bring, whatever the mode, until told otherwise. */
  spareOrigin(spared: boolean): void
  /** Playback stalls so far, for the report to the tracker. */
  setStalls(stalls: number): void
  /** Goodbye to peers, `stopped` to the tracker, everything released. Idempotent. */
  close(): void
}

/** Makes and starts a member of a swarm. */
export type CreateSwarm = (options: SwarmOptions, ports: SwarmPorts) => Swarm

import type { SegmentId } from './ids.js'
import type { ByteSpan, PeerId } from './units.js'

/** Version of this wire format; both sides of a connection must say the same in Hello. */
export const PROTOCOL_VERSION = 1

/** First byte of every peer message. */
export const MessageType = {
  hello: 0x01,
  goodbye: 0x02,
  manifestRequest: 0x03,
  manifest: 0x04,
  hashes: 0x05,
  token: 0x06,
  have: 0x10,
  request: 0x11,
  cancel: 0x12,
  data: 0x13,
} as const

/** The two data channels of a connection (docs/protocol.md, "Channels"). */
export type ChannelKind = 'lossy' | 'control'

/** First message of each side on the control channel; nothing else is read before it. */
export interface Hello {
  readonly type: 'hello'
  readonly swarmTag: number
  readonly version: number
  readonly peerId: PeerId
  /** All 32 bytes of the swarm id: the tag alone could collide. */
  readonly swarmId: Uint8Array
  readonly role: 'viewer' | 'seeder'
  /** False: this peer takes no Requests (metered network, save-data, integrator's choice). */
  readonly uploads: boolean
}

/** Why a join token does not let a peer in. */
export type TokenFault = 'token-required' | 'token-invalid' | 'token-expired'

/** Why a peer leaves. A receiver drops the connection's state at once instead of timing out. */
export type GoodbyeReason =
  | 'leaving'
  | 'duplicate-connection'
  | 'violation'
  | 'full'
  | 'unsupported'
  | TokenFault

/** Last message of a connection, on the control channel. */
export interface Goodbye {
  readonly type: 'goodbye'
  readonly swarmTag: number
  readonly reason: GoodbyeReason
}

/**
 * A join token, on the control channel, before Hello: a seeder that wants tokens sends an empty one, and
 * takes nothing else of a peer that has not answered with its own. Who has none answers with an empty one.
 */
export interface Token {
  readonly type: 'token'
  readonly swarmTag: number
  /** `MAX_TOKEN_CHARS` printable ASCII characters without spaces at most; empty: see above. */
  readonly token: string
}

/** Asks for a segment's manifest, on the control channel. A peer without it stays silent. */
export interface ManifestRequest {
  readonly type: 'manifest-request'
  readonly swarmTag: number
  readonly segment: SegmentId
}

/** Who vouches for a manifest. */
export interface ManifestSignature {
  readonly algorithm: 'ed25519' | 'p256'
  /** 64 bytes: RFC 8032 for Ed25519, r || s (IEEE P1363) for P-256. */
  readonly bytes: Uint8Array
}

/**
 * What the bytes of a segment must be: every piece is checked against it before it is played,
 * announced or relayed.
 */
export interface SegmentManifest {
  readonly segment: SegmentId
  /** Where the segment begins in its resource, in bytes; 0 where it is the whole resource. */
  readonly offset: number
  /** Bytes in the segment, 1 to 64 MiB. */
  readonly size: number
  /** Bytes in each piece but the last: a power of two, 16 KiB to 1 MiB. */
  readonly pieceSize: number
  /**
   * SHA-256 of each piece, 32 bytes each, 1 to 64 of them. Between peers an unsigned manifest may have
   * the first ones alone, while the segment is still being fetched: the others follow in Hashes.
   */
  readonly hashes: readonly Uint8Array[]
  readonly signature: ManifestSignature | null
}

/** A manifest on the control channel. */
export interface ManifestMessage {
  readonly type: 'manifest'
  readonly swarmTag: number
  readonly manifest: SegmentManifest
}

/** Hashes of further pieces of a segment, from whoever sent the first ones in its manifest. */
export interface Hashes {
  readonly type: 'hashes'
  readonly swarmTag: number
  readonly segment: SegmentId
  /** The piece that the first hash is of. */
  readonly first: number
  /** SHA-256 of consecutive pieces, 32 bytes each, 1 to 64 of them. */
  readonly hashes: readonly Uint8Array[]
}

/** A run of whole segments of one track, all complete at the sender (or all dropped by it). */
export interface HaveRun {
  readonly kind: 'run' | 'dropped'
  readonly track: SegmentId['track']
  readonly first: number
  /** 1 to 65535 consecutive sequence numbers. */
  readonly count: number
}

/** The state of one segment or part that may be incomplete. */
export interface HaveSegment {
  readonly kind: 'segment'
  readonly segment: SegmentId
  /** The sender is fetching it now: more pieces will follow. */
  readonly fetching: boolean
  /** Bit n of the 64-bit map: piece n is verified and can be asked for. */
  readonly pieces: PieceBits
}

/** 64 bits as two 32-bit unsigned integers. */
export interface PieceBits {
  readonly low: number
  readonly high: number
}

/** Somebody, whoever first said it, is about to fetch the segment from the origin. */
export interface HaveClaim {
  readonly kind: 'claim'
  readonly segment: SegmentId
  /** Its place in the order of the segment, 32 bits: of several claims the lowest holds. */
  readonly place: number
}

export type HaveEntry = HaveRun | HaveSegment | HaveClaim

/** What the sender holds. Idempotent: it may be lost, repeated or reordered. */
export interface Have {
  readonly type: 'have'
  readonly swarmTag: number
  /** Counts this sender's Haves on this connection; an older one never overwrites a newer one. */
  readonly serial: number
  /** True: this replaces everything the sender said with a lower serial. */
  readonly summary: boolean
  /** How long the sender's upload queue is, in milliseconds, 65535 at most. */
  readonly backlogMs: number
  readonly entries: readonly HaveEntry[]
}

/** Asks for chunks of one piece. Repeating it is harmless; a repair names only what is missing. */
export interface Request {
  readonly type: 'request'
  readonly swarmTag: number
  /** Chosen by the asker, unique among its requests on this connection. */
  readonly requestId: number
  readonly segment: SegmentId
  readonly piece: number
  /** Milliseconds until the bytes are of no more use; 65535: no deadline. */
  readonly deadlineMs: number
  /** Wanted chunks, as half-open ranges of chunk indices, ascending and apart. */
  readonly chunks: readonly ByteSpan[]
}

/** The asker no longer wants these requests. */
export interface Cancel {
  readonly type: 'cancel'
  readonly swarmTag: number
  readonly requestIds: readonly number[]
}

/** One chunk of an asked-for piece. */
export interface Data {
  readonly type: 'data'
  readonly swarmTag: number
  readonly requestId: number
  /** The payload begins at `chunk * CHUNK_BYTES` of the piece. */
  readonly chunk: number
  /** Counts this sender's Data messages on this connection, modulo 2^16: shows loss and reordering. */
  readonly serial: number
  /** 1 to CHUNK_BYTES bytes; decoded, it shares memory with the message. */
  readonly payload: Uint8Array
}

export type PeerMessage =
  | Hello
  | Goodbye
  | Token
  | ManifestRequest
  | ManifestMessage
  | Hashes
  | Have
  | Request
  | Cancel
  | Data

/** Channel that a message of this type belongs to; Have is also allowed on control. */
export function channelOf(type: PeerMessage['type']): ChannelKind {
  switch (type) {
    case 'have':
    case 'request':
    case 'cancel':
    case 'data':
      return 'lossy'
    default:
      return 'control'
  }
}

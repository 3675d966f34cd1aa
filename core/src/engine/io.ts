import type {
  ByteSpan,
  ChannelKind,
  GoodbyeReason,
  Introduction,
  Millis,
  PeerId,
  SegmentId,
  SegmentManifest,
} from '@shoal/protocol'
import type { ManifestTrust } from '../ports/digest.js'
import type { OriginError } from '../ports/origin.js'
import type { Integrity, SegmentResult, UploadState, WantedSegment } from '../runtime/swarm-api.js'
import type { SegmentVerdict } from './reported-lists.js'

/** A connection, as the engine names it: unique for the life of the engine. */
export type LinkId = number

/** What happens to the engine. Every input carries the time; nothing else tells it. */
export type Input = { readonly now: Millis } & (
  | { readonly type: 'tick' }
  /**
   * Both channels of a connection are open. `initiator`: we made the offer. `remote`: whom the
   * signalling named, where it named somebody; the Hello must then name the same. `introduction`: what
   * the tracker told of it.
   */
  | {
      readonly type: 'link-open'
      readonly link: LinkId
      readonly initiator: boolean
      readonly remote?: PeerId
      readonly introduction?: Introduction | null
    }
  | { readonly type: 'link-closed'; readonly link: LinkId }
  | {
      readonly type: 'message'
      readonly link: LinkId
      readonly channel: ChannelKind
      readonly bytes: Uint8Array
    }
  /** Bytes in the lossy channel's send buffer now. */
  | { readonly type: 'link-buffered'; readonly link: LinkId; readonly bytes: number }
  /** The transport measured a connection's round trip. */
  | { readonly type: 'round-trip'; readonly link: LinkId; readonly rtt: Millis }
  /** The host allows, pauses or forbids uploads; see `Swarm.setUploads`. */
  | { readonly type: 'uploads'; readonly state: UploadState }
  /** Whether connections may still open soon, so that waiting for peers makes sense. */
  | { readonly type: 'connecting'; readonly hopeful: boolean }
  /** The host asks to leave to peers what they can bring, whatever the mode. */
  | { readonly type: 'spare-origin'; readonly spared: boolean }
  /** Another level of integrity holds from now on. */
  | { readonly type: 'integrity'; readonly level: Integrity }
  /** The tracker has compared what members loaded of a segment. */
  | { readonly type: 'verdict'; readonly verdict: SegmentVerdict }
  /** Members of the whole swarm, ourselves included, as the tracker counts them; null while none answers. */
  | { readonly type: 'swarm-size'; readonly members: number | null }
  | { readonly type: 'want'; readonly wantId: number; readonly wanted: WantedSegment }
  | { readonly type: 'deadline'; readonly wantId: number; readonly deadline: Millis }
  | { readonly type: 'unwant'; readonly wantId: number }
  | { readonly type: 'publish'; readonly manifest: SegmentManifest; readonly bytes: Uint8Array | null }
  | { readonly type: 'announce-fetching'; readonly segment: SegmentId }
  | { readonly type: 'drop'; readonly segment: SegmentId }
  /** Answers to effects, each with the id that the effect carried. */
  | { readonly type: 'http-response'; readonly fetchId: number; readonly total: number | null }
  | {
      readonly type: 'http-data'
      readonly fetchId: number
      readonly offset: number
      readonly bytes: Uint8Array
    }
  | { readonly type: 'http-done'; readonly fetchId: number; readonly doubtful?: boolean }
  | { readonly type: 'http-error'; readonly fetchId: number; readonly error: OriginError }
  | { readonly type: 'hashed'; readonly jobId: number; readonly digest: Uint8Array }
  /** A signed manifest lies beside a segment; the host has not verified it. */
  | { readonly type: 'manifest-found'; readonly manifest: SegmentManifest }
  | { readonly type: 'manifest-checked'; readonly jobId: number; readonly trust: ManifestTrust }
  | { readonly type: 'piece-read'; readonly jobId: number; readonly bytes: Uint8Array | null }
)

/** What the engine wants done. */
export type Effect =
  | {
      readonly type: 'send'
      readonly link: LinkId
      readonly channel: ChannelKind
      readonly bytes: Uint8Array
    }
  /** Close, after what was sent before has gone out. The reason is that of the side which ended it. */
  | { readonly type: 'close-link'; readonly link: LinkId; readonly reason: GoodbyeReason }
  | {
      readonly type: 'http-fetch'
      readonly fetchId: number
      readonly wantId: number
      readonly span: ByteSpan | null
    }
  /** A small span, to be compared with what peers sent; answers are those of a load. The want may be over. */
  | {
      readonly type: 'http-check'
      readonly fetchId: number
      readonly wantId: number
      readonly span: ByteSpan
    }
  | { readonly type: 'http-cancel'; readonly fetchId: number }
  /** No peer has a signed manifest of what is loading: one may lie beside it; the answer is `manifest-found`. */
  | { readonly type: 'find-manifest'; readonly wantId: number }
  /**
   * The tracker may be told: the digest of the manifest of a segment that came from the origin whole, or
   * of one (`wrong`) that a peer gave and that is not of what the origin serves.
   */
  | {
      readonly type: 'list'
      readonly segment: SegmentId
      /** As `listDigestOf` gives it. */
      readonly digest: string
      readonly wrong: boolean
    }
  /** A peer has sent corrupt data and is let go for it: the tracker may be told. */
  | { readonly type: 'accuse'; readonly peer: PeerId }
  /** Find one more neighbour, in the place of another, or no longer. */
  | { readonly type: 'replace-neighbour'; readonly wanted: boolean }
  /** SHA-256 of bytes that do not change until the answer; the answer is `hashed`. */
  | { readonly type: 'hash'; readonly jobId: number; readonly bytes: Uint8Array }
  | { readonly type: 'check-manifest'; readonly jobId: number; readonly manifest: SegmentManifest }
  | {
      readonly type: 'read-piece'
      readonly jobId: number
      readonly segment: SegmentId
      readonly span: ByteSpan
    }
  | {
      readonly type: 'progress'
      readonly wantId: number
      readonly loaded: number
      readonly total: number | null
    }
  | { readonly type: 'done'; readonly wantId: number; readonly result: SegmentResult }
  | { readonly type: 'failed'; readonly wantId: number; readonly error: OriginError }
  /** Give a tick at this time; a later one replaces it. */
  | { readonly type: 'wake-at'; readonly at: Millis }

/** Takes effects as they arise. */
export type EmitEffect = (effect: Effect) => void

import type { ChannelKind, Signal } from '@shoal/protocol'
import type { LinkCloseReason, SendResult } from '../../ports/link.js'

/** One call of a link to its owner, recorded. */
export type LinkEvent =
  | { readonly type: 'signal'; readonly signal: Signal }
  | { readonly type: 'open' }
  | { readonly type: 'message'; readonly channel: ChannelKind; readonly bytes: Uint8Array }
  | { readonly type: 'drain' }
  | { readonly type: 'close'; readonly reason: LinkCloseReason }

export type Side = 'a' | 'b'
export type Role = 'offerer' | 'answerer'

/** Whatever can be at one end of a connection: it says signals and takes them. */
export interface SignallingEnd {
  /** All events so far, in order; grows while time passes. */
  readonly events: readonly LinkEvent[]
  /** Takes a signal, or what a hostile peer sends in its place. */
  signal(signal: unknown): Promise<void>
  close(): Promise<void>
}

/**
 * A link under test, here or in another process: that is why its methods answer by promise.
 * `LocalPeer` makes one of a `PeerLinkFactory`.
 */
export interface TestPeer extends SignallingEnd {
  /** What the adapter reported through its `onError`. */
  readonly errors: readonly string[]
  /** Rules of the port that were seen broken, in words. */
  readonly faults: readonly string[]
  send(channel: ChannelKind, bytes: Uint8Array): Promise<SendResult>
  /** Sends messages of `size` bytes within one turn, until one is not `sent` or `limit` were. */
  fill(channel: ChannelKind, size: number, limit: number): Promise<FillResult>
  bufferedAmount(channel: ChannelKind): Promise<number>
}

export interface FillResult {
  readonly sent: number
  readonly last: SendResult
  readonly buffered: number
}

/** A peer that keeps to no rule of ours: a bare connection with the same two channels. */
export interface RawPeer extends SignallingEnd {
  /** Resolves to false where the WebRTC stack itself refuses to send this. */
  sendRaw(channel: ChannelKind, data: Uint8Array | string): Promise<boolean>
}

export interface CreateOptions {
  readonly role: Role
  /** `LINK_OPEN_TIMEOUT_MS` unless given. */
  readonly openTimeoutMs?: number
  /** The owner throws in this callback, each time, after it was recorded. */
  readonly throwIn?: LinkEvent['type']
}

/** What the suite needs to know of an adapter. */
export interface LinkHarness {
  /** A link of the adapter of this side; the two may be of different adapters. */
  create(side: Side, options: CreateOptions): Promise<TestPeer>
  /** Absent where no raw peer can be made: those cases are left out. */
  createRaw?(role: Role): Promise<RawPeer>
  /** Lets time pass until `condition` holds, `limitMs` at most; whether it came to hold. */
  until(condition: () => boolean, limitMs: number): Promise<boolean>
  /** Links of both sides that still hold resources; absent where that cannot be counted. */
  liveLinks?(): Promise<number>
}

/** One rule of the port, checked. */
export interface LinkConformanceCase {
  readonly name: string
  /** Rejects with what is wrong. */
  run(): Promise<void>
}

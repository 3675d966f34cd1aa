import type { ChannelKind, DialAddress, PeerId, Signal } from '@shoal/protocol'

/**
 * One WebRTC connection to one peer, with its two data channels (docs/protocol.md, "Channels").
 *
 * Adapters: `simple-peer` in the browser, `node-datachannel` in Node, memory in tests. All pass the
 * conformance suite of `@shoal/core/testing`. No method throws, whatever the state or the input.
 */
export interface PeerLink {
  /**
   * Takes a signal of the other side. A signal that cannot be used closes the link with
   * `bad-signal`; candidates that come before the description are kept until it comes.
   */
  signal(signal: Signal): void
  /**
   * Queues one message. The bytes must not change afterwards.
   *
   * `full`: the channel's buffer is at its bound, nothing was queued. `closed`: not open, or no more.
   */
  send(channel: ChannelKind, bytes: Uint8Array): SendResult
  /** Bytes queued on a channel and not yet handed to the network; 0 when closed. */
  bufferedAmount(channel: ChannelKind): number
  /**
   * Round trip as the transport has measured it since the last call (ICE's checks, for instance), in
   * milliseconds; null where it has not. Left out where the transport does not measure any.
   */
  roundTrip?(): Promise<number | null>
  /** Ends the connection. `onClose` follows once, with `local`, unless it has been called already. */
  close(): void
}

export type SendResult = 'sent' | 'full' | 'closed'

/** Why a link ended. */
export type LinkCloseReason =
  /** `close()` was called on this side. */
  | 'local'
  /** The other side closed, or its process ended and ICE noticed. */
  | 'remote'
  /** No connection within the time allowed, or ICE or DTLS failed. */
  | 'connect-failed'
  /** A signal was not usable. */
  | 'bad-signal'
  /** The WebRTC stack reported an error, or a message was no message: text, or over its channel's bound. */
  | 'transport-error'

/** What a link tells its owner. Calls are asynchronous: never from inside a method of the link. */
export interface PeerLinkEvents {
  /** Hand this to the other side. Candidates follow the description. */
  onSignal(signal: Signal): void
  /** Both channels are open. Called once at most. */
  onOpen(): void
  /** One whole message. The bytes belong to the receiver. */
  onMessage(channel: ChannelKind, bytes: Uint8Array): void
  /** The lossy channel's buffer fell to `LOSSY_BUFFER_LOW_BYTES` or below. */
  onDrain(): void
  /** The link has ended; nothing follows. Called once. */
  onClose(reason: LinkCloseReason): void
}

/** Makes links. An adapter is given ICE servers and timeouts when it is constructed. */
export interface PeerLinkFactory {
  /** The offerer emits an offer soon after; the answerer waits for one in `signal`. */
  create(role: 'offerer' | 'answerer', events: PeerLinkEvents): PeerLink
  /**
   * Connects to a seeder by its address (docs/protocol.md, "Direct dial"). The link signals nothing, and
   * opens only where the other end shows the certificate of the address. Left out where that cannot be.
   *
   * @param self the peer id of this side
   */
  dial?(address: DialAddress, self: PeerId, events: PeerLinkEvents): PeerLink
}

/** Ids of the two negotiated channels (`negotiated: true`): they open without a round trip. */
export const CONTROL_CHANNEL_ID = 0
export const LOSSY_CHANNEL_ID = 1

/**
 * Retransmissions on the lossy channel, which is unordered.
 *
 * 0: the receiver repairs, and a gap in the chunk order proves a loss. Each side sets this for what
 * it sends.
 */
export const LOSSY_MAX_RETRANSMITS = 0

/**
 * Bytes in the lossy channel's send buffer at most. A deeper backlog of small messages on a
 * partially reliable channel collapses after one burst of loss, for tens of seconds (measured).
 */
export const LOSSY_BUFFER_HIGH_BYTES = 64 * 1024
export const LOSSY_BUFFER_LOW_BYTES = 32 * 1024

/** Bytes in the control channel's send buffer at most; a peer that reads slower is dropped. */
export const CONTROL_BUFFER_HIGH_BYTES = 256 * 1024

/** Time from creation to both channels open, in milliseconds, at most. */
export const LINK_OPEN_TIMEOUT_MS = 20_000

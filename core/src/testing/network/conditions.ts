/** How one direction between two hosts behaves. */
export interface PathConditions {
  /** One-way delay in milliseconds. */
  readonly delayMs: number
  /**
   * Extra delay of each message, uniform from 0 to this, in milliseconds. On the lossy channel it
   * reorders; on control the order stays.
   */
  readonly jitterMs: number
  /**
   * Chance of a packet's loss, 0 to 1. On the lossy channel the message is gone, on control it
   * comes one round trip later.
   */
  readonly loss: number
  /** Capacity of this direction in bytes of messages per second, beside that of the hosts. */
  readonly bytesPerSecond: number
  /** Nothing passes, and no end is told: a pulled cable. */
  readonly cut: boolean
}

/** Nothing in the way. */
export const CLEAR_PATH: PathConditions = {
  delayMs: 0,
  jitterMs: 0,
  loss: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  cut: false,
}

/** One machine's access to the network. Rates count message bytes: headers below SCTP are left out. */
export interface HostOptions {
  /** Shared by all its links, in turn, message by message. Infinity unless given. */
  readonly uploadBytesPerSecond?: number
  readonly downloadBytesPerSecond?: number
  /**
   * Queue ahead of the download bottleneck in milliseconds: what would wait longer is dropped where
   * it came on a lossy channel. 200 ms is a common depth of an access router's buffer.
   */
  readonly downloadQueueMs?: number
  /** Time from a link's creation to its opening at most; `LINK_OPEN_TIMEOUT_MS` unless given. */
  readonly openTimeoutMs?: number
  /** As the network's, for this host's links alone. */
  readonly onError?: (error: unknown) => void
}

export const DOWNLOAD_QUEUE_MS = 200

/**
 * Time until a side notices that the other has gone without a word, in milliseconds: ICE turns
 * `failed` 15 s after a browser was killed (measured with Chromium and libdatachannel).
 */
export const SILENCE_NOTICED_MS = 15_000

/**
 * Round trips from the last signal to open channels: one of ICE, two of DTLS 1.2, one that
 * SCTP's INIT and COOKIE cost beyond what they overlap.
 */
export const OPENING_ROUND_TRIPS = 4

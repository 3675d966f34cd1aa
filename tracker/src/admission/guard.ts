import type { InfoHash, Millis } from '@shoal/protocol'
import type { AnnounceMessage, ClientMessage } from '../wire/client-message.js'
import type { Refusal } from './refusal.js'

/** What stands between one socket and the tracker. */
export interface Guard {
  /** Why the message must not pass, or null. Counts it against the limits of the socket's address. */
  check(message: ClientMessage, now: Millis): Refusal | null
  /**
   * A peer of this socket says that one of the `accused` socket's passes on wrong data.
   *
   * @returns true when that one is banned from the swarm now
   */
  accuse(accused: Guard, infoHash: InfoHash, now: Millis): boolean
  /** The socket comes from this machine, and from no proxy on it. */
  readonly isLocal: boolean
  /** The peer's join token says that it is one of the operator's own seeders. */
  isOwnSeeder(message: AnnounceMessage): boolean
}

import type { InfoHash, Millis } from '@shoal/protocol'
import type { AnnounceMessage, ClientMessage } from '../wire/client-message.js'
import type { Refusal } from './refusal.js'

/** What stands between one socket and the tracker. */
export interface Guard {
  /** Why the message must not pass, or null. Counts it against the limits of the socket's address. */
  check(message: ClientMessage, now: Millis): Refusal | null
  /** The network that the socket comes from: one witness, however many peers it has. */
  readonly network: string
  /** True when this network may accuse somebody at another node; that right is spent then. */
  mayAccuse(now: Millis): boolean
  /**
   * A peer of that network says that one of this socket's passes on wrong data.
   *
   * @returns the address that is banned from the swarm now, as `Admission.ban` takes it; null when none is
   */
  accused(network: string, infoHash: InfoHash, now: Millis): string | null
  /** The socket comes from this machine, and from no proxy on it. */
  readonly isLocal: boolean
  /** The peer's join token says that it is one of the operator's own seeders. */
  isOwnSeeder(message: AnnounceMessage): boolean
}

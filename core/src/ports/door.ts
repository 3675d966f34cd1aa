import type { ChannelKind, PeerId } from '@shoal/protocol'
import type { Clock } from './clock.js'

/** What a door does to connections, each named by a number. */
export interface DoorPorts {
  readonly clock: Clock
  readonly swarmTag: number
  /** On the control channel. */
  readonly send: (link: number, bytes: Uint8Array) => void
  /** A message of somebody who was let in, from before that. */
  readonly message: (link: number, channel: ChannelKind, bytes: Uint8Array) => void
  /** A Goodbye was sent to somebody who was not let in: close, and do not come back for a while. */
  readonly refused: (link: number) => void
}

/** Decides which connections the swarm hears of. */
export interface Door {
  /**
   * A connection has opened; `letIn` makes it the swarm's.
   *
   * @param remote whom it says to be; null where it has not said it
   */
  opened(link: number, remote: PeerId | null, letIn: () => void): void
  /** Takes a message, unless it is one for the swarm. */
  holds(link: number, channel: ChannelKind, bytes: Uint8Array): boolean
  closed(link: number): void
  close(): void
}

import type { Millis, PeerId } from '@shoal/protocol'

/**
 * A connection that was refused or replaced is not tried again for this long, in milliseconds: as long as
 * a neighbour stays at least. Longer would leave small swarms with nobody to turn to.
 */
const AVOID_MS = 30_000

/** Peers remembered at most; the oldest goes first. */
const MAX_AVOIDED = 200

/** Peers that a connection has just been given up with, by either end: the next one goes elsewhere. */
export class AvoidedPeers {
  /** Until when, by peer; in order of that time. */
  private readonly until = new Map<PeerId, number>()

  add(peer: PeerId, now: Millis): void {
    this.until.delete(peer)
    this.until.set(peer, now + AVOID_MS)
    const oldest = this.until.keys().next().value
    if (this.until.size > MAX_AVOIDED && oldest !== undefined) this.until.delete(oldest)
  }

  has(peer: PeerId, now: Millis): boolean {
    return (this.until.get(peer) ?? 0) > now
  }
}

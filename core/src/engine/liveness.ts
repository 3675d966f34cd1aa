import type { Millis } from '@shoal/protocol'
import type { Peer } from './peer.js'

/**
 * A peer that fetches what others may wait for says so every 400 ms until it has news of it. Silent for
 * this long, in milliseconds, it is not waited for any longer.
 */
const PROMISE_SILENCE_MS = 1_500

/** Everybody sends a Have every 10 s: one missing makes a suspect, two end the connection. */
const SUSPECT_SILENCE_MS = 15_000
const DEAD_SILENCE_MS = 25_000

/** A suspect is not asked for anything for this long after each look, in milliseconds. */
const SUSPECT_MS = 1_500

/** A look that comes this late, in milliseconds: we slept, and do not know who was silent. */
const SLEPT_MS = 5_000

/** Notices who has gone without a word, also where nothing was asked of it: ICE takes 15 s and more. */
export class Liveness {
  private readonly givenUpAt = new WeakMap<Peer, Millis>()
  private lookedAt: Millis | null = null

  /** Who fell silent is not waited for, then not asked. Returns those that are to be let go. */
  look(peers: readonly Peer[], now: Millis): Peer[] {
    const since = now - (this.lookedAt ?? now)
    this.lookedAt = now
    if (since >= SLEPT_MS) for (const peer of peers) peer.heardAt = now
    return peers.filter((peer) => this.isDead(peer, since, now))
  }

  private isDead(peer: Peer, sinceLook: number, now: Millis): boolean {
    const silence = now - peer.heardAt
    if (silence >= DEAD_SILENCE_MS) return true
    if (silence >= SUSPECT_SILENCE_MS) peer.suspectUntil = Math.max(peer.suspectUntil, now + SUSPECT_MS)
    const given = this.givenUpAt.get(peer)
    const awaited = given === undefined || given <= peer.heardAt
    // A look that is late itself says nothing of a silence as short as that.
    if (awaited && silence >= PROMISE_SILENCE_MS && sinceLook < PROMISE_SILENCE_MS) {
      this.givenUpAt.set(peer, now)
      peer.have.forgetPromises()
    }
    return false
  }
}

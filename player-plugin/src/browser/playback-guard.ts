import type { Millis } from '@shoal/protocol'

/** With less than this buffered ahead, in seconds, playback is at risk, whatever is usual. */
const LOW_SECONDS = 4

/** Share of what is usually buffered ahead below which playback is at risk. */
const LOW_SHARE = 0.25

/** Uploads go on when this many times the limit is buffered again. */
const RESUME_FACTOR = 1.5

/** What is usual is forgotten by half in this time, in milliseconds. */
const HALF_LIFE_MS = 30_000

/** A pause ends after this long, and none follows for as long, in milliseconds. */
const MAX_PAUSE_MS = 8_000

/**
 * Tells when uploads should pause for the sake of the viewer's own playback: it has much less buffered
 * ahead than it usually has.
 *
 * What is usual is what was buffered lately, not a number of seconds: all viewers of a live stream have a
 * short buffer, at the start above all, and a swarm in which everybody pauses helps nobody. For the same
 * reason a pause is short: when it has not helped in twice the time of a segment, uploads were not what
 * was in the way, and the others wait for what they would bring.
 */
export class PlaybackGuard {
  #usualSeconds = 0
  #lookedAt: number | null = null
  #pausedAt: number | null = null
  #restUntil = Number.NEGATIVE_INFINITY

  /**
   * Takes what is so now; true while uploads should pause. To be called about twice a second.
   *
   * @param ahead seconds of media buffered ahead of the playhead
   * @param playing the viewer wants playback to go on: neither paused nor at the end
   */
  atRisk(ahead: number, playing: boolean, now: Millis): boolean {
    const elapsed = now - (this.#lookedAt ?? now)
    this.#lookedAt = now
    this.#usualSeconds = Math.max(ahead, this.#usualSeconds * 0.5 ** (elapsed / HALF_LIFE_MS))
    const limit = Math.min(LOW_SECONDS, this.#usualSeconds * LOW_SHARE)
    if (this.#pausedAt === null) {
      if (playing && ahead < limit && now >= this.#restUntil) this.#pausedAt = now
    } else if (!playing || ahead >= limit * RESUME_FACTOR) {
      this.#pausedAt = null
    } else if (now - this.#pausedAt >= MAX_PAUSE_MS) {
      this.#pausedAt = null
      this.#restUntil = now + MAX_PAUSE_MS
    }
    return this.#pausedAt !== null
  }
}

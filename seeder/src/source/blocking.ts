import { type Millis, millis } from '@shoal/protocol'
import type { BlockingReload } from '../origin/origin.js'
import type { MediaPlaylist } from './playlist.js'

/** Answers in a row without what was asked for, from which the origin is taken at its word no more. */
const MAX_STRIKES = 2

/** How long then, in milliseconds: origins are restarted, and caches in front of them cleared. */
const DISTRUST_MS = 60_000

/** Between two reloads of an origin that answers at once, in milliseconds. */
const PACE_MS = millis(20)

/**
 * How long an origin may hold a request, in target durations: three (RFC 8216bis section 6.2.5.2), and one
 * where parts come, since the next one is due within a fraction of that: one that hangs is left sooner.
 */
const HOLD_TARGET_DURATIONS = 3
const HOLD_PARTS_TARGET_DURATIONS = 1

/**
 * Decides when a playlist is loaded by a request that waits at the origin for what comes next
 * (RFC 8216bis section 6.2.5.2): it is answered in the moment of publication.
 */
export class BlockingReloads {
  private strikes = 0
  private distrustedUntil = 0

  /** What to wait for at the origin, or null where it is asked in the ordinary way. */
  next(playlist: MediaPlaylist | null, now: Millis): BlockingReload | null {
    if (playlist === null || !this.usable(playlist, now)) return null
    const { next, partTarget } = playlist.lowLatency
    const share = partTarget === null ? HOLD_TARGET_DURATIONS : HOLD_PARTS_TARGET_DURATIONS
    const hold = millis(playlist.targetDuration * share)
    return { sequence: next.sequence, part: partTarget === null ? null : next.part, hold }
  }

  /** @param advanced the answer had something new */
  answered(advanced: boolean, now: Millis): void {
    this.strikes = advanced ? 0 : this.strikes + 1
    if (this.strikes < MAX_STRIKES) return
    this.strikes = 0
    this.distrustedUntil = now + DISTRUST_MS
  }

  /**
   * How long to wait before the next load: hardly at all where that one waits at the origin, a part where
   * parts come and it cannot; null where segments set the pace.
   */
  pace(playlist: MediaPlaylist, now: Millis): Millis | null {
    if (this.usable(playlist, now) && this.strikes === 0) return PACE_MS
    const { partTarget } = playlist.lowLatency
    return partTarget === null ? null : partTarget
  }

  private usable(playlist: MediaPlaylist, now: Millis): boolean {
    return playlist.live && playlist.lowLatency.canBlock && now >= this.distrustedUntil
  }
}

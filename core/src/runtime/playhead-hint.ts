import { MAX_PLAYHEAD_SECONDS, type MatchingHints } from '@shoal/protocol'

/**
 * What an announce tells of the playhead: tenths of a second, within what trackers take. A tracker refuses an
 * announce with a number beyond it, and neighbours are worth more than a hint.
 *
 * @param seconds as the host's player has them; null where nothing plays
 */
export function playheadHint(seconds: number | null): Pick<MatchingHints, 'playhead'> {
  if (seconds === null || Number.isNaN(seconds)) return {}
  return { playhead: Math.round(10 * Math.min(Math.max(0, seconds), MAX_PLAYHEAD_SECONDS)) / 10 }
}

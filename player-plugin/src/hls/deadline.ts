import { type Millis, millis } from '@shoal/protocol'

/** What of a media element says how urgent a segment is. */
export type PlaybackElement = Pick<HTMLMediaElement, 'currentTime' | 'playbackRate' | 'buffered'>

/** Seconds that two ranges may be apart and still count as one: hls.js's `maxBufferHole`. */
const BUFFER_HOLE_SECONDS = 0.1

/**
 * Slowest playback rate that is reckoned with. A paused viewer may press play at any moment, and a
 * rate of 0.1 must not let a segment wait ten times longer than after a change to 1.
 */
const MIN_PLAYBACK_RATE = 0.5

/** Seconds of media that can be played from the current position without another segment. */
export function bufferedAhead({ currentTime, buffered }: PlaybackElement): number {
  for (let i = 0; i < buffered.length; i++) {
    const start = buffered.start(i) - BUFFER_HOLE_SECONDS
    if (currentTime >= start && currentTime < buffered.end(i)) return buffered.end(i) - currentTime
  }
  return 0
}

/**
 * When playback reaches a segment.
 *
 * @param segmentStart on the media timeline, in seconds
 * @param media null while none is attached
 * @returns on the clock of `now`; `now` itself where the viewer is waiting (start, seek, stall)
 */
export function deadlineOf(segmentStart: number, media: PlaybackElement | null, now: Millis): Millis {
  if (media === null || bufferedAhead(media) <= BUFFER_HOLE_SECONDS) return now
  const seconds = (segmentStart - media.currentTime) / Math.max(media.playbackRate, MIN_PLAYBACK_RATE)
  return millis(now + Math.max(0, seconds) * 1000)
}

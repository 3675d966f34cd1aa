import type Hls from 'hls.js'
import type { PlaybackState } from '../runtime/upload-control.js'
import { bufferedAhead } from './deadline.js'

/** What the uploads' owner wants to know of a media element; null while none is attached. */
export function playbackOf(media: HTMLMediaElement | null | undefined): PlaybackState | null {
  if (!media) return null
  return { ahead: bufferedAhead(media), playing: !media.paused && !media.ended }
}

/** What of hls.js says where playback is. */
export type PlayingHls = Pick<Hls, 'media' | 'levels' | 'latency' | 'config'>

/**
 * Where playback is, in seconds: live, behind the edge; on demand, the position, or where it is to begin.
 * Null while no media is attached, and until a playlist has told which of the two it is.
 */
export function playheadOf({ media, levels, latency, config }: PlayingHls): number | null {
  const details = levels.find((level) => level.details)?.details
  if (!media || !details) return null
  if (!details.live) return media.currentTime || Math.max(0, config.startPosition)
  // hls.js says 0 while it does not know.
  return latency > 0 ? latency : null
}

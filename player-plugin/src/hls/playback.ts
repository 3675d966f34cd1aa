import type Hls from 'hls.js'
import type { PlaybackState } from '../runtime/upload-control.js'
import { bufferedAhead } from './deadline.js'

/** What the uploads' owner wants to know of a media element; null while none is attached. */
export function playbackOf(media: HTMLMediaElement | null | undefined): PlaybackState | null {
  if (!media) return null
  return { ahead: bufferedAhead(media), playing: !media.paused && !media.ended }
}

/**
 * Longest wait for the first picture before peers are looked for, in milliseconds: on a fast network it is
 * there by then, and on a slow one peers help it along.
 */
const PICTURE_WAIT_MS = 600

/** Resolves when there is a picture, or after `PICTURE_WAIT_MS`; without a media element only then. */
export function pictured(media: HTMLMediaElement | null | undefined): Promise<void> {
  if (media && media.readyState >= media.HAVE_CURRENT_DATA) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      media?.removeEventListener('loadeddata', done)
      resolve()
    }
    const timer = setTimeout(done, PICTURE_WAIT_MS)
    media?.addEventListener('loadeddata', done)
  })
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

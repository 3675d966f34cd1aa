import type { PlaybackState } from '../runtime/upload-control.js'
import { bufferedAhead } from './deadline.js'

/** What the uploads' owner wants to know of a media element; null while none is attached. */
export function playbackOf(media: HTMLMediaElement | null | undefined): PlaybackState | null {
  if (!media) return null
  return { ahead: bufferedAhead(media), playing: !media.paused && !media.ended }
}

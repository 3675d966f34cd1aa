import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PlaylistShelf, ShelvedPlaylist } from '../holdings/playlist-shelf.js'

/** Segments ahead of the newest from which a request is refused (RFC 8216bis section 6.2.5.2). */
const MAX_AHEAD = 2

/** Longest that a request is held, in target durations, as the section says. */
const HOLD_TARGET_DURATIONS = 3

/**
 * The playlist, once it has what the request asks for with `_HLS_msn` and `_HLS_part`; at once where the
 * request asks for nothing, or the playlist is none that can be waited for. Null where it does not come.
 */
export async function awaitedPlaylist(
  shelf: PlaylistShelf,
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<ShelvedPlaylist | null> {
  const playlist = shelf.get(url) ?? null
  const wanted = directivesOf(request.url ?? '')
  const { media = null } = playlist ?? {}
  if (media === null || wanted === null || !media.live || !media.lowLatency.canBlock) return playlist
  if (wanted.sequence > media.end + MAX_AHEAD) return null
  const abort = new AbortController()
  const stop = () => abort.abort()
  const timer = setTimeout(stop, media.targetDuration * HOLD_TARGET_DURATIONS)
  response.once('close', stop)
  try {
    for (;;) {
      const now = shelf.get(url)
      if (now === undefined || has(now, wanted)) return now ?? null
      if (!(await shelf.changed(abort.signal))) return null
    }
  } finally {
    clearTimeout(timer)
    response.off('close', stop)
  }
}

interface Directives {
  readonly sequence: number
  readonly part: number | null
}

function directivesOf(target: string): Directives | null {
  const query = new URLSearchParams(target.split('?')[1] ?? '')
  const [sequence, part] = [query.get('_HLS_msn'), query.get('_HLS_part')]
  if (sequence === null || !/^\d{1,15}$/.test(sequence)) return null
  return { sequence: Number(sequence), part: part === null || !/^\d{1,9}$/.test(part) ? null : Number(part) }
}

/** A part beyond the end of its segment is the first of the next one. */
function has({ media }: ShelvedPlaylist, { sequence, part }: Directives): boolean {
  if (media === null || !media.live) return true
  const { next } = media.lowLatency
  if (next.sequence > sequence) return true
  return part !== null && next.sequence === sequence && next.part > part
}

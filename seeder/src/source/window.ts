import type { MediaPlaylist, SegmentRef } from './playlist.js'

/** What a newly loaded playlist means against the one before it. */
export type WindowChange =
  /** The stream went on, or nothing changed: `added` and `left` may be empty. */
  | { readonly kind: 'forward'; readonly added: readonly SegmentRef[]; readonly left: readonly SegmentRef[] }
  /** An older state of the same stream, as a cache that lags behind hands out. */
  | { readonly kind: 'stale' }
  /** Another run of the stream under the same sequence numbers: everything known is void. */
  | { readonly kind: 'reset'; readonly added: readonly SegmentRef[]; readonly left: readonly SegmentRef[] }

/** Durations that differ by less, in milliseconds, are the same: they are printed with 3 to 6 digits. */
const SAME_DURATION_MS = 10

/**
 * Follows the window of one media playlist.
 *
 * Media sequence numbers never go back within one run of a stream (RFC 8216 section 6.2.2), but
 * encoders start again from 0, and caches hand out old playlists. The two are told apart by the
 * entries that both playlists list: another file name or duration under the same number is another
 * run. Where the names repeat from run to run, a playlist that went back and then advances below the
 * known end is taken for another run too.
 */
export class WindowTracker {
  private segments = new Map<number, SegmentRef>()
  private first = 0
  private end = 0
  /** End of the last playlist that looked stale, or null where the last one did not. */
  private staleEnd: number | null = null

  update(playlist: MediaPlaylist): WindowChange {
    const left: SegmentRef[] = []
    const reset = this.isReset(playlist)
    if (!reset && playlist.end < this.end) {
      this.staleEnd = playlist.end
      return { kind: 'stale' }
    }
    this.staleEnd = null
    const next = new Map(playlist.segments.map((segment) => [segment.sequence, segment]))
    for (const [sequence, segment] of this.segments) {
      if (reset || !next.has(sequence)) left.push(segment)
    }
    const added = playlist.segments.filter(({ sequence }) => reset || !this.segments.has(sequence))
    this.segments = next
    this.first = playlist.first
    this.end = playlist.end
    return { kind: reset ? 'reset' : 'forward', added, left }
  }

  private isReset(playlist: MediaPlaylist): boolean {
    if (playlist.segments.some((segment) => this.contradicts(segment))) return true
    if (playlist.end >= this.end) return false
    return playlist.end <= this.first || (this.staleEnd !== null && playlist.end > this.staleEnd)
  }

  private contradicts(segment: SegmentRef): boolean {
    const known = this.segments.get(segment.sequence)
    if (known === undefined) return false
    return (
      fileName(known.url) !== fileName(segment.url) ||
      known.range?.start !== segment.range?.start ||
      Math.abs(known.duration - segment.duration) > SAME_DURATION_MS
    )
  }
}

/** Last component of the path: tokens travel in the query or in folders, and change between loads. */
function fileName(url: string): string {
  const { pathname } = new URL(url)
  return pathname.slice(pathname.lastIndexOf('/') + 1)
}

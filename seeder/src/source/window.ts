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
 * Playlists in a row that may lag behind what another origin had: one that is further behind than this many
 * loads has begun anew.
 */
const MAX_STALE_LOADS = 8

/**
 * Follows the window of one media playlist.
 *
 * Media sequence numbers never go back within one run of a stream (RFC 8216 section 6.2.2), but
 * encoders start again from 0, and caches hand out old playlists. The two are told apart by the
 * entries that both playlists list: another file name, duration or date under the same number is another
 * run, and so is a discontinuity sequence that went back; the same dates are the same run. Where nothing
 * tells, a playlist that went back and then advances below the known end is taken for another run too,
 * unless it comes from another origin, which may be behind.
 */
export class WindowTracker {
  private segments = new Map<number, SegmentRef>()
  private first = 0
  private end = 0
  private discontinuities = 0
  private site = 0
  /** End of the last playlist that looked stale, or null where the last one did not. */
  private staleEnd: number | null = null
  private staleLoads = 0

  /** @param site which of several origins it came from */
  update(playlist: MediaPlaylist, site = 0): WindowChange {
    const left: SegmentRef[] = []
    const reset = this.isReset(playlist, site)
    if (!reset && playlist.end < this.end) {
      this.staleEnd = playlist.end
      this.staleLoads++
      return { kind: 'stale' }
    }
    this.staleEnd = null
    this.staleLoads = 0
    const next = new Map(playlist.segments.map((segment) => [segment.sequence, segment]))
    for (const [sequence, segment] of this.segments) {
      const same = reset ? undefined : next.get(sequence)
      if (same === undefined) left.push(segment)
      // Dates that are summed up differ in the last digits from load to load.
      else next.set(sequence, { ...same, date: segment.date })
    }
    const added = playlist.segments.filter(({ sequence }) => reset || !this.segments.has(sequence))
    this.segments = next
    this.first = playlist.first
    this.end = playlist.end
    this.discontinuities = playlist.discontinuities
    this.site = site
    return { kind: reset ? 'reset' : 'forward', added, left }
  }

  /** The newest entry of a segment: its URL may have another token by now. */
  entry(sequence: number): SegmentRef | null {
    return this.segments.get(sequence) ?? null
  }

  private isReset(playlist: MediaPlaylist, site: number): boolean {
    if (playlist.segments.some((segment) => this.contradicts(segment))) return true
    const wentBack = playlist.end < this.end
    if (!wentBack) return playlist.discontinuities < this.discontinuities && playlist.first >= this.first
    if (playlist.segments.some((segment) => this.confirms(segment))) return false
    if (site !== this.site) return this.staleLoads >= MAX_STALE_LOADS
    return playlist.end <= this.first || (this.staleEnd !== null && playlist.end > this.staleEnd)
  }

  private contradicts(segment: SegmentRef): boolean {
    const known = this.segments.get(segment.sequence)
    if (known === undefined) return false
    return (
      fileName(known.url) !== fileName(segment.url) ||
      known.range?.start !== segment.range?.start ||
      Math.abs(known.duration - segment.duration) > SAME_DURATION_MS ||
      (shiftOf(known, segment) ?? 0) >= segment.duration
    )
  }

  private confirms(segment: SegmentRef): boolean {
    const known = this.segments.get(segment.sequence)
    const shift = known === undefined ? null : shiftOf(known, segment)
    return shift !== null && shift < segment.duration
  }
}

/** How far the dates of two entries are apart, in milliseconds; null where one has none. */
function shiftOf(a: SegmentRef, b: SegmentRef): number | null {
  return a.date === null || b.date === null ? null : Math.abs(a.date - b.date)
}

/** Last component of the path: tokens travel in the query or in folders, and change between loads. */
function fileName(url: string): string {
  const { pathname } = new URL(url)
  return pathname.slice(pathname.lastIndexOf('/') + 1)
}

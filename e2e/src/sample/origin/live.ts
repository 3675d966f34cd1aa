/** The VOD that a live stream repeats. Its tracks have the same number of segments. */
export interface LoopSource {
  /** Name of each track's folder, with its segments' file names in order. */
  readonly tracks: ReadonlyMap<string, readonly string[]>
  readonly segmentCount: number
  /** Every segment is this long. */
  readonly segmentSeconds: number
}

export interface LiveOptions {
  /** Segments listed in a playlist. Default 8. */
  readonly windowSegments?: number
  /**
   * Segments that can still be fetched after they left the playlist. Default: one more than the window,
   * as RFC 8216, section 6.2.2 asks.
   */
  readonly graceSegments?: number
}

const DEFAULT_WINDOW_SEGMENTS = 8

/**
 * A live stream that repeats a VOD for ever. Segment n is the VOD's segment n mod K, and what is
 * published follows from the time alone. Segment 0 begins a full window before `startedAt`, so the
 * stream can be played at once.
 */
export class LiveStream {
  readonly windowSegments: number
  private readonly graceSegments: number
  /** Unix time in ms at which segment 0 begins. */
  private readonly epoch: number

  /** @param startedAt Unix time in ms */
  constructor(
    private readonly source: LoopSource,
    startedAt: number,
    options: LiveOptions = {},
  ) {
    this.windowSegments = options.windowSegments ?? DEFAULT_WINDOW_SEGMENTS
    this.graceSegments = options.graceSegments ?? this.windowSegments + 1
    this.epoch = startedAt - this.windowSegments * source.segmentSeconds * 1000
  }

  /** Sequence numbers of the first and the last segment in the playlist. */
  window(now: number): { readonly first: number; readonly last: number } {
    const last = Math.floor((now - this.epoch) / (this.source.segmentSeconds * 1000)) - 1
    return { first: Math.max(0, last - this.windowSegments + 1), last }
  }

  /** Text of a track's media playlist, or `null` when there is no such track. */
  playlist(track: string, now: number): string | null {
    if (!this.source.tracks.has(track)) return null
    const { segmentCount, segmentSeconds } = this.source
    const { first, last } = this.window(now)
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:6',
      `#EXT-X-TARGETDURATION:${Math.round(segmentSeconds)}`,
      `#EXT-X-MEDIA-SEQUENCE:${first}`,
      // A discontinuity counts as removed once the segment that it precedes is.
      `#EXT-X-DISCONTINUITY-SEQUENCE:${first === 0 ? 0 : Math.floor((first - 1) / segmentCount)}`,
      '#EXT-X-INDEPENDENT-SEGMENTS',
    ]
    for (let sequence = first; sequence <= last; sequence += 1) {
      const loops = sequence > 0 && sequence % segmentCount === 0
      if (loops) lines.push('#EXT-X-DISCONTINUITY')
      if (loops || sequence === first) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${this.startOf(sequence)}`)
      lines.push(`#EXTINF:${segmentSeconds.toFixed(6)},`, `seg-${sequence}.${this.extension(track)}`)
    }
    return `${lines.join('\n')}\n`
  }

  /** The VOD's file (`track/name`) behind a live segment's file name; `null` when it is not there now. */
  segmentFile(track: string, file: string, now: number): string | null {
    const number = /^seg-(0|[1-9]\d*)\.([a-z0-9]+)$/.exec(file)
    const names = this.source.tracks.get(track)
    if (!number || names === undefined || number[2] !== this.extension(track)) return null
    const sequence = Number(number[1])
    const { first, last } = this.window(now)
    if (sequence > last || sequence < first - this.graceSegments) return null
    return `${track}/${names[sequence % this.source.segmentCount]}`
  }

  private startOf(sequence: number): string {
    return new Date(this.epoch + sequence * this.source.segmentSeconds * 1000).toISOString()
  }

  private extension(track: string): string {
    return this.source.tracks.get(track)?.[0]?.split('.').at(-1) ?? ''
  }
}

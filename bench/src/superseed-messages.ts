/** To a process of viewers. */
export type Command =
  | {
      readonly type: 'join'
      readonly viewers: number
      readonly tracker: string
      /** URL of the live playlist; the segments lie beside it. */
      readonly playlist: string
      readonly uploadBytesPerSecond: number
    }
  /** Counters from here on, and segments from this sequence number to before that one. */
  | { readonly type: 'count'; readonly from: number; readonly to: number }
  | { readonly type: 'read' }

export type Reply =
  /** One more viewer is connected to somebody. */
  | { readonly type: 'joined' }
  | { readonly type: 'reading'; readonly viewers: readonly LiveReading[] }
  | { readonly type: 'failed'; readonly error: string }

/** What one viewer counted. */
export interface LiveReading {
  /** From a segment's publication to its being here, in milliseconds, of all that are here. */
  readonly delays: readonly number[]
  /** Segments that were not here when playback reached them. */
  readonly missed: number
  readonly httpBytes: number
  readonly peerBytes: number
  readonly seederBytes: number
  readonly wastedBytes: number
  readonly links: number
  readonly seeders: number
}

export const CONTENT_ID = 'https://bench.test/live/v.m3u8'

/** 1 Mbit/s. */
export const SEGMENT_MS = 4_000
export const SEGMENT_BYTES = 500_000

/**
 * From a segment's publication to its playback, in milliseconds: a player that keeps three target durations
 * behind the end of the playlist begins with the last segment two of them later.
 */
export const PLAYED_AFTER_MS = 2 * SEGMENT_MS

/** Of a sequence number: when it was published, by the machine's clock, as the playlist says it. */
export function publishedAt(playlist: string): { readonly last: number; readonly at: number } {
  const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(playlist)?.[1])
  const began = /#EXT-X-PROGRAM-DATE-TIME:(\S+)/.exec(playlist)?.[1] ?? ''
  const count = playlist.match(/#EXTINF:/g)?.length ?? 0
  return { last: first + count - 1, at: Date.parse(began) + count * SEGMENT_MS }
}

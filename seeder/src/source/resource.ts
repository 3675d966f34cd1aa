import { contentIdOfUrl, type SegmentId, type TrackId, trackIdOf } from '@shoal/protocol'
import type { SegmentRef } from './playlist.js'

/** One segment of the origin: fetched once, offered under every track that lists it. */
export interface Resource {
  /** Unique among what the seeder holds, and a file name. */
  readonly key: string
  readonly ids: readonly SegmentId[]
  readonly segment: SegmentRef
  /**
   * What an earlier run stored under the key is the same segment: true on demand, false live, where
   * numbers and names come again after the encoder was started again.
   */
  readonly recoverable: boolean
}

export function resourceOf(tracks: readonly TrackId[], segment: SegmentRef, recoverable: boolean): Resource {
  const ids = tracks.map((track) => ({ track, sequence: segment.sequence, part: null }))
  return { key: resourceKey(tracks, segment), ids, segment, recoverable }
}

/** Track and number name the segment; the hash tells apart files of the same number, tokens left out. */
function resourceKey(tracks: readonly TrackId[], { sequence, url, range }: SegmentRef): string {
  const place = `${contentIdOfUrl(url)} ${range?.start ?? ''} ${range?.end ?? ''}`
  return `${hex(tracks[0] ?? 0)}-${sequence}-${hex(trackIdOf(place))}`
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}

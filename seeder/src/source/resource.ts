import { contentIdOfUrl, type SegmentId, type TrackId, trackIdOf } from '@shoal/protocol'
import type { PartRef } from './low-latency.js'
import type { ResourceRef, SegmentRef } from './playlist.js'

/** One segment or part of the origin: fetched once, offered under every track that lists it. */
export interface Resource {
  /** Unique among what the seeder holds, and a file name. */
  readonly key: string
  readonly ids: readonly SegmentId[]
  readonly segment: ResourceRef
  /**
   * What an earlier run stored under the key is the same segment: true on demand, and live where the
   * playlist gives dates; numbers and names alone come again after the encoder was started again.
   */
  readonly recoverable: boolean
}

export function resourceOf(tracks: readonly TrackId[], segment: SegmentRef, live: boolean): Resource {
  const { sequence, date } = segment
  const dated = live && date !== null
  // Dates that are summed up differ in the last digits from run to run.
  const place = placeOf(segment) + (dated ? ` ${Math.round(date / 1000)}` : '')
  return {
    key: `${hex(tracks[0] ?? 0)}-${sequence}-${hex(trackIdOf(place))}`,
    ids: tracks.map((track) => ({ track, sequence, part: null })),
    segment,
    recoverable: !live || dated,
  }
}

/** A part is of use for seconds: it is not looked for after a restart. */
export function partResourceOf(tracks: readonly TrackId[], ref: PartRef): Resource {
  const { sequence, part } = ref
  return {
    key: `${hex(tracks[0] ?? 0)}-${sequence}-part${part}-${hex(trackIdOf(placeOf(ref)))}`,
    ids: tracks.map((track) => ({ track, sequence, part })),
    segment: ref,
    recoverable: false,
  }
}

/** Tells apart files of the same number, tokens left out. */
function placeOf({ url, range }: ResourceRef): string {
  return `${contentIdOfUrl(url)} ${range?.start ?? ''} ${range?.end ?? ''}`
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}

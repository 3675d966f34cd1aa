import type { ByteSpan } from '@shoal/protocol'
import type { PartRef } from './low-latency.js'
import type { MediaPlaylist, ResourceRef, SegmentRef } from './playlist.js'

interface Listed {
  readonly segments: readonly SegmentRef[]
  readonly parts: readonly PartRef[]
  readonly initSections: readonly ResourceRef[]
}

type Index = ReadonlyMap<string, { segments: SegmentRef[]; parts: PartRef[]; initSections: ResourceRef[] }>

const indexes = new WeakMap<MediaPlaylist, Index>()

const NOTHING: Listed = { segments: [], parts: [], initSections: [] }

/**
 * What a playlist lists under a URL.
 *
 * @param span only what has bytes of it; null for all
 */
export function listedAt(playlist: MediaPlaylist, url: string, span: ByteSpan | null): Listed {
  const index = indexes.get(playlist) ?? indexOf(playlist)
  indexes.set(playlist, index)
  const listed = index.get(url)
  if (listed === undefined || span === null) return listed ?? NOTHING
  const meets = ({ range }: ResourceRef) =>
    range === null || (range.start < span.end && range.end > span.start)
  return {
    segments: listed.segments.filter(meets),
    parts: listed.parts.filter(meets),
    initSections: listed.initSections.filter(meets),
  }
}

/** Made when it is first asked for: playlists of long films change never, and those of live streams often. */
function indexOf({ segments, initSections, lowLatency }: MediaPlaylist): Index {
  const index = new Map<string, { segments: SegmentRef[]; parts: PartRef[]; initSections: ResourceRef[] }>()
  const at = (url: string) => {
    const listed = index.get(url) ?? { segments: [], parts: [], initSections: [] }
    index.set(url, listed)
    return listed
  }
  for (const segment of segments) at(segment.url).segments.push(segment)
  for (const part of lowLatency.parts) at(part.url).parts.push(part)
  for (const section of initSections) at(section.url).initSections.push(section)
  return index
}

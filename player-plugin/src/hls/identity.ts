import { type ByteSpan, type SegmentId, trackIdentity, trackIdOf } from '@shoal/protocol'
import type Hls from 'hls.js'
import type { FragmentLoaderContext } from 'hls.js'

/** Part indices from here on have no room beside the one that stands for the whole segment. */
const MAX_PARTS = 0xffff

/** A media segment that peers may exchange, or a low-latency part of one. */
export interface Identified {
  readonly segment: SegmentId
  /** Identity text of its track. */
  readonly track: string
  /** EXT-X-BYTERANGE, or null for the whole resource. */
  readonly range: ByteSpan | null
}

type HlsTracks = Pick<Hls, 'levels' | 'audioTracks'>

type Loaded = Pick<FragmentLoaderContext, 'frag' | 'part' | 'rangeStart' | 'rangeEnd'>

/**
 * Identity of what hls.js is about to load, or null where it is none that peers exchange:
 * initialisation segments and subtitles.
 *
 * `frag.level` is an index into lists that hls.js filters, sorts and renumbers, so it is resolved to
 * the playlist's own attributes at the moment of loading, when hls.js itself relies on it.
 */
export function identify(hls: HlsTracks, context: Loaded): Identified | null {
  const { frag, part, rangeStart, rangeEnd } = context
  if (typeof frag.sn !== 'number' || frag.sn < 0) return null
  if (part !== null && part.index >= MAX_PARTS) return null
  const track = trackIdentityOf(hls, frag)
  if (track === null) return null
  // The loader context writes "no range" as 0 to 0; its end is exclusive.
  const range = rangeEnd ? { start: rangeStart ?? 0, end: rangeEnd } : null
  return { segment: { track: trackIdOf(track), sequence: frag.sn, part: part?.index ?? null }, track, range }
}

function trackIdentityOf(hls: HlsTracks, frag: FragmentLoaderContext['frag']): string | null {
  if (frag.type === 'main') {
    const attributes = hls.levels[frag.level]?.attrs
    if (attributes === undefined) return null
    // hls.js makes a level without any attribute for a bare media playlist.
    if (Object.keys(attributes).length === 0) return trackIdentity({ kind: 'single' })
    return trackIdentity({ kind: 'variant', attributes })
  }
  if (frag.type === 'audio') {
    const attributes = hls.audioTracks.find((track) => track.id === frag.level)?.attrs
    return attributes === undefined ? null : trackIdentity({ kind: 'rendition', attributes })
  }
  return null
}

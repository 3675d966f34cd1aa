import {
  type ByteSpan,
  type Millis,
  millis,
  type RenditionAttributes,
  type TrackId,
  type TrackSource,
  trackIdentity,
  trackIdOf,
} from '@shoal/protocol'
import hlsParser from 'hls-parser'
import { type LowLatency, lowLatencyOf } from './low-latency.js'
import { boundedDuration, boundedTarget, MAX_PLAYLISTS, numbersFit, sizeFault } from './playlist-limits.js'
import {
  attributeLists,
  looksLikePlaylist,
  parserText,
  restoreText,
  substituteVariables,
} from './playlist-text.js'

/** One media playlist to follow, and the tracks whose segments it lists. */
export interface MediaPlaylistRef {
  readonly url: string
  /** More than one where several variants or groups name the same playlist. */
  readonly tracks: readonly TrackId[]
  /** The same tracks elsewhere: redundant streams (RFC 8216 section 4.3.4.2, "Variant Streams"). */
  readonly backups: readonly string[]
}

/** A segment, or an initialisation section, as a media playlist names it. */
export interface ResourceRef {
  readonly url: string
  /** The byte range that the playlist gives, or null for the whole resource. */
  readonly range: ByteSpan | null
}

export interface SegmentRef extends ResourceRef {
  readonly sequence: number
  readonly duration: Millis
  /** From the beginning of the playlist. */
  readonly start: Millis
  /** Unix time of its first picture in milliseconds (EXT-X-PROGRAM-DATE-TIME), or null. */
  readonly date: number | null
}

export interface MediaPlaylist {
  readonly kind: 'media'
  readonly targetDuration: Millis
  /** False once EXT-X-ENDLIST is there: nothing will be added. */
  readonly live: boolean
  /** Ascending by sequence; gaps (EXT-X-GAP) and unusable entries are left out. */
  readonly segments: readonly SegmentRef[]
  readonly initSections: readonly ResourceRef[]
  /** Sequence number of the first entry, and one past the last, gaps counted. */
  readonly first: number
  readonly end: number
  /** EXT-X-DISCONTINUITY-SEQUENCE; it never goes back within one run of a stream. */
  readonly discontinuities: number
  readonly lowLatency: LowLatency
}

export interface MultivariantPlaylist {
  readonly kind: 'multivariant'
  readonly playlists: readonly MediaPlaylistRef[]
  /** Playlists beyond those that are followed. */
  readonly leftOut: number
  /** Values of EXT-X-DEFINE, which media playlists may import. */
  readonly variables: ReadonlyMap<string, string>
}

export type ParsedPlaylist = MultivariantPlaylist | MediaPlaylist

/** The text is no HLS playlist, or one that says nothing. */
export class PlaylistError extends Error {
  override readonly name = 'PlaylistError'
}

const NO_VARIABLES: ReadonlyMap<string, string> = new Map()

// The parser is tolerant by default but reports each oddity to the console.
hlsParser.setOptions({ silent: true })

/**
 * Reads a playlist.
 *
 * @param url where it was loaded from, after redirects: the base of relative URIs
 * @param imported variables of the multivariant playlist
 * @throws PlaylistError where the text is not a playlist
 */
export function parsePlaylist(
  text: string,
  url: string,
  imported: ReadonlyMap<string, string> = NO_VARIABLES,
): ParsedPlaylist {
  if (!looksLikePlaylist(text)) throw new PlaylistError('the text does not begin with #EXTM3U')
  const fault = sizeFault(text)
  if (fault !== null) throw new PlaylistError(fault)
  let source = parserText(text)
  let parsed = parse(source)
  const variables = variablesOf(parsed.defines, url, imported)
  if (variables.size > 0) {
    source = substituteVariables(source, variables)
    parsed = parse(source)
  }
  if (parsed.isMasterPlaylist) {
    return { kind: 'multivariant', ...playlistRefs(parsed, source, url), variables }
  }
  return mediaPlaylist(parsed, substituteVariables(text, variables), url)
}

type Parsed = hlsParser.types.MasterPlaylist | hlsParser.types.MediaPlaylist

function parse(text: string): Parsed {
  try {
    return hlsParser.parse(text)
  } catch (error) {
    throw new PlaylistError(error instanceof Error ? error.message : String(error))
  }
}

function variablesOf(
  defines: Parsed['defines'],
  url: string,
  imported: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  for (const define of defines ?? []) {
    const { NAME, VALUE, IMPORT, QUERYPARAM } = define
    if (NAME !== undefined) variables.set(NAME, VALUE ?? '')
    else if (IMPORT !== undefined) variables.set(IMPORT, imported.get(IMPORT) ?? '')
    else if (QUERYPARAM !== undefined) {
      variables.set(QUERYPARAM, new URL(url).searchParams.get(QUERYPARAM) ?? '')
    }
  }
  return variables
}

/** Media playlists by URL, in the order of the multivariant playlist, variants first. */
function playlistRefs(
  master: hlsParser.types.MasterPlaylist,
  text: string,
  base: string,
): Pick<MultivariantPlaylist, 'playlists' | 'leftOut'> {
  const leftOut = new Set<string>()
  const tracksByUrl = new Map<string, TrackId[]>()
  const urlOf = new Map<TrackId, string>()
  const backups = new Map<string, Set<string>>()
  const add = (uri: string | undefined, track: TrackSource) => {
    const url = uri === undefined ? null : resolveUrl(uri, base)
    if (url === null) return
    const id = trackIdOf(trackIdentity(track))
    // A second playlist of the same track is a redundant stream, for failover: the first is followed.
    const first = urlOf.get(id)
    if (first !== undefined) {
      if (first !== url) backups.set(first, new Set(backups.get(first)).add(url))
      return
    }
    if (!tracksByUrl.has(url) && tracksByUrl.size >= MAX_PLAYLISTS) {
      leftOut.add(url)
      return
    }
    urlOf.set(id, url)
    tracksByUrl.set(url, [...(tracksByUrl.get(url) ?? []), id])
  }
  for (const variant of master.variants) {
    add(variant.uri, { kind: 'variant', attributes: variantAttributes(variant) })
  }
  const stableIds = stableRenditionIds(text)
  for (const variant of master.variants) {
    for (const rendition of [...variant.audio, ...variant.video, ...variant.subtitles]) {
      add(rendition.uri, { kind: 'rendition', attributes: renditionAttributes(rendition, stableIds) })
    }
  }
  const playlists = [...tracksByUrl].map(([url, tracks]) => ({
    url,
    tracks,
    backups: [...(backups.get(url) ?? [])],
  }))
  return { playlists, leftOut: leftOut.size }
}

function variantAttributes(variant: hlsParser.types.Variant) {
  return {
    'STABLE-VARIANT-ID': optionalText(variant.stableVariantId),
    BANDWIDTH: variant.bandwidth,
    RESOLUTION: variant.resolution,
    'FRAME-RATE': variant.frameRate,
    CODECS: optionalText(variant.codecs),
    'VIDEO-RANGE': variant.videoRange,
  }
}

function renditionAttributes(
  rendition: hlsParser.types.Rendition,
  stableIds: ReadonlyMap<string, string>,
): RenditionAttributes {
  return {
    TYPE: rendition.type,
    'STABLE-RENDITION-ID': stableIds.get(renditionKey(rendition.type, rendition.groupId, rendition.name)),
    'GROUP-ID': optionalText(rendition.groupId),
    LANGUAGE: optionalText(rendition.language),
    NAME: optionalText(rendition.name),
    CHANNELS: optionalText(rendition.channels),
  }
}

function optionalText(text: string | undefined): string | undefined {
  return text === undefined ? undefined : restoreText(text)
}

/**
 * STABLE-RENDITION-ID by type, group and name, which together are unique (RFC 8216bis 4.4.6.1.1).
 *
 * The parser's Rendition leaves the attribute out; its attribute lists of EXT-X-DEFINE keep every
 * attribute, so the lists of EXT-X-MEDIA are read as such.
 */
function stableRenditionIds(text: string): ReadonlyMap<string, string> {
  const ids = new Map<string, string>()
  if (!text.includes('STABLE-RENDITION-ID')) return ids
  const lists = attributeLists(text, 'EXT-X-MEDIA').map((list) => `#EXT-X-DEFINE:${list}`)
  for (const attributes of parse(['#EXTM3U', ...lists].join('\n')).defines ?? []) {
    const id = attributes['STABLE-RENDITION-ID']
    if (id === undefined) continue
    const key = renditionKey(attributes['TYPE'], attributes['GROUP-ID'], attributes['NAME'])
    ids.set(key, restoreText(id))
  }
  return ids
}

function renditionKey(...parts: readonly (string | undefined)[]): string {
  return JSON.stringify(parts)
}

function mediaPlaylist(parsed: hlsParser.types.MediaPlaylist, text: string, base: string): MediaPlaylist {
  const targetSeconds = parsed.targetDuration ?? 0
  if (!(targetSeconds > 0)) throw new PlaylistError('it has neither variants nor EXT-X-TARGETDURATION')
  const listed = parsed.isIFrame ? [] : parsed.segments.filter((segment) => segment.uri !== '')
  const segments: SegmentRef[] = []
  const initSections = new Map<string, ResourceRef>()
  let start = 0
  let date: number | null = null
  for (const segment of listed) {
    const duration = boundedDuration(segment.duration ?? targetSeconds)
    date = dateOf(segment) ?? date
    const resource = segment.gap ? null : resourceOf(segment.uri, segment.byterange, base)
    if (resource !== null) {
      const times = { duration, start: millis(start), date }
      segments.push({ ...resource, ...times, sequence: segment.mediaSequenceNumber })
    }
    start += duration
    if (date !== null) date += duration
    const init = segment.map ? resourceOf(restoreText(segment.map.uri), segment.map.byterange, base) : null
    if (init !== null) initSections.set(`${init.url} ${init.range?.start}`, init)
  }
  const first = listed[0]?.mediaSequenceNumber ?? parsed.mediaSequenceBase ?? 0
  if (!numbersFit(first, listed.length)) {
    throw new PlaylistError(`its media sequence number ${first} is out of range`)
  }
  return {
    kind: 'media',
    targetDuration: boundedTarget(targetSeconds),
    live: !parsed.endlist,
    segments,
    initSections: [...initSections.values()],
    first,
    end: first + listed.length,
    discontinuities: parsed.discontinuitySequenceBase ?? 0,
    lowLatency: lowLatencyOf(text, first, (uri, range) => resourceOf(uri, range, base)),
  }
}

function dateOf({ programDateTime }: hlsParser.types.Segment): number | null {
  const time = programDateTime?.getTime() ?? Number.NaN
  return Number.isFinite(time) ? time : null
}

/** Null where the URI or its range cannot be used. */
function resourceOf(
  uri: string,
  range: { readonly length: number; readonly offset: number } | undefined,
  base: string,
): ResourceRef | null {
  const url = resolveUrl(uri, base)
  if (url === null) return null
  if (range === undefined) return { url, range: null }
  if (!(range.length > 0)) return null
  // Without an offset the range follows the one before it; the parser leaves -1 where there is none.
  const start = range.offset
  if (!(start >= 0)) return null
  return { url, range: { start, end: start + range.length } }
}

function resolveUrl(uri: string, base: string): string | null {
  const text = restoreText(uri)
  return URL.canParse(text, base) ? new URL(text, base).href : null
}

/**
 * The identity of a track (docs/protocol.md, "Track"): text that a seeder, which reads playlists with
 * one parser, and a player, which reads them with another, must derive alike.
 *
 * Parsers disagree on the form of numbers ("25.000" or 25), never on their value, so every number is
 * written as ECMAScript writes it: the shortest text that reads back as the same value. Text is taken
 * without surrounding white space, and an absent attribute is empty text.
 */

/** A number as the playlist writes it, or as a parser read it. */
export type PlaylistNumber = string | number | null | undefined
export type PlaylistText = string | null | undefined
/** `RESOLUTION` as the playlist writes it ("1280x720"), or as a parser read it. */
export type PlaylistResolution =
  | string
  | { readonly width: number; readonly height: number }
  | null
  | undefined

/** Attributes of EXT-X-STREAM-INF that identify a variant; hls.js's `level.attrs` is one. */
export interface VariantAttributes {
  readonly 'STABLE-VARIANT-ID'?: PlaylistText
  readonly BANDWIDTH?: PlaylistNumber
  readonly RESOLUTION?: PlaylistResolution
  readonly 'FRAME-RATE'?: PlaylistNumber
  readonly CODECS?: PlaylistText
  readonly 'VIDEO-RANGE'?: PlaylistText
}

/** Attributes of EXT-X-MEDIA that identify a rendition; hls.js's `audioTrack.attrs` is one. */
export interface RenditionAttributes {
  readonly TYPE?: PlaylistText
  readonly 'STABLE-RENDITION-ID'?: PlaylistText
  readonly 'GROUP-ID'?: PlaylistText
  readonly LANGUAGE?: PlaylistText
  readonly NAME?: PlaylistText
  readonly CHANNELS?: PlaylistText
}

export type TrackSource =
  /** A media playlist that was loaded without a multivariant playlist. */
  | { readonly kind: 'single' }
  | { readonly kind: 'variant'; readonly attributes: VariantAttributes }
  | { readonly kind: 'rendition'; readonly attributes: RenditionAttributes }

/**
 * Identity of a track, as text; `trackIdOf` makes the 32-bit id of it.
 *
 * @example
 * trackIdentity({ kind: 'variant', attributes: { BANDWIDTH: '800000', 'FRAME-RATE': '25.000' } })
 * // 'main|800000||25||'
 */
export function trackIdentity(track: TrackSource): string {
  switch (track.kind) {
    case 'single':
      return 'main|single'
    case 'variant':
      return variantIdentity(track.attributes)
    case 'rendition':
      return renditionIdentity(track.attributes)
  }
}

function variantIdentity(attributes: VariantAttributes): string {
  const stable = canonicalText(attributes['STABLE-VARIANT-ID'])
  if (stable !== '') return `main|stable|${stable}`
  return [
    'main',
    canonicalNumber(attributes.BANDWIDTH),
    canonicalResolution(attributes.RESOLUTION),
    canonicalNumber(attributes['FRAME-RATE']),
    canonicalText(attributes.CODECS),
    canonicalText(attributes['VIDEO-RANGE']),
  ].join('|')
}

function renditionIdentity(attributes: RenditionAttributes): string {
  const type = canonicalText(attributes.TYPE).toLowerCase()
  const stable = canonicalText(attributes['STABLE-RENDITION-ID'])
  if (stable !== '') return `${type}|stable|${stable}`
  return [
    type,
    canonicalText(attributes['GROUP-ID']),
    canonicalText(attributes.LANGUAGE),
    canonicalText(attributes.NAME),
    canonicalText(attributes.CHANNELS),
  ].join('|')
}

function canonicalText(value: PlaylistText): string {
  return value?.trim() ?? ''
}

/** Text that is no number reads as 0: what tolerant playlist parsers make of it. */
function canonicalNumber(value: PlaylistNumber): string {
  if (value === null || value === undefined) return ''
  const number = typeof value === 'number' ? value : Number.parseFloat(value)
  return String(Number.isNaN(number) ? 0 : number)
}

function canonicalResolution(value: PlaylistResolution): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'object') return `${canonicalNumber(value.width)}x${canonicalNumber(value.height)}`
  const [width, height = ''] = value.split('x')
  return `${canonicalNumber(width)}x${canonicalNumber(height)}`
}

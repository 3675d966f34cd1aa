import { looksLikePlaylist } from '../source/playlist-text.js'

/** Media types under which captive portals, error pages and gateways answer with status 200. */
const PAGE_TYPES = /^(?:text\/html|application\/(?:xhtml\+xml|xml|json|problem\+json)|text\/xml)\b/i

/** How pages begin, after white space and a byte order mark. */
const PAGE_START = /^(?:<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>]|#EXTM3U)/i

/** First four characters of boxes that begin a segment of ISO media files (ISO/IEC 14496-12). */
const BOXES = new Set([
  'ftyp',
  'styp',
  'moof',
  'moov',
  'sidx',
  'emsg',
  'prft',
  'mdat',
  'free',
  'skip',
  'uuid',
])

const TS_SYNC = 0x47

/** Characters that are looked at. */
const HEAD_BYTES = 64

/** What is wrong with a text that was answered in place of a playlist, or null. */
export function playlistFault(text: string, contentType: string): string | null {
  if (looksLikePlaylist(text)) return null
  const said = contentType === '' ? '' : ` (it says ${contentType})`
  return `is not an HLS playlist${said}: the text does not begin with #EXTM3U`
}

/**
 * What is wrong with bytes that were answered in place of media, or null.
 *
 * Encrypted segments look like nothing, so that only what is surely a page is refused: what begins as one,
 * and what is called one and does not begin as media.
 */
export function mediaFault(bytes: Uint8Array, contentType: string): string | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, HEAD_BYTES))
  const page = PAGE_START.test(
    head
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .trimStart(),
  )
  if (!page && !(PAGE_TYPES.test(contentType) && !looksLikeMedia(head))) return null
  const said = contentType === '' ? '' : ` (it says ${contentType})`
  return `answered with a page in place of media${said}`
}

function looksLikeMedia(head: Buffer): boolean {
  if (head[0] === TS_SYNC || BOXES.has(head.toString('latin1', 4, 8))) return true
  const start = head.toString('latin1', 0, 6)
  // ID3 before packed audio, ADTS and MPEG audio, WebVTT.
  return (
    start.startsWith('ID3') || start === 'WEBVTT' || (head[0] === 0xff && ((head[1] ?? 0) & 0xe0) === 0xe0)
  )
}

import { DecodeError } from './errors.js'
import { binaryStringOf, bytesOfBinaryString } from './reader.js'
import type { InfoHash, PeerId, TrackId } from './units.js'

/** SHA-256 of the content id, 32 bytes, and what is derived from it. */
export interface SwarmId {
  readonly bytes: Uint8Array
  /** First 20 bytes: the tracker's `info_hash`. */
  readonly infoHash: InfoHash
  /** First 4 bytes, big-endian: the tag of every peer message. */
  readonly tag: number
}

/** SHA-256 of `bytes`: 32 bytes. WebCrypto's `subtle.digest` is one. */
export type Sha256 = (bytes: Uint8Array) => Promise<Uint8Array>

/**
 * Swarm id of a content id (docs/protocol.md, "Swarm").
 *
 * @param contentId any string that all viewers of a title share; see `contentIdOfUrl`
 */
export async function swarmIdOf(contentId: string, sha256: Sha256): Promise<SwarmId> {
  return swarmIdFromBytes(await sha256(utf8(contentId)))
}

/** Reads the 32 bytes of a swarm id. Throws `DecodeError` (`bad-value`) on another length. */
export function swarmIdFromBytes(bytes: Uint8Array): SwarmId {
  if (bytes.byteLength !== 32) throw new DecodeError('bad-value', 'a swarm id has 32 bytes')
  const tag = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
  return { bytes, infoHash: binaryStringOf(bytes.subarray(0, 20)) as InfoHash, tag }
}

/** Default content id of a manifest URL: the URL without its query and fragment. */
export function contentIdOfUrl(url: string): string {
  return url.replace(/[?#].*$/s, '')
}

/** A segment inside its swarm. `part` is null for a whole segment, else the LL-HLS part's index. */
export interface SegmentId {
  readonly track: TrackId
  /** Media sequence number, 0 to 2^48 - 1. */
  readonly sequence: number
  /** 0 to 65534, or null for the whole segment. */
  readonly part: number | null
}

/** Keys made last, at a place of their own each: one segment is looked up thousands of times in a row. */
const recentKeys: { readonly id: SegmentId; readonly key: string }[] = []
const RECENT_KEYS = 64

/** A segment id as a map key, and its name in tracker messages: `readSegmentName` reads it. */
export function segmentKey(id: SegmentId): string {
  const { track, sequence, part } = id
  const place = (sequence + 7 * (part ?? 0)) % RECENT_KEYS
  const recent = recentKeys[place]
  if (recent !== undefined) {
    const { id: known } = recent
    if (known.sequence === sequence && known.track === track && known.part === part) return recent.key
  }
  const key = `${track}:${sequence}:${part ?? ''}`
  recentKeys[place] = { id, key }
  return key
}

/**
 * Track id: FNV-1a, 32 bits, over the UTF-16 code units (high byte first) of the track's identity.
 *
 * The identity is text that every viewer derives alike from the playlist; docs/protocol.md,
 * "Track". It names, it does not protect: manifests do that.
 */
export function trackIdOf(identity: string): TrackId {
  let hash = 0x811c9dc5
  for (let i = 0; i < identity.length; i++) {
    const unit = identity.charCodeAt(i)
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
  }
  return (hash >>> 0) as TrackId
}

/**
 * A peer id of `prefix` and random characters, 20 in all.
 *
 * @param prefix Azureus style, such as `-SH0100-` (BEP 20)
 * @param random uniform in [0, 1)
 */
export function makePeerId(prefix: string, random: () => number): PeerId {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  let id = prefix.slice(0, 20)
  while (id.length < 20) id += alphabet[Math.floor(random() * alphabet.length)]
  return id as PeerId
}

/** True for a 20-character binary string: the form of a peer id and of an info hash. */
export function isBinaryString20(value: unknown): value is string {
  if (typeof value !== 'string' || value.length !== 20) return false
  for (let i = 0; i < 20; i++) if (value.charCodeAt(i) > 0xff) return false
  return true
}

/** Hexadecimal form of a binary string, for people and URLs. */
export function hexOf(binary: string): string {
  let hex = ''
  for (const byte of bytesOfBinaryString(binary)) hex += byte.toString(16).padStart(2, '0')
  return hex
}

/** High bits of a UTF-8 lead byte, by the number of bytes that follow it (RFC 3629 section 3). */
const LEAD_BYTE = [0, 0xc0, 0xe0, 0xf0]

/**
 * UTF-8 bytes of a string; lone surrogates become U+FFFD, as in the Encoding standard.
 *
 * By hand, since this package knows neither browser nor Node and so no TextEncoder.
 */
export function utf8(text: string): Uint8Array {
  // A UTF-16 code unit takes three bytes at most: a surrogate pair, two units, takes four.
  const bytes = new Uint8Array(text.length * 3)
  let at = 0
  for (let i = 0; i < text.length; i++) {
    let code = text.codePointAt(i) ?? 0
    if (code > 0xffff) i++
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd
    if (code < 0x80) {
      bytes[at++] = code
      continue
    }
    const following = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3
    bytes[at++] = (LEAD_BYTE[following] ?? 0) | (code >> (6 * following))
    for (let n = following - 1; n >= 0; n--) bytes[at++] = 0x80 | ((code >> (6 * n)) & 0x3f)
  }
  return bytes.slice(0, at)
}

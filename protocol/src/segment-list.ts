import { base64urlOf, bytesOfBase64url } from './base64url.js'
import { signedManifestBytes } from './encode.js'
import { DecodeError } from './errors.js'
import type { SegmentId, Sha256 } from './ids.js'
import type { SegmentManifest } from './messages.js'
import { bytesOfBinaryString } from './reader.js'
import type { InfoHash, TrackId } from './units.js'
import { MAX_U48, SHA256_BYTES, WHOLE_SEGMENT } from './wire-values.js'
import { Writer } from './writer.js'

/** SHA-256 in base64url, 43 characters: the last one has two bits to spare, which are 0. */
const DIGEST = /^[\w-]{42}[AEIMQUYcgkosw048]$/

/** 64 bytes in base64url, 86 characters: the last one has four bits to spare. */
const SIGNATURE = /^[\w-]{85}[AQgw]$/

const NAME = /^(0|[1-9]\d{0,9}):(0|[1-9]\d{0,14}):(0|[1-9]\d{0,4})?$/

/**
 * Digest of a segment's list of hashes, by which peers and the tracker compare what they loaded without
 * sending it: SHA-256 over the bytes that a signer signs, so the same list at another place or in
 * another swarm has another digest.
 *
 * @param swarmId 32 bytes
 * @param manifest with the hashes of all its pieces; its signature does not count
 * @returns base64url, 43 characters
 */
export async function listDigestOf(
  swarmId: Uint8Array,
  manifest: SegmentManifest,
  sha256: Sha256,
): Promise<string> {
  return base64urlOf(await sha256(signedManifestBytes(swarmId, manifest)))
}

/**
 * The bytes that an attestor signs: that fetchers in this swarm agree on this list.
 *
 * Not the bytes that a signer signs: a tracker knows the digest alone, and one that signed whatever
 * fetchers of any swarm agree on could be made to sign a list of another swarm.
 *
 * @param digest as `listDigestOf` gives it; throws `DecodeError` (`bad-value`) for any other text
 */
export function attestationBytes(infoHash: InfoHash, digest: string): Uint8Array {
  const context = 'shoal-attested-1'
  const list = bytesOfBase64url(digest)
  if (list?.byteLength !== SHA256_BYTES) throw new DecodeError('bad-value', 'not a list digest')
  const swarm = bytesOfBinaryString(infoHash)
  const writer = new Writer(context.length + swarm.byteLength + SHA256_BYTES).binaryString(context)
  return writer.raw(swarm).raw(list).bytes
}

/** True for the text of a list digest. */
export function isListDigest(value: unknown): value is string {
  return typeof value === 'string' && DIGEST.test(value)
}

/** True for the text of a signature of 64 bytes. */
export function isSignatureText(value: unknown): value is string {
  return typeof value === 'string' && SIGNATURE.test(value)
}

/**
 * Reads a segment's name, `track:sequence:part` in decimal, the part empty for a whole segment: what
 * `segmentKey` writes. One segment has one name.
 *
 * @returns null where it is none
 */
export function readSegmentName(value: unknown): SegmentId | null {
  const fields = typeof value === 'string' ? NAME.exec(value) : null
  if (fields === null) return null
  const track = Number(fields[1])
  const sequence = Number(fields[2])
  const part = fields[3] === undefined ? null : Number(fields[3])
  const fits = track <= 0xffff_ffff && sequence <= MAX_U48 && (part === null || part < WHOLE_SEGMENT)
  return fits ? { track: track as TrackId, sequence, part } : null
}

import { decodeManifest } from './decode.js'
import { manifestBytes } from './encode.js'
import { DecodeError } from './errors.js'
import type { SegmentManifest } from './messages.js'
import { Reader } from './reader.js'
import { Writer } from './writer.js'

/** What a sidecar begins with: names the form, and keeps pages with status 200 apart. */
const MAGIC = 'shoal-sidecar-1\n'

/** Added to the path of a resource, it names the sidecar with its signed manifests. */
export const SIDECAR_SUFFIX = '.shoal'

/** Largest sidecar, in bytes: 16,000 segments of one resource, with eight pieces each. */
export const MAX_SIDECAR_BYTES = 8 * 1024 * 1024

/** URL of the sidecar of a segment's resource; its query (a token, most often) stays. */
export function sidecarUrl(url: string): string {
  const [, path = '', rest = ''] = /^([^?#]*)(\?[^#]*)?/.exec(url) ?? []
  return path + SIDECAR_SUFFIX + rest
}

/** URL of the resource that a sidecar is of; null for any other URL. */
export function sidecarOwner(url: string): string | null {
  const [, path = '', rest = ''] = /^([^?#]*)\.shoal(\?[^#]*)?$/.exec(url) ?? []
  return path === '' ? null : path + rest
}

/** Bytes of a sidecar: the manifests of the segments in one resource (docs/protocol.md, "Sidecar"). */
export function encodeSidecar(manifests: readonly SegmentManifest[]): Uint8Array {
  const all = manifests.map(manifestBytes)
  const size = all.reduce((sum, { byteLength }) => sum + 2 + byteLength, MAGIC.length)
  const writer = new Writer(size).binaryString(MAGIC)
  for (const bytes of all) writer.u16(bytes.byteLength).raw(bytes)
  return writer.bytes
}

/**
 * Reads a sidecar. Signatures are for the caller to verify.
 *
 * @throws DecodeError (`too-large`, `truncated`, `bad-value`, and those of a manifest)
 */
export function decodeSidecar(bytes: Uint8Array): SegmentManifest[] {
  if (bytes.byteLength > MAX_SIDECAR_BYTES) throw new DecodeError('too-large', 'sidecar')
  const reader = new Reader(bytes)
  if (reader.binaryString(MAGIC.length) !== MAGIC) throw new DecodeError('bad-value', 'not a sidecar')
  const manifests: SegmentManifest[] = []
  while (reader.remaining > 0) manifests.push(decodeManifest(reader.view8(reader.u16())))
  return manifests
}

import {
  CHUNK_BYTES,
  DATA_HEADER_BYTES,
  decodeMessage,
  encodeMessage,
  MessageType,
  pieceSizeFor,
  type SegmentId,
} from '@shoal/protocol'
import { sampledDigest } from './content.js'

/**
 * What a hostile viewer does. `polluters`: Data that no manifest has. `inventors`: made-up bytes, and
 * manifests that they fit. `slanderers`: true bytes, and manifests that they do not fit, so that whoever
 * sends true ones seems to pollute.
 */
export type Hostility = 'polluters' | 'inventors' | 'slanderers'

/** Alters what a hostile viewer sends. @param contentOf the true bytes of a segment */
export function alteration(
  hostile: Hostility | null,
  contentOf: (id: SegmentId) => Uint8Array,
): ((bytes: Uint8Array) => Uint8Array) | null {
  if (hostile === null) return null
  return (bytes) => {
    const type = bytes[0]
    if (type === MessageType.data) return hostile === 'slanderers' ? bytes : damaged(bytes)
    if (hostile === 'polluters') return bytes
    return type === MessageType.manifest || type === MessageType.hashes ? invented(bytes, contentOf) : bytes
  }
}

/** The first byte of each chunk is another, which is what the simulator's digests look at. */
function damaged(data: Uint8Array): Uint8Array {
  const changed = data.slice()
  changed[DATA_HEADER_BYTES] = (changed[DATA_HEADER_BYTES] ?? 0) ^ 0xff
  return changed
}

function invented(bytes: Uint8Array, contentOf: (id: SegmentId) => Uint8Array): Uint8Array {
  const message = decodeMessage(bytes, 'control')
  if (message.type === 'manifest') {
    const { manifest } = message
    const hashes = inventedHashes(contentOf(manifest.segment), 0, manifest.hashes.length)
    return encodeMessage({ ...message, manifest: { ...manifest, hashes, signature: null } })
  }
  if (message.type !== 'hashes') return bytes
  const { segment, first, hashes } = message
  return encodeMessage({ ...message, hashes: inventedHashes(contentOf(segment), first, hashes.length) })
}

/** Hashes of pieces as `damaged` Data make them. */
function inventedHashes(content: Uint8Array, first: number, count: number): Uint8Array[] {
  const pieceSize = pieceSizeFor(content.length)
  return Array.from({ length: count }, (_, index) => {
    const start = (first + index) * pieceSize
    const piece = content.slice(start, start + pieceSize)
    for (let at = 0; at < piece.length; at += CHUNK_BYTES) piece[at] = (piece[at] ?? 0) ^ 0xff
    return sampledDigest(piece)
  })
}

import { encodeData } from './encode-data.js'
import type { SegmentId } from './ids.js'
import type {
  Cancel,
  Goodbye,
  Hashes,
  Have,
  HaveEntry,
  Hello,
  ManifestMessage,
  ManifestRequest,
  PeerMessage,
  Request,
  SegmentManifest,
  Token,
} from './messages.js'
import { MessageType } from './messages.js'
import {
  ENTRY_CLAIM,
  ENTRY_DROPPED,
  ENTRY_FETCHING,
  ENTRY_RUN,
  ENTRY_SEGMENT,
  GOODBYE_REASONS,
  HAVE_SUMMARY,
  HELLO_SEEDER,
  HELLO_UPLOADS,
  SHA256_BYTES,
  SIGNATURE_ALGORITHMS,
  WHOLE_SEGMENT,
} from './wire-values.js'
import { Writer } from './writer.js'

/** Type byte and swarm tag. */
const HEADER_BYTES = 5
/** Track, sequence, part. */
const SEGMENT_BYTES = 12
const MAX_U16 = 0xffff

/**
 * Bytes of a message, in the form of docs/protocol.md.
 *
 * The caller keeps to the limits of `limits.ts`: the values are ours and nothing is checked here.
 * Times are the exception, since they are measured: `backlogMs` and `deadlineMs` are brought into
 * 0 to 65535, so a deadline of 65.5 seconds or more becomes none and one that has passed becomes 0.
 */
export function encodeMessage(message: PeerMessage): Uint8Array {
  switch (message.type) {
    case 'hello':
      return encodeHello(message)
    case 'goodbye':
      return encodeGoodbye(message)
    case 'token':
      return encodeToken(message)
    case 'manifest-request':
      return encodeManifestRequest(message)
    case 'manifest':
      return encodeManifest(message)
    case 'hashes':
      return encodeHashes(message)
    case 'have':
      return encodeHave(message)
    case 'request':
      return encodeRequest(message)
    case 'cancel':
      return encodeCancel(message)
    case 'data':
      return encodeData(message)
  }
}

function header(size: number, type: number, swarmTag: number): Writer {
  return new Writer(HEADER_BYTES + size).u8(type).u32(swarmTag)
}

/** Whole milliseconds that fit 16 bits; written as they are, -1 and Infinity would become others. */
function clampToU16(ms: number): number {
  return Math.min(MAX_U16, Math.max(0, Math.floor(ms)))
}

function writeSegment(writer: Writer, id: SegmentId): Writer {
  return writer
    .u32(id.track)
    .u48(id.sequence)
    .u16(id.part ?? WHOLE_SEGMENT)
}

function encodeHello(hello: Hello): Uint8Array {
  const flags = (hello.role === 'seeder' ? HELLO_SEEDER : 0) | (hello.uploads ? HELLO_UPLOADS : 0)
  return header(54, MessageType.hello, hello.swarmTag)
    .u8(hello.version)
    .u8(flags)
    .binaryString(hello.peerId)
    .raw(hello.swarmId).bytes
}

function encodeGoodbye(goodbye: Goodbye): Uint8Array {
  const code = GOODBYE_REASONS.indexOf(goodbye.reason) + 1
  return header(1, MessageType.goodbye, goodbye.swarmTag).u8(code).bytes
}

function encodeToken({ swarmTag, token }: Token): Uint8Array {
  return header(2 + token.length, MessageType.token, swarmTag)
    .u16(token.length)
    .binaryString(token).bytes
}

function encodeManifestRequest(request: ManifestRequest): Uint8Array {
  const writer = header(SEGMENT_BYTES, MessageType.manifestRequest, request.swarmTag)
  return writeSegment(writer, request.segment).bytes
}

function encodeManifest({ swarmTag, manifest }: ManifestMessage): Uint8Array {
  const body = manifestBytes(manifest)
  return header(body.byteLength, MessageType.manifest, swarmTag).raw(body).bytes
}

function encodeHashes({ swarmTag, segment, first, hashes }: Hashes): Uint8Array {
  const size = SEGMENT_BYTES + 1 + 1 + hashes.length * SHA256_BYTES
  const writer = writeSegment(header(size, MessageType.hashes, swarmTag), segment)
  writer.u8(first).u8(hashes.length)
  for (const hash of hashes) writer.raw(hash)
  return writer.bytes
}

/** The part of a manifest that a signature covers, after the signing context and swarm id. */
function unsignedManifestSize(manifest: SegmentManifest): number {
  return SEGMENT_BYTES + 6 + 4 + 1 + 1 + manifest.hashes.length * SHA256_BYTES
}

function writeUnsignedManifest(writer: Writer, manifest: SegmentManifest): Writer {
  writeSegment(writer, manifest.segment)
    .u48(manifest.offset)
    .u32(manifest.size)
    .u8(Math.log2(manifest.pieceSize))
    .u8(manifest.hashes.length)
  for (const hash of manifest.hashes) writer.raw(hash)
  return writer
}

/** A manifest without message header: what a Manifest message and a stored manifest hold. */
export function manifestBytes(manifest: SegmentManifest): Uint8Array {
  const signature = manifest.signature
  const size = unsignedManifestSize(manifest) + 1 + (signature?.bytes.byteLength ?? 0)
  const writer = writeUnsignedManifest(new Writer(size), manifest)
  if (signature === null) return writer.u8(0).bytes
  return writer.u8(SIGNATURE_ALGORITHMS.indexOf(signature.algorithm) + 1).raw(signature.bytes).bytes
}

/**
 * The bytes that a manifest's signature covers: a context string (so that a signature of ours can
 * never be taken for another protocol's), the swarm id, and the manifest without its signature.
 */
export function signedManifestBytes(swarmId: Uint8Array, manifest: SegmentManifest): Uint8Array {
  const context = 'shoal-manifest-1'
  const size = context.length + swarmId.byteLength + unsignedManifestSize(manifest)
  const writer = new Writer(size).binaryString(context).raw(swarmId)
  return writeUnsignedManifest(writer, manifest).bytes
}

/** Bytes that an entry takes in a Have, to fill a message up to its limit. */
export function haveEntryBytes(entry: HaveEntry): number {
  if (entry.kind === 'segment') return 1 + SEGMENT_BYTES + 8
  return entry.kind === 'claim' ? 1 + SEGMENT_BYTES + 4 : 13
}

/** Bytes of a Have without entries. */
export const HAVE_HEADER_BYTES = HEADER_BYTES + 4 + 1 + 2 + 2

function encodeHave(have: Have): Uint8Array {
  let size = HAVE_HEADER_BYTES - HEADER_BYTES
  for (const entry of have.entries) size += haveEntryBytes(entry)
  const writer = header(size, MessageType.have, have.swarmTag)
    .u32(have.serial)
    .u8(have.summary ? HAVE_SUMMARY : 0)
    .u16(clampToU16(have.backlogMs))
    .u16(have.entries.length)
  for (const entry of have.entries) writeHaveEntry(writer, entry)
  return writer.bytes
}

function writeHaveEntry(writer: Writer, entry: HaveEntry): void {
  if (entry.kind === 'segment') {
    writer.u8(entry.fetching ? ENTRY_FETCHING : ENTRY_SEGMENT)
    writeSegment(writer, entry.segment).u32(entry.pieces.high).u32(entry.pieces.low)
    return
  }
  if (entry.kind === 'claim') {
    writeSegment(writer.u8(ENTRY_CLAIM), entry.segment).u32(entry.place)
    return
  }
  writer
    .u8(entry.kind === 'run' ? ENTRY_RUN : ENTRY_DROPPED)
    .u32(entry.track)
    .u48(entry.first)
    .u16(entry.count)
}

function encodeRequest(request: Request): Uint8Array {
  const writer = header(
    4 + SEGMENT_BYTES + 1 + 2 + 1 + request.chunks.length * 4,
    MessageType.request,
    request.swarmTag,
  ).u32(request.requestId)
  writeSegment(writer, request.segment)
    .u8(request.piece)
    .u16(clampToU16(request.deadlineMs))
    .u8(request.chunks.length)
  for (const range of request.chunks) writer.u16(range.start).u16(range.end)
  return writer.bytes
}

function encodeCancel(cancel: Cancel): Uint8Array {
  const ids = cancel.requestIds
  const writer = header(1 + ids.length * 4, MessageType.cancel, cancel.swarmTag).u8(ids.length)
  for (const id of ids) writer.u32(id)
  return writer.bytes
}

import { DecodeError } from './errors.js'
import type { SegmentId } from './ids.js'
import { swarmIdFromBytes } from './ids.js'
import {
  CHUNK_BYTES,
  DATA_HEADER_BYTES,
  MAX_CANCEL_IDS,
  MAX_CHUNKS_PER_PIECE,
  MAX_CONTROL_MESSAGE_BYTES,
  MAX_HAVE_ENTRIES,
  MAX_LOSSY_MESSAGE_BYTES,
  MAX_PIECE_BYTES,
  MAX_PIECES_PER_SEGMENT,
  MAX_REQUEST_RANGES,
  MAX_SEGMENT_BYTES,
  MAX_TOKEN_CHARS,
  MIN_PIECE_BYTES,
  pieceCountOf,
} from './limits.js'
import type {
  ChannelKind,
  Data,
  HaveEntry,
  ManifestSignature,
  PeerMessage,
  SegmentManifest,
} from './messages.js'
import { channelOf, MessageType, PROTOCOL_VERSION } from './messages.js'
import { Reader } from './reader.js'
import type { ByteSpan, PeerId, TrackId } from './units.js'
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
  MAX_U48,
  SHA256_BYTES,
  SIGNATURE_ALGORITHMS,
  SIGNATURE_BYTES,
  WHOLE_SEGMENT,
} from './wire-values.js'

/**
 * Reads one message of a peer.
 *
 * Views into `bytes` are handed out (payload, hashes): nothing is copied, so nothing is allocated
 * beyond what the input's own length allows.
 *
 * @param channel where it arrived: a message on the wrong channel is an error
 * @throws DecodeError on anything that docs/protocol.md does not allow
 */
export function decodeMessage(bytes: Uint8Array, channel: ChannelKind): PeerMessage {
  const limit = channel === 'lossy' ? MAX_LOSSY_MESSAGE_BYTES : MAX_CONTROL_MESSAGE_BYTES
  if (bytes.byteLength === 0) throw new DecodeError('empty', 'a message of no bytes')
  if (bytes.byteLength > limit) {
    throw new DecodeError('too-large', `${bytes.byteLength} bytes on the ${channel} channel`)
  }
  const reader = new Reader(bytes)
  const type = reader.u8()
  const swarmTag = reader.u32()
  const message = readBody(reader, type, swarmTag)
  reader.end()
  if (channelOf(message.type) !== channel && message.type !== 'have') {
    throw new DecodeError('bad-value', `${message.type} on the ${channel} channel`)
  }
  return message
}

function readBody(reader: Reader, type: number, swarmTag: number): PeerMessage {
  switch (type) {
    case MessageType.data:
      return readData(reader, swarmTag)
    case MessageType.have:
      return readHave(reader, swarmTag)
    case MessageType.request:
      return readRequest(reader, swarmTag)
    case MessageType.cancel:
      return { type: 'cancel', swarmTag, requestIds: readCancelIds(reader) }
    case MessageType.hello:
      return readHello(reader, swarmTag)
    case MessageType.goodbye:
      return { type: 'goodbye', swarmTag, reason: enumerated(reader.u8(), GOODBYE_REASONS) }
    case MessageType.token:
      return { type: 'token', swarmTag, token: readTokenText(reader) }
    case MessageType.manifestRequest:
      return { type: 'manifest-request', swarmTag, segment: readSegment(reader) }
    case MessageType.manifest:
      return { type: 'manifest', swarmTag, manifest: readManifest(reader, 'growing') }
    case MessageType.hashes:
      return readHashes(reader, swarmTag)
    default:
      throw new DecodeError('unknown-type', `type ${type}`)
  }
}

function enumerated<T>(code: number, values: readonly T[]): T {
  const value = values[code - 1]
  if (value === undefined) throw new DecodeError('bad-value', `code ${code} names nothing`)
  return value
}

/** Flags that this version does not know must be clear, so that every message has one encoding. */
function onlyFlags(flags: number, known: number): number {
  if ((flags & ~known) !== 0) throw new DecodeError('bad-value', `flags ${flags}`)
  return flags
}

function readSegment(reader: Reader): SegmentId {
  const track = reader.u32() as TrackId
  const sequence = reader.u48()
  const part = reader.u16()
  return { track, sequence, part: part === WHOLE_SEGMENT ? null : part }
}

function readHello(reader: Reader, swarmTag: number): PeerMessage {
  const version = reader.u8()
  if (version !== PROTOCOL_VERSION) throw new DecodeError('unknown-version', `version ${version}`)
  const flags = onlyFlags(reader.u8(), HELLO_SEEDER | HELLO_UPLOADS)
  const peerId = reader.binaryString(20) as PeerId
  const swarmId = reader.view8(32)
  if (swarmIdFromBytes(swarmId).tag !== swarmTag) throw new DecodeError('bad-value', 'tag of another swarm')
  const role = (flags & HELLO_SEEDER) !== 0 ? 'seeder' : 'viewer'
  return { type: 'hello', swarmTag, version, peerId, swarmId, role, uploads: (flags & HELLO_UPLOADS) !== 0 }
}

function readTokenText(reader: Reader): string {
  const length = reader.u16()
  if (length > MAX_TOKEN_CHARS) throw new DecodeError('too-large', `token of ${length} characters`)
  const token = reader.binaryString(length)
  if (!/^[!-~]*$/.test(token)) throw new DecodeError('bad-value', 'token is not printable ASCII')
  return token
}

/** Reads a stored manifest: the bytes that `manifestBytes` made. Throws `DecodeError`. */
export function decodeManifest(bytes: Uint8Array): SegmentManifest {
  if (bytes.byteLength > MAX_CONTROL_MESSAGE_BYTES) throw new DecodeError('too-large', 'manifest')
  const reader = new Reader(bytes)
  const manifest = readManifest(reader, 'whole')
  reader.end()
  return manifest
}

function readManifest(reader: Reader, state: 'whole' | 'growing'): SegmentManifest {
  const segment = readSegment(reader)
  const offset = reader.u48()
  const size = reader.u32()
  const pieceSize = 2 ** reader.u8()
  const count = reader.u8()
  if (size < 1 || size > MAX_SEGMENT_BYTES) throw new DecodeError('bad-value', `size ${size}`)
  if (offset + size - 1 > MAX_U48) throw new DecodeError('bad-value', 'offset beyond 48 bits')
  if (pieceSize < MIN_PIECE_BYTES || pieceSize > MAX_PIECE_BYTES) {
    throw new DecodeError('bad-value', `piece size ${pieceSize}`)
  }
  const pieces = pieceCountOf(size, pieceSize)
  const fits = state === 'whole' ? count === pieces : count >= 1 && count <= pieces
  if (pieces > MAX_PIECES_PER_SEGMENT || !fits) {
    throw new DecodeError('bad-value', `${count} pieces of ${pieceSize} for ${size} bytes`)
  }
  const hashes = readHashList(reader, count)
  const signature = readSignature(reader)
  if (signature !== null && count !== pieces) throw new DecodeError('bad-value', 'signature over a part')
  return { segment, offset, size, pieceSize, hashes, signature }
}

function readHashes(reader: Reader, swarmTag: number): PeerMessage {
  const segment = readSegment(reader)
  const first = reader.u8()
  const count = reader.u8()
  if (count < 1 || first + count > MAX_PIECES_PER_SEGMENT) {
    throw new DecodeError('bad-value', `${count} hashes from piece ${first}`)
  }
  return { type: 'hashes', swarmTag, segment, first, hashes: readHashList(reader, count) }
}

function readHashList(reader: Reader, count: number): Uint8Array[] {
  const hashes: Uint8Array[] = []
  for (let i = 0; i < count; i++) hashes.push(reader.view8(SHA256_BYTES))
  return hashes
}

function readSignature(reader: Reader): ManifestSignature | null {
  const code = reader.u8()
  if (code === 0) return null
  const algorithm = enumerated(code, SIGNATURE_ALGORITHMS)
  return { algorithm, bytes: reader.view8(SIGNATURE_BYTES) }
}

function readHave(reader: Reader, swarmTag: number): PeerMessage {
  const serial = reader.u32()
  const summary = (onlyFlags(reader.u8(), HAVE_SUMMARY) & HAVE_SUMMARY) !== 0
  const backlogMs = reader.u16()
  const count = reader.u16()
  if (count > MAX_HAVE_ENTRIES) throw new DecodeError('too-large', `${count} Have entries`)
  const entries: HaveEntry[] = []
  for (let i = 0; i < count; i++) entries.push(readHaveEntry(reader))
  return { type: 'have', swarmTag, serial, summary, backlogMs, entries }
}

function readHaveEntry(reader: Reader): HaveEntry {
  const kind = reader.u8()
  if (kind === ENTRY_SEGMENT || kind === ENTRY_FETCHING) {
    const segment = readSegment(reader)
    const high = reader.u32()
    const low = reader.u32()
    return { kind: 'segment', segment, fetching: kind === ENTRY_FETCHING, pieces: { low, high } }
  }
  if (kind === ENTRY_CLAIM) return { kind: 'claim', segment: readSegment(reader), place: reader.u32() }
  if (kind !== ENTRY_RUN && kind !== ENTRY_DROPPED) {
    throw new DecodeError('bad-value', `Have entry ${kind}`)
  }
  const track = reader.u32() as TrackId
  const first = reader.u48()
  const count = reader.u16()
  if (count === 0 || first + count - 1 > MAX_U48) throw new DecodeError('bad-value', 'Have run')
  return { kind: kind === ENTRY_RUN ? 'run' : 'dropped', track, first, count }
}

function readRequest(reader: Reader, swarmTag: number): PeerMessage {
  const requestId = reader.u32()
  const segment = readSegment(reader)
  const piece = reader.u8()
  if (piece >= MAX_PIECES_PER_SEGMENT) throw new DecodeError('bad-value', `piece ${piece}`)
  const deadlineMs = reader.u16()
  const count = reader.u8()
  if (count === 0 || count > MAX_REQUEST_RANGES) throw new DecodeError('bad-value', `${count} ranges`)
  const chunks: ByteSpan[] = []
  let after = 0
  for (let i = 0; i < count; i++) {
    const start = reader.u16()
    const end = reader.u16()
    if (start < after || end <= start) throw new DecodeError('bad-value', 'ranges out of order')
    if (end > MAX_CHUNKS_PER_PIECE) throw new DecodeError('bad-value', `chunk range up to ${end}`)
    chunks.push({ start, end })
    after = end + 1
  }
  return { type: 'request', swarmTag, requestId, segment, piece, deadlineMs, chunks }
}

function readCancelIds(reader: Reader): number[] {
  const count = reader.u8()
  if (count === 0 || count > MAX_CANCEL_IDS) throw new DecodeError('bad-value', `${count} ids`)
  const ids: number[] = []
  for (let i = 0; i < count; i++) ids.push(reader.u32())
  return ids
}

function readData(reader: Reader, swarmTag: number): Data {
  const requestId = reader.u32()
  const chunk = reader.u16()
  if (chunk >= MAX_CHUNKS_PER_PIECE) throw new DecodeError('bad-value', `chunk ${chunk}`)
  const serial = reader.u16()
  const length = reader.remaining
  if (length === 0 || length > CHUNK_BYTES) {
    throw new DecodeError('bad-value', `${length} payload bytes after ${DATA_HEADER_BYTES}`)
  }
  return { type: 'data', swarmTag, requestId, chunk, serial, payload: reader.view8(length) }
}

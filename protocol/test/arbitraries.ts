import fc from 'fast-check'
import type { SegmentId } from '../src/ids.js'
import {
  CHUNK_BYTES,
  MAX_CANCEL_IDS,
  MAX_CHUNKS_PER_PIECE,
  MAX_HAVE_ENTRIES,
  MAX_PIECE_BYTES,
  MAX_PIECES_PER_SEGMENT,
  MAX_REQUEST_RANGES,
  MAX_TOKEN_CHARS,
  MIN_PIECE_BYTES,
  pieceCountOf,
} from '../src/limits.js'
import type {
  Cancel,
  ChannelKind,
  Data,
  Goodbye,
  Hashes,
  Have,
  HaveEntry,
  HaveRun,
  Hello,
  ManifestMessage,
  ManifestRequest,
  PeerMessage,
  Request,
  SegmentManifest,
  Token,
} from '../src/messages.js'
import { binaryStringOf } from '../src/reader.js'
import type { ByteSpan, PeerId, TrackId } from '../src/units.js'

/** A message and a channel that may carry it. */
export interface Carried {
  readonly message: PeerMessage
  readonly channel: ChannelKind
}

const MAX_U48 = 2 ** 48 - 1

const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const u48 = fc.maxSafeNat().map((value) => value % (MAX_U48 + 1))
const sequence = fc.oneof(fc.nat(1000), u48, fc.constant(MAX_U48))
const track = u32.map((value) => value as TrackId)
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

export const segment: fc.Arbitrary<SegmentId> = fc.record({
  track,
  sequence,
  part: fc.option(fc.integer({ min: 0, max: 0xfffe })),
})

const hello: fc.Arbitrary<Hello> = fc
  .record({
    swarmId: bytesOf(32),
    id: bytesOf(20),
    role: fc.constantFrom('viewer', 'seeder'),
    uploads: fc.boolean(),
  })
  .map(({ swarmId, id, role, uploads }) => ({
    type: 'hello',
    swarmTag: new DataView(swarmId.buffer, swarmId.byteOffset).getUint32(0),
    version: 1,
    peerId: binaryStringOf(id) as PeerId,
    swarmId,
    role,
    uploads,
  }))

const goodbye: fc.Arbitrary<Goodbye> = fc.record({
  type: fc.constant('goodbye'),
  swarmTag: u32,
  reason: fc.constantFrom(
    'leaving',
    'duplicate-connection',
    'violation',
    'full',
    'unsupported',
    'token-required',
    'token-invalid',
    'token-expired',
  ),
})

const token: fc.Arbitrary<Token> = fc.record({
  type: fc.constant('token'),
  swarmTag: u32,
  token: fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    maxLength: MAX_TOKEN_CHARS,
  }),
})

const manifestRequest: fc.Arbitrary<ManifestRequest> = fc.record({
  type: fc.constant('manifest-request'),
  swarmTag: u32,
  segment,
})

const pieceSize = fc
  .integer({ min: Math.log2(MIN_PIECE_BYTES), max: Math.log2(MAX_PIECE_BYTES) })
  .map((exponent) => 2 ** exponent)

export const manifest: fc.Arbitrary<SegmentManifest> = pieceSize.chain((size) =>
  fc.integer({ min: 1, max: size * MAX_PIECES_PER_SEGMENT }).chain((bytes) => {
    const pieces = pieceCountOf(bytes, size)
    return fc.record({
      segment,
      offset: u48.map((offset) => Math.min(offset, MAX_U48 + 1 - bytes)),
      size: fc.constant(bytes),
      pieceSize: fc.constant(size),
      hashes: fc.array(bytesOf(32), { minLength: pieces, maxLength: pieces }),
      signature: fc.option(fc.record({ algorithm: fc.constantFrom('ed25519', 'p256'), bytes: bytesOf(64) })),
    })
  }),
)

const growingManifest: fc.Arbitrary<SegmentManifest> = fc
  .tuple(manifest, fc.nat())
  .map(([whole, hashes]) => ({
    ...whole,
    hashes: whole.hashes.slice(0, 1 + (hashes % whole.hashes.length)),
    signature: null,
  }))

const manifestMessage: fc.Arbitrary<ManifestMessage> = fc.record({
  type: fc.constant('manifest'),
  swarmTag: u32,
  manifest: fc.oneof(manifest, growingManifest),
})

const hashes: fc.Arbitrary<Hashes> = fc.nat({ max: MAX_PIECES_PER_SEGMENT - 1 }).chain((first) =>
  fc.record({
    type: fc.constant('hashes'),
    swarmTag: u32,
    segment,
    first: fc.constant(first),
    hashes: fc.array(bytesOf(32), { minLength: 1, maxLength: MAX_PIECES_PER_SEGMENT - first }),
  }),
)

const run: fc.Arbitrary<HaveRun> = fc
  .record({
    kind: fc.constantFrom('run', 'dropped'),
    track,
    first: sequence,
    count: fc.integer({ min: 1, max: 0xffff }),
  })
  .map((entry) => ({ ...entry, count: Math.min(entry.count, MAX_U48 + 1 - entry.first) }))

const haveEntry: fc.Arbitrary<HaveEntry> = fc.oneof(
  run,
  fc.record({
    kind: fc.constant('segment'),
    segment,
    fetching: fc.boolean(),
    pieces: fc.record({ low: u32, high: u32 }),
  }),
  fc.record({ kind: fc.constant('claim'), segment, place: u32 }),
)

function have(maxEntries: number): fc.Arbitrary<Have> {
  return fc.record({
    type: fc.constant('have'),
    swarmTag: u32,
    serial: u32,
    summary: fc.boolean(),
    backlogMs: u16,
    entries: fc.array(haveEntry, { maxLength: maxEntries, size: 'max' }),
  })
}

/** Ranges from the sizes of gaps and runs, so that they ascend and stay apart. */
const chunkRanges: fc.Arbitrary<ByteSpan[]> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 28 }), fc.integer({ min: 1, max: 28 })), {
    minLength: 1,
    maxLength: MAX_REQUEST_RANGES,
  })
  .map((steps) => {
    const ranges: ByteSpan[] = []
    let at = -1
    for (const [gap, length] of steps) {
      const start = at + gap
      const end = Math.min(start + length, MAX_CHUNKS_PER_PIECE)
      if (end > start) ranges.push({ start, end })
      at = end
    }
    return ranges
  })

const request: fc.Arbitrary<Request> = fc.record({
  type: fc.constant('request'),
  swarmTag: u32,
  requestId: u32,
  segment,
  piece: fc.nat(MAX_PIECES_PER_SEGMENT - 1),
  deadlineMs: u16,
  chunks: chunkRanges,
})

const cancel: fc.Arbitrary<Cancel> = fc.record({
  type: fc.constant('cancel'),
  swarmTag: u32,
  requestIds: fc.array(u32, { minLength: 1, maxLength: MAX_CANCEL_IDS }),
})

const data: fc.Arbitrary<Data> = fc.record({
  type: fc.constant('data'),
  swarmTag: u32,
  requestId: u32,
  chunk: fc.nat(MAX_CHUNKS_PER_PIECE - 1),
  serial: u16,
  payload: fc.uint8Array({ minLength: 1, maxLength: CHUNK_BYTES }),
})

const on =
  (channel: ChannelKind) =>
  (message: PeerMessage): Carried => ({ message, channel })

/** Entries of the longest kind that a Have on the lossy channel has room for. */
const LOSSY_HAVE_ENTRIES = 54

/** Valid messages of every type, on a channel that carries them. */
export const carriedMessages = {
  hello: hello.map(on('control')),
  goodbye: goodbye.map(on('control')),
  token: token.map(on('control')),
  'manifest-request': manifestRequest.map(on('control')),
  manifest: manifestMessage.map(on('control')),
  hashes: hashes.map(on('control')),
  'have on control': have(MAX_HAVE_ENTRIES).map(on('control')),
  'have on lossy': have(LOSSY_HAVE_ENTRIES).map(on('lossy')),
  request: request.map(on('lossy')),
  cancel: cancel.map(on('lossy')),
  data: data.map(on('lossy')),
} satisfies Readonly<Record<string, fc.Arbitrary<Carried>>>

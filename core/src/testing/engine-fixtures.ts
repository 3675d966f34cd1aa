import {
  decodeMessage,
  type HaveEntry,
  type Millis,
  millis,
  type PeerId,
  type PeerMessage,
  pieceCountOf,
  pieceSizeFor,
  type SegmentId,
  type SegmentManifest,
  swarmIdFromBytes,
  type TrackId,
} from '@shoal/protocol'
import { Election } from '../engine/election.js'
import type { HttpSituation } from '../engine/http-rules.js'
import type { Effect } from '../engine/io.js'
import { Peer } from '../engine/peer.js'
import { PieceSet } from '../engine/piece-set.js'
import { RoundTrip, TransferRate } from '../engine/rates.js'
import { Segment } from '../engine/segment.js'
import type { Want } from '../engine/want.js'
import { makeWant } from '../engine/want-list.js'
import type { WantedSegment } from '../runtime/swarm-api.js'
import { seededRandom } from './random.js'
import { toyDigest } from './toy-crypto.js'

/** The swarm of the engine's unit tests. */
export const TEST_SWARM = swarmIdFromBytes(new Uint8Array(32).fill(7))

const TEST_TRACK = 1 as TrackId

/** A segment of the one track of these tests. */
export function testSegmentId(sequence = 1, part: number | null = null): SegmentId {
  return { track: TEST_TRACK, sequence, part }
}

/** A peer id that sorts as its name does. */
export function testPeerId(name: string): PeerId {
  return name.padEnd(20, '-') as PeerId
}

/** Bytes that look random and are the same for the same seed. */
export function testBytes(size: number, seed = 1): Uint8Array {
  const random = seededRandom(seed)
  return Uint8Array.from({ length: size }, () => Math.floor(random() * 256))
}

/** The manifest of `bytes`, hashed with the toy digest, unsigned. */
export function testManifest(segment: SegmentId, bytes: Uint8Array, offset = 0): SegmentManifest {
  const size = bytes.byteLength
  const pieceSize = pieceSizeFor(size)
  const hashes = Array.from({ length: pieceCountOf(size, pieceSize) }, (_, piece) =>
    toyDigest(bytes.subarray(piece * pieceSize, (piece + 1) * pieceSize)),
  )
  return { segment, offset, size, pieceSize, hashes, signature: null }
}

/** A manifest for tests that never compare a hash: large segments take long to fill and to hash. */
export function blankManifest(segment: SegmentId, size: number): SegmentManifest {
  const pieceSize = pieceSizeFor(size)
  const hashes = Array.from({ length: pieceCountOf(size, pieceSize) }, () => new Uint8Array(32))
  return { segment, offset: 0, size, pieceSize, hashes, signature: null }
}

/** A segment whose manifest is known and whose bytes are not here. */
export function emptySegment(bytes: Uint8Array, id = testSegmentId()): Segment {
  const segment = new Segment(id)
  segment.adopt(testManifest(id, bytes), 'unsigned')
  return segment
}

export function wantedOf(segment: SegmentId, changes: Partial<WantedSegment> = {}): WantedSegment {
  return { segment, range: null, deadline: millis(60_000), duration: millis(4_000), live: false, ...changes }
}

/** A want as the downloader makes it, from time 0. */
export function wantOf(segment: Segment, changes: Partial<WantedSegment> = {}): Want {
  return makeWant(1, wantedOf(segment.id, changes), segment, null, millis(0))
}

/** A peer whose Hello has come. */
export function readyPeer(
  link: number,
  { role = 'viewer', uploads = true }: { role?: 'viewer' | 'seeder'; uploads?: boolean } = {},
  now: Millis = millis(0),
): Peer {
  const peer = new Peer(link, true, now)
  peer.identity = { peerId: testPeerId(`peer-${link}`), role, uploads }
  return peer
}

/** Lets the peer have said that it holds `entries`. */
export function peerSays(peer: Peer, entries: readonly HaveEntry[], backlogMs = 0): void {
  const serial = nextSerial++
  peer.have.apply({ type: 'have', swarmTag: TEST_SWARM.tag, serial, summary: false, backlogMs, entries })
}
let nextSerial = 0

export function runEntry(first: number, count = 1, track = TEST_TRACK): HaveEntry {
  return { kind: 'run', track, first, count }
}

/** Messages to `link` (or to all) among effects, decoded as the receiver would. */
export function sentMessages(effects: readonly Effect[], link?: number): PeerMessage[] {
  return effects.flatMap((effect) =>
    effect.type === 'send' && (link === undefined || effect.link === link)
      ? [decodeMessage(effect.bytes, effect.channel)]
      : [],
  )
}

/** Effects of one type. */
export function effectsOf<T extends Effect['type']>(
  effects: readonly Effect[],
  type: T,
): Extract<Effect, { type: T }>[] {
  return effects.filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type)
}

/** Byte by byte: an assertion's deep equality takes seconds for a segment. */
export function sameBytes(a: Uint8Array | null | undefined, b: Uint8Array): boolean {
  return a?.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])
}

/** What the HTTP rules judge by: an origin that was never asked, and nobody there. */
export function situationOf(changes: Partial<HttpSituation> = {}): HttpSituation {
  return {
    now: millis(0),
    election: new Election(testPeerId('me')),
    origin: { rate: new TransferRate(), timeToFirstByte: new RoundTrip() },
    peers: [],
    hopeful: false,
    mode: 'server-friendly',
    signed: false,
    swarmSize: null,
    coming: () => new PieceSet(),
    ...changes,
  }
}

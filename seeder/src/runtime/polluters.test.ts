import {
  createSwarm,
  type OpenTrackerSocket,
  type OriginFetcher,
  type PeerLinkFactory,
  type Swarm,
} from '@shoal/core'
import { MemoryTracker, seededRandom } from '@shoal/core/testing'
import {
  DATA_HEADER_BYTES,
  MessageType,
  makePeerId,
  millis,
  type PeerId,
  pieceSizeFor,
  type SegmentId,
  swarmIdFromBytes,
  trackIdOf,
} from '@shoal/protocol'
import { afterEach, expect, test, vi } from 'vitest'
import { nodeClock } from '../host/node-clock.js'
import { createNodeLinkFactory } from '../links/index.js'
import { hashPieces } from '../signing/pieces.js'
import { ephemeralSigner } from '../signing/signer.js'
import { mediaBytes } from '../testing/test-origin.js'

const SWARM = swarmIdFromBytes(new Uint8Array(32).fill(5))
const SEGMENT_BYTES = 300_000
const SEGMENTS = 6
const HONEST = 8
const POLLUTERS = 2
/** Corrupt pieces after which a peer is banned; and what may have come of it while those were being hashed. */
const PIECES = 2
const ON_THE_WAY = 2
/** Less than what everybody wants: viewers serve each other. */
const SEEDER_BYTES_PER_SECOND = 600_000
/** A piece every 160 ms after the first few: one is judged before the next one is here. */
const POLLUTER_BYTES_PER_SECOND = 100_000
const DEADLINE_MS = 120_000

const signer = ephemeralSigner()
const links = createNodeLinkFactory({ bindAddress: '127.0.0.1' })
const swarms: Swarm[] = []

afterEach(async () => {
  for (const swarm of swarms) swarm.close()
  await links.shutdown()
})

/** What an announce may say of others. */
interface Said {
  readonly peer_id: PeerId
  readonly shoal?: { readonly accuse?: readonly PeerId[] }
}

/** Of everybody, by who said it: whom it accuses. */
const accusations = new Map<PeerId, PeerId[]>()
const tracker = new MemoryTracker(nodeClock, seededRandom(3))

const openSocket: OpenTrackerSocket = (url, events) => {
  const socket = tracker.openSocket(url, events)
  return {
    send: (text) => {
      const { peer_id, shoal } = JSON.parse(text) as Said
      const accused = [...(accusations.get(peer_id) ?? []), ...(shoal?.accuse ?? [])]
      accusations.set(peer_id, accused)
      return socket.send(text)
    },
    close: () => socket.close(),
  }
}

function join(
  name: number,
  factory: PeerLinkFactory,
  uploadBytesPerSecond: number,
  role: 'viewer' | 'seeder' = 'viewer',
): { readonly id: PeerId; readonly swarm: Swarm } {
  const random = seededRandom(name)
  const id = makePeerId('-SH0100-', random)
  const swarm = createSwarm(
    {
      swarmId: SWARM,
      peerId: id,
      role,
      trackers: ['ws://tracker.test'],
      uploads: true,
      maxLinks: 12,
      memoryBytes: 64 * 1024 * 1024,
      uploadBytesPerSecond,
      integrity: 'signed',
    },
    { clock: nodeClock, random, crypto: signer.crypto, links: factory, openSocket, pieces: null },
  )
  swarms.push(swarm)
  return { id, swarm }
}

/** Links that flip a bit in every chunk that is sent. */
const polluting: PeerLinkFactory = {
  create: (role, events) => {
    const link = links.create(role, events)
    return {
      signal: (signal) => link.signal(signal),
      send: (channel, bytes) => {
        if (bytes[0] !== MessageType.data) return link.send(channel, bytes)
        const changed = bytes.slice()
        changed[DATA_HEADER_BYTES] = (changed[DATA_HEADER_BYTES] ?? 0) ^ 1
        return link.send(channel, changed)
      },
      bufferedAmount: (channel) => link.bufferedAmount(channel),
      close: () => link.close(),
    }
  },
}

const segmentOf = (sequence: number): SegmentId => ({ track: trackIdOf('main|single'), sequence, part: null })
const contentOf = (sequence: number) => mediaBytes(SEGMENT_BYTES, sequence)

async function publish(seeder: Swarm, sequence: number): Promise<void> {
  const bytes = contentOf(sequence)
  const pieceSize = pieceSizeFor(bytes.byteLength)
  const hashes = await hashPieces(bytes, pieceSize)
  const manifest = {
    segment: segmentOf(sequence),
    offset: 0,
    size: bytes.byteLength,
    pieceSize,
    hashes,
    signature: null,
  }
  seeder.publish(signer.sign(SWARM.bytes, manifest), bytes)
}

/** Bytes of a segment; where the origin is asked it answers rightly. */
function load(swarm: Swarm, sequence: number): Promise<Uint8Array> {
  const origin: OriginFetcher = {
    fetch: (span, events) => {
      const bytes = contentOf(sequence)
      setImmediate(() => {
        events.onResponse(bytes.byteLength)
        events.onData(span?.start ?? 0, bytes.slice(span?.start, span?.end))
        events.onDone()
      })
      return () => undefined
    },
  }
  const deadline = millis(nodeClock.now() + DEADLINE_MS)
  const segment = segmentOf(sequence)
  const wanted = { segment, range: null, deadline, duration: millis(4_000), live: false }
  return new Promise((resolve, reject) => {
    swarm.fetch(wanted, origin, {
      onProgress: () => undefined,
      onDone: ({ bytes }) => resolve(bytes),
      onError: (error) => reject(new Error(error.message)),
    })
  })
}

test('one real peer in five pollutes: nobody plays a bad byte, and only polluters are banned', async () => {
  const seeder = join(1, links, SEEDER_BYTES_PER_SECOND, 'seeder')
  for (let sequence = 0; sequence < SEGMENTS; sequence++) await publish(seeder.swarm, sequence)
  const polluters = Array.from({ length: POLLUTERS }, (_, i) =>
    join(10 + i, polluting, POLLUTER_BYTES_PER_SECOND),
  )
  const connected = ({ swarm }: { readonly swarm: Swarm }) => swarm.snapshot().links.length
  await vi.waitFor(() => expect(Math.min(...polluters.map(connected))).toBeGreaterThan(0), 20_000)
  // They have everything before the others come: what is nearest to hand is theirs.
  for (const { swarm } of polluters) {
    for (let sequence = 0; sequence < SEGMENTS; sequence++) await load(swarm, sequence)
  }
  const honest = Array.from({ length: HONEST }, (_, i) => join(20 + i, links, Number.POSITIVE_INFINITY))
  await vi.waitFor(() => expect(Math.min(...honest.map(connected))).toBeGreaterThan(3), 20_000)
  for (let sequence = 0; sequence < SEGMENTS; sequence++) {
    const wanted = Buffer.from(contentOf(sequence))
    const played = await Promise.all(honest.map(({ swarm }) => load(swarm, sequence)))
    expect(played.map((bytes) => wanted.equals(bytes))).toEqual(Array(HONEST).fill(true))
  }
  const corrupt = honest.map(({ swarm }) => swarm.snapshot().corruptPieces)
  const peers = honest.reduce((sum, { swarm }) => sum + swarm.snapshot().peerBytes, 0)
  expect(peers).toBeGreaterThan(0)
  expect(Math.max(...corrupt)).toBeGreaterThanOrEqual(PIECES)
  const bad = new Set(polluters.map(({ id }) => id))
  const linked = honest.map(({ swarm }) => swarm.snapshot().links.map(({ peerId }) => peerId))
  // Leaving tells the tracker what it has not been told yet.
  for (const { swarm } of [...honest, ...polluters, seeder]) swarm.close()
  for (const [index, { id }] of honest.entries()) {
    const accused = new Set(accusations.get(id))
    for (const peer of accused) {
      expect(bad).toContain(peer)
      expect(linked[index]).not.toContain(peer)
    }
    const most = (PIECES + ON_THE_WAY) * accused.size + (PIECES - 1) * (POLLUTERS - accused.size)
    expect(corrupt[index]).toBeLessThanOrEqual(most)
    if (accused.size > 0) expect(corrupt[index]).toBeGreaterThanOrEqual(PIECES * accused.size)
  }
  const all = new Set([...accusations.values()].flat())
  expect(all).toEqual(bad)
}, 60_000)

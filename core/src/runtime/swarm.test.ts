import {
  CHUNK_BYTES,
  DATA_HEADER_BYTES,
  MessageType,
  pieceSizeFor,
  type SegmentManifest,
} from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { MemoryWorld, type Outcome, toyCrypto, type WorldPeer } from '../testing/index.js'

const SIZE = 500_000

function sourcesOf(outcome: Outcome) {
  if (outcome.type === 'error') throw new Error(outcome.error.message)
  return outcome.result.sources
}

function expectContent(world: MemoryWorld, sequence: number, outcome: Outcome): void {
  if (outcome.type === 'error') throw new Error(outcome.error.message)
  const wanted = world.origin.content(world.segment(sequence))
  expect(Buffer.compare(outcome.result.bytes, wanted)).toBe(0)
}

/** A viewer that has fetched the segments by HTTP. */
async function holder(world: MemoryWorld, sequences: number[], ...rest: Parameters<MemoryWorld['join']>) {
  const peer = world.join(...rest)
  for (const sequence of sequences) await world.settle(world.want(peer, sequence, 0))
  return peer
}

async function connected(world: MemoryWorld, peer: WorldPeer, count: number): Promise<void> {
  const done = await world.clock.runUntilAsync(() => peer.swarm.snapshot().links.length >= count, 20_000)
  expect(done).toBe(true)
}

async function manifestOf(world: MemoryWorld, sequence: number): Promise<SegmentManifest> {
  const bytes = world.origin.content(world.segment(sequence))
  const pieceSize = pieceSizeFor(bytes.length)
  const hashes: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += pieceSize) {
    hashes.push(await toyCrypto.sha256(bytes.subarray(at, at + pieceSize)))
  }
  return {
    segment: world.segment(sequence),
    offset: 0,
    size: bytes.length,
    pieceSize,
    hashes,
    signature: null,
  }
}

describe('a swarm', () => {
  it('passes a segment through from the origin when nobody else is there', async () => {
    const world = new MemoryWorld()
    const viewer = world.join()
    const outcome = await world.settle(world.want(viewer, 1, 0))
    expect(sourcesOf(outcome)).toEqual({ http: SIZE, peers: 0, seeders: 0 })
    expectContent(world, 1, outcome)
  })

  it('feeds the second viewer from the first', async () => {
    const world = new MemoryWorld()
    await holder(world, [1])
    const second = world.join()
    await connected(world, second, 1)
    const outcome = await world.settle(world.want(second, 1, 8_000))
    expect(sourcesOf(outcome)).toEqual({ http: 0, peers: SIZE, seeders: 0 })
    expectContent(world, 1, outcome)
    expect(world.origin.totalRequests).toBe(1)
  })

  it('waits a moment for a first connection when the deadline allows it, and not when it does not', async () => {
    const world = new MemoryWorld()
    await holder(world, [1, 2])
    const second = world.join()
    expect(sourcesOf(await world.settle(world.want(second, 1, 0))).http).toBe(SIZE)
    const third = world.join()
    expect(sourcesOf(await world.settle(world.want(third, 2, 6_000))).http).toBe(0)
  })

  it('serves a seeder’s published segments, from memory and through its reader', async () => {
    const world = new MemoryWorld()
    const reads: number[] = []
    const seeder = world.join(
      { role: 'seeder' },
      {},
      {
        pieces: {
          read: async (segment, start, end) => {
            reads.push(start)
            return world.origin.content(segment).slice(start, end)
          },
        },
      },
    )
    seeder.swarm.publish(await manifestOf(world, 1), world.origin.content(world.segment(1)))
    seeder.swarm.publish(await manifestOf(world, 2), null)
    const viewer = world.join()
    await connected(world, viewer, 1)
    for (const sequence of [1, 2]) {
      const outcome = await world.settle(world.want(viewer, sequence, 8_000))
      expect(sourcesOf(outcome)).toEqual({ http: 0, peers: 0, seeders: SIZE })
      expectContent(world, sequence, outcome)
    }
    expect(reads.length).toBe(Math.ceil(SIZE / pieceSizeFor(SIZE)))
  })

  it('takes one segment from several peers', async () => {
    const world = new MemoryWorld()
    const holders = [await holder(world, [1]), await holder(world, [1]), await holder(world, [1])]
    const viewer = world.join()
    await connected(world, viewer, 3)
    await world.settle(world.want(viewer, 1, 8_000))
    for (const { swarm } of holders) expect(swarm.snapshot().uploadedBytes).toBeGreaterThan(0)
  })

  it('repairs loss and reordering without the origin', async () => {
    const world = new MemoryWorld({ path: { delayMs: 20, jitterMs: 15, loss: 0.05 } })
    await holder(world, [1, 2, 3])
    const viewer = world.join()
    await connected(world, viewer, 1)
    for (const sequence of [1, 2, 3]) {
      const outcome = await world.settle(world.want(viewer, sequence, 20_000))
      expect(sourcesOf(outcome).peers).toBe(SIZE)
      expectContent(world, sequence, outcome)
    }
    const { wastedBytes } = viewer.swarm.snapshot()
    expect(wastedBytes).toBeLessThan(SIZE * 3 * 0.1)
  })

  it('turns to the origin in time when the only holder dies without a word', async () => {
    const world = new MemoryWorld({ origin: { segmentBytes: 4_000_000 } })
    const first = await holder(world, [1], {}, { uploadBytesPerSecond: 500_000 })
    const viewer = await holder(world, [7])
    await connected(world, viewer, 1)
    const startedAt = world.clock.now()
    const outcome = world.want(viewer, 1, 8_000)
    await world.clock.advanceAsync(1_500)
    first.host.kill()
    const settled = await world.settle(outcome)
    expectContent(world, 1, settled)
    const sources = sourcesOf(settled)
    expect(sources.peers).toBeGreaterThan(0)
    expect(sources.http).toBeGreaterThan(0)
    expect(settled.type === 'done' && settled.result.finishedAt - startedAt).toBeLessThan(8_000)
  })

  it('moves a dead peer’s pieces to others within two seconds', async () => {
    const world = new MemoryWorld({ origin: { segmentBytes: 4_000_000 } })
    const first = await holder(world, [1], {}, { uploadBytesPerSecond: 1_000_000 })
    await holder(world, [1], {}, { uploadBytesPerSecond: 1_000_000 })
    const viewer = world.join()
    await connected(world, viewer, 2)
    const outcome = world.want(viewer, 1, 30_000)
    await world.clock.advanceAsync(500)
    first.host.kill()
    const killedAt = world.clock.now()
    const settled = await world.settle(outcome)
    expect(sourcesOf(settled)).toEqual({ http: 0, peers: 4_000_000, seeders: 0 })
    // 3.5 MB at 1 MB/s, and what was lost with the dead peer.
    expect(settled.type === 'done' && settled.result.finishedAt - killedAt).toBeLessThan(6_500)
  })

  it('fetches by HTTP in time when peers are too slow, and keeps what they delivered', async () => {
    const world = new MemoryWorld({ origin: { segmentBytes: 2_000_000 } })
    await holder(world, [1], {}, { uploadBytesPerSecond: 100_000 })
    const viewer = await holder(world, [7])
    await connected(world, viewer, 1)
    const startedAt = world.clock.now()
    const settled = await world.settle(world.want(viewer, 1, 6_000))
    expectContent(world, 1, settled)
    const sources = sourcesOf(settled)
    expect(sources.peers).toBeGreaterThan(100_000)
    expect(sources.http + sources.peers).toBe(2_000_000)
    expect(settled.type === 'done' && settled.result.finishedAt - startedAt).toBeLessThan(6_000)
  })

  it('never delivers a byte that a peer has corrupted, and drops that peer', async () => {
    const world = new MemoryWorld()
    const corrupt = (bytes: Uint8Array): Uint8Array => {
      if (bytes[0] !== MessageType.data) return bytes
      const copy = bytes.slice()
      copy[DATA_HEADER_BYTES + 5] = (copy[DATA_HEADER_BYTES + 5] ?? 0) ^ 0xff
      return copy
    }
    await holder(world, [1, 2, 3, 4], {}, {}, { mangle: corrupt })
    await holder(world, [1, 2, 3, 4])
    const viewer = world.join()
    await connected(world, viewer, 2)
    for (const sequence of [1, 2, 3, 4]) {
      const outcome = await world.settle(world.want(viewer, sequence, 8_000))
      expectContent(world, sequence, outcome)
      expect(sourcesOf(outcome)).toEqual({ http: 0, peers: SIZE, seeders: 0 })
    }
    expect(viewer.swarm.snapshot().corruptPieces).toBeGreaterThan(0)
    expect(viewer.swarm.snapshot().links).toHaveLength(1)
  })

  it('drops a peer that sends what is not the protocol', async () => {
    const world = new MemoryWorld()
    const garbage = (bytes: Uint8Array): Uint8Array =>
      bytes[0] === MessageType.data ? new Uint8Array(40) : bytes
    await holder(world, [1], {}, {}, { mangle: garbage })
    const viewer = world.join()
    await connected(world, viewer, 1)
    const outcome = await world.settle(world.want(viewer, 1, 8_000))
    expectContent(world, 1, outcome)
    expect(sourcesOf(outcome).http).toBe(SIZE)
    expect(viewer.swarm.snapshot().links).toHaveLength(0)
  })

  it('lets one viewer lead the fetch of a live segment and passes it on', async () => {
    const world = new MemoryWorld()
    const viewers = Array.from({ length: 5 }, () => world.join())
    await world.clock.advanceAsync(25_000)
    for (const viewer of viewers) expect(viewer.swarm.snapshot().links).toHaveLength(4)
    for (let sequence = 10; sequence < 15; sequence++) {
      const outcomes = viewers.map((viewer) => world.want(viewer, sequence, 8_000, true))
      for (const outcome of outcomes) expectContent(world, sequence, await world.settle(outcome))
    }
    expect(world.origin.totalRequests).toBeLessThanOrEqual(6)
  })

  it('waits for a seeder that says it is fetching', async () => {
    const world = new MemoryWorld()
    const seeder = world.join({ role: 'seeder' })
    const viewers = [world.join(), world.join()]
    for (const viewer of viewers) await connected(world, viewer, 1)
    const outcomes = viewers.map((viewer) => world.want(viewer, 1, 8_000, true))
    await world.clock.advanceAsync(500)
    seeder.swarm.announceFetching(world.segment(1))
    await world.clock.advanceAsync(500)
    seeder.swarm.publish(await manifestOf(world, 1), world.origin.content(world.segment(1)))
    for (const outcome of outcomes) expect(sourcesOf(await world.settle(outcome)).http).toBe(0)
    expect(world.origin.totalRequests).toBe(0)
  })

  it('keeps one connection to each peer when both have offered', async () => {
    const world = new MemoryWorld()
    const viewers = Array.from({ length: 6 }, () => world.join())
    await world.clock.advanceAsync(90_000)
    for (const viewer of viewers) {
      const ids = viewer.swarm.snapshot().links.map((link) => link.peerId)
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids).toHaveLength(5)
    }
    expect(world.network.linkCount).toBe(6 * 5)
  })

  it('keeps its memory within bounds and tells others what it dropped', async () => {
    const world = new MemoryWorld()
    const small = await holder(world, [1, 2, 3, 4, 5, 6], { memoryBytes: 3 * SIZE })
    expect(small.swarm.snapshot().cachedBytes).toBeLessThanOrEqual(3 * SIZE)
    const viewer = world.join()
    await connected(world, viewer, 1)
    expect(sourcesOf(await world.settle(world.want(viewer, 6, 8_000))).peers).toBe(SIZE)
    expect(sourcesOf(await world.settle(world.want(viewer, 1, 8_000))).http).toBe(SIZE)
  })

  it('keeps its upload cap', async () => {
    const world = new MemoryWorld()
    await holder(world, [1], { uploadBytesPerSecond: 100_000 })
    const viewer = world.join()
    await connected(world, viewer, 1)
    const settled = await world.settle(world.want(viewer, 1, 7_900))
    const uploaded = sourcesOf(settled).peers
    const seconds =
      settled.type === 'done' ? (settled.result.finishedAt - settled.result.startedAt) / 1000 : 0
    expect(uploaded).toBeLessThan(100_000 * seconds + 64 * 1024 + CHUNK_BYTES)
    expect(uploaded).toBeGreaterThan(200_000)
  })

  it('does not serve with uploads off', async () => {
    const world = new MemoryWorld()
    const first = await holder(world, [1], { uploads: false })
    const viewer = world.join()
    await connected(world, viewer, 1)
    expect(sourcesOf(await world.settle(world.want(viewer, 1, 8_000))).http).toBe(SIZE)
    expect(first.swarm.snapshot().uploadedBytes).toBe(0)
  })

  it('hands the origin’s error on when nobody can help, and waits for peers when they can', async () => {
    const world = new MemoryWorld()
    await holder(world, [1], {}, { uploadBytesPerSecond: 150_000 })
    const viewer = world.join()
    await connected(world, viewer, 1)
    world.origin.failure = { kind: 'http-status', status: 503, message: 'unavailable' }
    const missing = await world.settle(world.want(viewer, 9, 8_000))
    expect(missing).toMatchObject({ type: 'error', error: { status: 503 } })
    // Too slow for its deadline, and yet the peer is all there is.
    const outcome = await world.settle(world.want(viewer, 1, 2_000))
    expectContent(world, 1, outcome)
    expect(sourcesOf(outcome).http).toBe(0)
  })

  it('goes on with its connections while the tracker is away, and finds it again', async () => {
    const world = new MemoryWorld()
    await holder(world, [1, 2])
    const viewer = world.join()
    await connected(world, viewer, 1)
    world.tracker.setUp(false)
    await world.clock.advanceAsync(30_000)
    expect(viewer.swarm.snapshot().tracker).toBe('unreachable')
    expect(sourcesOf(await world.settle(world.want(viewer, 1, 8_000))).peers).toBe(SIZE)
    world.tracker.setUp(true)
    await world.clock.advanceAsync(120_000)
    expect(viewer.swarm.snapshot().tracker).toBe('connected')
  })

  it('says why it works without peers', async () => {
    const world = new MemoryWorld()
    expect(world.join({ trackers: [] }).swarm.snapshot().degraded).toBe('no-tracker')
    const alone = world.join()
    await world.clock.advanceAsync(5_000)
    expect(alone.swarm.snapshot().degraded).toBe('no-peers')
    world.tracker.setUp(false)
    await world.clock.advanceAsync(5_000)
    expect(alone.swarm.snapshot().degraded).toBe('tracker-unreachable')
  })

  it('copes with an origin that ignores Range', async () => {
    const world = new MemoryWorld({ origin: { segmentBytes: 2_000_000 } })
    world.origin.ignoreRange = true
    await holder(world, [1], {}, { uploadBytesPerSecond: 150_000 })
    const viewer = await holder(world, [7])
    await connected(world, viewer, 1)
    const settled = await world.settle(world.want(viewer, 1, 5_000))
    expectContent(world, 1, settled)
    expect(sourcesOf(settled).http).toBeGreaterThan(0)
  })

  it('stops a cancelled download and keeps the pieces that came', async () => {
    const world = new MemoryWorld({ origin: { segmentBytes: 2_000_000 } })
    const first = await holder(world, [1], {}, { uploadBytesPerSecond: 500_000 })
    const viewer = world.join()
    await connected(world, viewer, 1)
    const fetch = viewer.swarm.fetch(
      {
        segment: world.segment(1),
        range: null,
        deadline: (world.clock.now() + 20_000) as never,
        duration: 4_000 as never,
        live: false,
      },
      world.origin.fetcher(world.segment(1)),
      {
        onProgress: () => undefined,
        onDone: () => expect.unreachable(),
        onError: () => expect.unreachable(),
      },
    )
    await world.clock.advanceAsync(2_000)
    fetch.cancel()
    await world.clock.advanceAsync(500)
    const uploaded = first.swarm.snapshot().uploadedBytes
    await world.clock.advanceAsync(5_000)
    expect(first.swarm.snapshot().uploadedBytes).toBe(uploaded)
    const sources = sourcesOf(await world.settle(world.want(viewer, 1, 20_000)))
    expect(sources.peers).toBeGreaterThan(0)
    expect(sources.peers).toBeLessThan(2_000_000)
  })

  it('leaves no timer and no connection behind', async () => {
    const world = new MemoryWorld()
    const peers = [await holder(world, [1]), await holder(world, [1, 2]), world.join()]
    await world.clock.advanceAsync(20_000)
    void world.want(peers[2] as WorldPeer, 2, 8_000)
    await world.clock.advanceAsync(50)
    for (const { swarm } of peers) swarm.close()
    await world.clock.advanceAsync(120_000)
    expect(world.network.linkCount).toBe(0)
    expect(world.clock.pendingTimers).toBe(0)
  })
})

import type { OriginFetcher, Swarm, SwarmOptions } from '@shoal/core'
import { MemoryWorld, type Outcome, seededRandom, toyCrypto } from '@shoal/core/testing'
import { makePeerId, millis, type SegmentId, swarmIdFromBytes } from '@shoal/protocol'
import { Recorder, type Recording } from './core-recording.js'

export interface StageOptions {
  readonly neighbours: number
  /** Segments in the window that is measured. */
  readonly segments: number
  readonly seed: number
}

/** Media duration of a segment, and from its publication to its playback, in milliseconds. */
const SEGMENT_MS = 4_000
const LATENCY_MS = 8_000
/** 8 Mbit/s. */
const SEGMENT_BYTES = 4_000_000
/** Segments before the window: rates and windows are measured by then. */
const WARM_UP_SEGMENTS = 1
/** Access lines in bytes per second: the simulator's, twice the bitrate up and 50 Mbit/s down. */
const DOWNLOAD_BYTES_PER_SECOND = 6_250_000
const LINE = { uploadBytesPerSecond: 2_000_000, downloadBytesPerSecond: DOWNLOAD_BYTES_PER_SECOND }
/** Five segments, as in the simulator: every member keeps a copy of its own. */
const MEMORY_BYTES = 5 * SEGMENT_BYTES
/** More than there are peers: a member that has most of its links seeks no more, and the mesh must be full. */
const MAX_LINKS = 24
/** Sequence numbers of the first segments, one for each member, far from the stream's. */
const FIRST_OF_START_UP = 1_000_000
/** Virtual time for the mesh to form at most, in milliseconds. */
const MESH_LIMIT_MS = 600_000

/**
 * A live stream at 8 Mbit/s in a full mesh on the virtual clock: all are real members, one of them is
 * recorded. Delays are 20 to 24 ms one way, so that messages overtake each other.
 */
export async function recordViewer({ neighbours, segments, seed }: StageOptions): Promise<Recording> {
  const world = new MemoryWorld({
    seed,
    path: { delayMs: 20, jitterMs: 4 },
    origin: { segmentBytes: SEGMENT_BYTES, bytesPerSecond: DOWNLOAD_BYTES_PER_SECOND },
  })
  const recorder = new Recorder()
  const viewer = joinRecorded(world, recorder, seed)
  try {
    const limits = { maxLinks: MAX_LINKS, memoryBytes: MEMORY_BYTES }
    const others = Array.from({ length: neighbours }, () => world.join(limits, LINE).swarm)
    const members = [viewer, ...others]
    await startUp(world, members)
    const full = () => members.every((swarm) => swarm.snapshot().links.length >= neighbours)
    if (!(await meshForms(world, full))) throw new Error('the mesh has not formed')
    await play(world, members, 1, WARM_UP_SEGMENTS, seed)
    recorder.startWindow()
    await play(world, members, 1 + WARM_UP_SEGMENTS, segments, seed)
  } finally {
    viewer.close()
  }
  return recorder.finish(segments * SEGMENT_MS)
}

function joinRecorded(world: MemoryWorld, recorder: Recorder, seed: number): Swarm {
  const random = seededRandom(seed * 7_919)
  const host = world.network.createHost(LINE)
  const options: SwarmOptions = {
    swarmId: swarmIdFromBytes(new Uint8Array(32).fill(7)),
    peerId: makePeerId('-SH0100-', random),
    role: 'viewer',
    trackers: ['ws://tracker.test'],
    uploads: true,
    maxLinks: MAX_LINKS,
    memoryBytes: MEMORY_BYTES,
    uploadBytesPerSecond: Number.POSITIVE_INFINITY,
    integrity: 'checked',
  }
  const { clock, tracker } = world
  return recorder.createSwarm(options, {
    clock,
    random,
    crypto: toyCrypto,
    links: host,
    openSocket: tracker.openSocket,
    pieces: null,
  })
}

/**
 * As a player's first segment, that nobody else has: by HTTP at once, which tells what the origin can do. Its
 * response tells no length, so that the load ends with its response and not with its last byte.
 */
async function startUp(world: MemoryWorld, members: readonly Swarm[]): Promise<void> {
  for (const [index, swarm] of members.entries()) {
    const segment = world.segment(FIRST_OF_START_UP + index)
    const outcome = await world.settle(
      new Promise<Outcome>((resolve) =>
        want(swarm, segment, world.clock.now(), withoutLength(world.origin.fetcher(segment)), resolve),
      ),
    )
    if (outcome.type === 'error') throw new Error(`the first segment failed: ${outcome.error.message}`)
  }
}

async function meshForms(world: MemoryWorld, full: () => boolean): Promise<boolean> {
  const limit = world.clock.now() + MESH_LIMIT_MS
  while (!full() && world.clock.now() < limit) await world.clock.advanceAsync(1_000)
  return full()
}

/** Everyone asks for each segment at a moment of its own within the 4 s in which playlists are loaded anew. */
async function play(
  world: MemoryWorld,
  members: readonly Swarm[],
  first: number,
  count: number,
  seed: number,
): Promise<void> {
  const random = seededRandom(seed + 11)
  const offsets = members.map((_, index) => (index === 0 ? SEGMENT_MS / 2 : random() * SEGMENT_MS))
  const start = world.clock.now()
  const outcomes: Promise<Outcome>[] = []
  for (let number = 0; number < count; number++) {
    const publishedAt = start + number * SEGMENT_MS
    members.forEach((swarm, index) => {
      const askedAt = publishedAt + (offsets[index] ?? 0)
      outcomes.push(
        new Promise((resolve) => {
          world.clock.setTimer(millis(askedAt - start), () => {
            const segment = world.segment(first + number)
            want(swarm, segment, publishedAt + LATENCY_MS, world.origin.fetcher(segment), resolve)
          })
        }),
      )
    })
  }
  await world.clock.advanceAsync(count * SEGMENT_MS)
  for (const outcome of outcomes) {
    const settled = await world.settle(outcome, LATENCY_MS)
    if (settled.type === 'error') throw new Error(`a segment was not loaded: ${settled.error.message}`)
  }
}

function withoutLength(origin: OriginFetcher): OriginFetcher {
  return {
    fetch: (span, events) =>
      origin.fetch(span, {
        onResponse: () => events.onResponse(null),
        onData: (offset, bytes) => events.onData(offset, bytes),
        onDone: () => events.onDone(),
        onError: (error) => events.onError(error),
      }),
  }
}

function want(
  swarm: Swarm,
  segment: SegmentId,
  deadline: number,
  origin: OriginFetcher,
  settle: (outcome: Outcome) => void,
): void {
  swarm.fetch(
    { segment, range: null, deadline: millis(deadline), duration: millis(SEGMENT_MS), live: true },
    origin,
    {
      onProgress: () => undefined,
      onDone: (result) => settle({ type: 'done', result }),
      onError: (error) => settle({ type: 'error', error }),
    },
  )
}

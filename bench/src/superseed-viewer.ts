import { createHash } from 'node:crypto'
import { createSwarm, type OriginFetcher, type PeerLinkFactory, type Swarm } from '@shoal/core'
import { makePeerId, millis, swarmIdOf, trackIdOf } from '@shoal/protocol'
import { cryptoRandom, nodeClock } from '../../seeder/dist/host/node-clock.js'
import { openWsSocket } from '../../seeder/dist/host/ws-socket.js'
import {
  CONTENT_ID,
  type LiveReading,
  PLAYED_AFTER_MS,
  publishedAt,
  SEGMENT_BYTES,
  SEGMENT_MS,
} from './superseed-messages.js'

/** Between two loads of the playlist, as hls.js does where nothing new has come. */
const RELOAD_MS = SEGMENT_MS / 2
const MEMORY_BYTES = 32 * 1024 * 1024
/** As the player's default. */
const MAX_LINKS = 16

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

/** A real member of the swarm that watches a live stream: it loads each segment as the playlist lists it. */
export class LiveViewer {
  private readonly wanted = new Set<number>()
  private readonly publishedAt = new Map<number, number>()
  private readonly hereAt = new Map<number, number>()
  private counted = { from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY }
  private before: ReturnType<Swarm['snapshot']>

  private constructor(
    private readonly swarm: Swarm,
    private readonly playlist: string,
  ) {
    this.before = swarm.snapshot()
    // Viewers come at any moment of the cycle.
    setTimeout(() => setInterval(() => void this.reload(), RELOAD_MS), Math.random() * RELOAD_MS)
  }

  static async join(
    links: PeerLinkFactory,
    tracker: string,
    playlist: string,
    uploadBytesPerSecond: number,
  ): Promise<LiveViewer> {
    const random = cryptoRandom()
    const swarm = createSwarm(
      {
        swarmId: await swarmIdOf(CONTENT_ID, sha256),
        peerId: makePeerId('-SH0100-', random),
        role: 'viewer',
        trackers: [tracker],
        uploads: true,
        maxLinks: MAX_LINKS,
        memoryBytes: MEMORY_BYTES,
        uploadBytesPerSecond,
        integrity: 'signed',
      },
      {
        clock: nodeClock,
        random,
        // What is measured is who sends what: the seeder's signature is taken for good.
        crypto: { sha256, verifyManifest: async () => 'trusted' },
        links,
        openSocket: openWsSocket,
        pieces: null,
      },
    )
    return new LiveViewer(swarm, playlist)
  }

  get connected(): boolean {
    return this.swarm.snapshot().links.length > 0
  }

  count(from: number, to: number): void {
    this.counted = { from, to }
    this.before = this.swarm.snapshot()
  }

  read(): LiveReading {
    const delays: number[] = []
    let missed = 0
    for (let sequence = this.counted.from; sequence < this.counted.to; sequence++) {
      const here = this.hereAt.get(sequence)
      const delay = (here ?? Number.NaN) - (this.publishedAt.get(sequence) ?? Number.NaN)
      if (!Number.isNaN(delay)) delays.push(delay)
      if (!(delay <= PLAYED_AFTER_MS)) missed++
    }
    const now = this.swarm.snapshot()
    return {
      delays,
      missed,
      httpBytes: now.httpBytes - this.before.httpBytes,
      peerBytes: now.peerBytes - this.before.peerBytes,
      seederBytes: now.seederBytes - this.before.seederBytes,
      wastedBytes: now.wastedBytes - this.before.wastedBytes,
      links: now.links.length,
      seeders: now.links.filter(({ role }) => role === 'seeder').length,
    }
  }

  private async reload(): Promise<void> {
    let text: string
    try {
      text = await (await fetch(this.playlist)).text()
    } catch {
      // The next reload comes soon; what is late is counted.
      return
    }
    const { last, at } = publishedAt(text)
    // Whoever joins begins three segments behind the end, as a player does.
    const first = this.wanted.size === 0 ? last - 2 : Math.max(...this.wanted) + 1
    for (let sequence = first; sequence <= last; sequence++) {
      this.wanted.add(sequence)
      this.want(sequence, at - (last - sequence) * SEGMENT_MS)
    }
  }

  private want(sequence: number, published: number): void {
    this.publishedAt.set(sequence, published)
    const playsIn = published + PLAYED_AFTER_MS - Date.now()
    const segment = { track: trackIdOf('main|single'), sequence, part: null }
    this.swarm.fetch(
      {
        segment,
        range: null,
        deadline: millis(nodeClock.now() + playsIn),
        duration: millis(SEGMENT_MS),
        live: true,
      },
      this.origin(sequence),
      {
        onProgress: () => undefined,
        onDone: () => {
          this.hereAt.set(sequence, Date.now())
        },
        // It stays missing.
        onError: () => undefined,
      },
    )
  }

  /** By HTTP: rarely used, and counted by the swarm. */
  private origin(sequence: number): OriginFetcher {
    return {
      fetch: (span, events) => {
        const end = new AbortController()
        const range = span === null ? null : { range: `bytes=${span.start}-${span.end - 1}` }
        fetch(new URL(`s${sequence}.ts`, this.playlist), {
          signal: end.signal,
          ...(range && { headers: range }),
        })
          .then(async (response) => {
            if (!response.ok) throw new Error(`status ${response.status}`)
            events.onResponse(SEGMENT_BYTES)
            events.onData(span?.start ?? 0, new Uint8Array(await response.arrayBuffer()))
            events.onDone()
          })
          .catch((error: unknown) => {
            if (!end.signal.aborted) events.onError({ kind: 'network', status: 0, message: String(error) })
          })
        return () => end.abort()
      },
    }
  }
}

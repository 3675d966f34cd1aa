import { createHash } from 'node:crypto'
import { createSwarm, type PeerLinkFactory, type Swarm } from '@shoal/core'
import { makePeerId, millis, swarmIdOf, trackIdOf } from '@shoal/protocol'
import { cryptoRandom, nodeClock } from '../../seeder/dist/host/node-clock.js'
import { CONTENT_ID, type DirectAddress, type Play } from './seeder-messages.js'

/** No HTTP before this: the seeder is all there is. */
const DEADLINE_MS = 600_000
const MEMORY_BYTES = 64 * 1024 * 1024

/** At once: WebCrypto's way to its threads and back would cost the viewers, who share the machine, more. */
async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

/** A real member of the swarm that has the seeder for its only neighbour, and loads one segment after another. */
export class Viewer {
  /** Loads that turned to HTTP, which there is none of. */
  asked = 0
  private completed = 0
  private missed = 0
  private next = 0
  private began = 0

  private constructor(
    private readonly swarm: Swarm,
    private readonly play: Play,
    private readonly startsAfterMs: number,
  ) {}

  /** @param startsAfterMs from `go` to its start, where it plays in real time */
  static async join(
    links: PeerLinkFactory,
    direct: DirectAddress,
    play: Play,
    startsAfterMs: number,
  ): Promise<Viewer> {
    const swarm = createSwarm(
      {
        swarmId: await swarmIdOf(CONTENT_ID, sha256),
        peerId: makePeerId('-SH0100-', cryptoRandom()),
        role: 'viewer',
        trackers: [],
        seeders: [direct],
        uploads: false,
        maxLinks: 1,
        memoryBytes: MEMORY_BYTES,
        uploadBytesPerSecond: Number.POSITIVE_INFINITY,
        integrity: 'signed',
      },
      {
        clock: nodeClock,
        random: cryptoRandom(),
        // What is measured is the seeder: viewers trust it without looking.
        crypto: { sha256, verifyManifest: async () => 'trusted' },
        links,
        openSocket: () => ({ send: () => false, close: () => undefined }),
        pieces: null,
      },
    )
    return new Viewer(swarm, play, startsAfterMs)
  }

  get connected(): boolean {
    return this.swarm.snapshot().links.length > 0
  }

  get bytes(): number {
    const { peerBytes, seederBytes } = this.swarm.snapshot()
    return peerBytes + seederBytes
  }

  get wasted(): number {
    return this.swarm.snapshot().wastedBytes
  }

  /** Segments that were not there a duration after those before them, from the start. */
  get missedDeadlines(): number {
    const due = Math.max(0, Math.floor((nodeClock.now() - this.began) / this.play.segmentMs))
    return this.missed + Math.max(0, due - this.completed)
  }

  go(): void {
    const { atOnce, segmentMs } = this.play
    this.began = nodeClock.now()
    for (let i = 0; i < (atOnce ?? 0); i++) this.load()
    if (atOnce !== null) return
    this.began = nodeClock.now() + this.startsAfterMs
    const next = () => {
      this.load()
      nodeClock.setTimer(millis(this.began + this.next * segmentMs - nodeClock.now()), next)
    }
    nodeClock.setTimer(millis(this.startsAfterMs), next)
  }

  private load(): void {
    const { segments, segmentMs, segmentBytes, atOnce } = this.play
    const number = this.next++
    const segment = { track: trackIdOf('main|single'), sequence: number % segments, part: null }
    const due = this.began + (number + 1) * segmentMs
    const origin = {
      fetch: () => {
        this.asked++
        return () => undefined
      },
    }
    const deadline = millis(nodeClock.now() + DEADLINE_MS)
    // Of a range nothing is fetched ahead: in real time a viewer takes the stream and no more.
    const range = atOnce === null ? { start: 0, end: segmentBytes } : null
    const wanted = { segment, range, deadline, duration: millis(segmentMs), live: false }
    this.swarm.fetch(wanted, origin, {
      onProgress: () => undefined,
      onDone: () => {
        this.completed++
        if (nodeClock.now() > due) this.missed++
        this.swarm.drop(segment)
        if (atOnce !== null) this.load()
      },
      onError: () => {
        this.asked++
      },
    })
  }
}

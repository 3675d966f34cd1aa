import { webcrypto } from 'node:crypto'
import { createSwarm, type OpenTrackerSocket, type PeerLinkFactory, type Swarm } from '@shoal/core'
import { makePeerId, millis, type PeerId, swarmIdOf, trackIdOf } from '@shoal/protocol'
import { cryptoRandom, nodeClock } from '../../seeder/dist/host/node-clock.js'
import { directAnswer, directPeerId } from '../../seeder/dist/links/index.js'
import { AT_ONCE, CONTENT_ID, type DirectAddress, SEGMENT_MS } from './seeder-messages.js'

/** No HTTP before this: the seeder is all there is. */
const DEADLINE_MS = 600_000
/** A link's largest message, in bytes, as both ends of ours say it. */
const MAX_MESSAGE_BYTES = 65_536
/** An offer that is made so long after the last one, in milliseconds, is a second attempt. */
const REDIAL_MS = 5_000
const MEMORY_BYTES = 64 * 1024 * 1024

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
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
    private readonly segments: number,
  ) {}

  static async join(links: PeerLinkFactory, direct: DirectAddress, segments: number): Promise<Viewer> {
    const peerId = makePeerId('-SH0100-', cryptoRandom())
    const swarm = createSwarm(
      {
        swarmId: await swarmIdOf(CONTENT_ID, sha256),
        peerId,
        role: 'viewer',
        trackers: ['ws://direct.test'],
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
        openSocket: dialSocket(direct, peerId),
        pieces: null,
      },
    )
    return new Viewer(swarm, segments)
  }

  get connected(): boolean {
    return this.swarm.snapshot().links.length > 0
  }

  get bytes(): number {
    const { peerBytes, seederBytes } = this.swarm.snapshot()
    return peerBytes + seederBytes
  }

  /** Segments that came later than a player that began with the first one a segment ago would want them. */
  get missedDeadlines(): number {
    const due = Math.floor((nodeClock.now() - this.began) / SEGMENT_MS)
    return this.missed + Math.max(0, due - this.completed)
  }

  go(): void {
    this.began = nodeClock.now()
    for (let i = 0; i < AT_ONCE; i++) this.load()
  }

  private load(): void {
    const number = this.next++
    const segment = { track: trackIdOf('main|single'), sequence: number % this.segments, part: null }
    const origin = {
      fetch: () => {
        this.asked++
        return () => undefined
      },
    }
    const deadline = millis(nodeClock.now() + DEADLINE_MS)
    const wanted = { segment, range: null, deadline, duration: millis(SEGMENT_MS), live: false }
    this.swarm.fetch(wanted, origin, {
      onProgress: () => undefined,
      onDone: () => {
        this.completed++
        if (nodeClock.now() > this.began + (number + 1) * SEGMENT_MS) this.missed++
        this.swarm.drop(segment)
        this.load()
      },
      onError: () => {
        this.asked++
      },
    })
  }
}

/** A tracker's socket that brings the seeder's answer to an offer now and then, and nothing else. */
function dialSocket(direct: DirectAddress, peerId: PeerId): OpenTrackerSocket {
  return (_url, events) => {
    queueMicrotask(events.onOpen)
    let nextAt = Number.NEGATIVE_INFINITY
    return {
      send: (text) => {
        const message = JSON.parse(text) as Announce
        const [offer] = message.offers ?? []
        if (offer === undefined || performance.now() < nextAt) return true
        nextAt = performance.now() + REDIAL_MS
        const answer = {
          action: 'announce',
          info_hash: message.info_hash,
          peer_id: directPeerId(direct.fingerprint),
          offer_id: offer.offer_id,
          answer: { type: 'answer', sdp: directAnswer(offer.offer.sdp, peerId, direct, MAX_MESSAGE_BYTES) },
        }
        queueMicrotask(() => events.onMessage(JSON.stringify(answer)))
        return true
      },
      close: () => queueMicrotask(() => events.onClose('closed')),
    }
  }
}

interface Announce {
  readonly info_hash: string
  readonly offers?: readonly { readonly offer_id: string; readonly offer: { readonly sdp: string } }[]
}

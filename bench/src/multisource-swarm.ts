import { webcrypto } from 'node:crypto'
import {
  type CryptoPort,
  createSwarm,
  type OriginFetcher,
  type PeerLinkFactory,
  type SegmentResult,
  type Swarm,
} from '@shoal/core'
import { seededRandom } from '@shoal/core/testing'
import {
  makePeerId,
  millis,
  type PeerId,
  pieceSizeFor,
  type SegmentId,
  type SegmentManifest,
  swarmIdFromBytes,
  trackIdOf,
} from '@shoal/protocol'
import { nodeClock } from '../../seeder/dist/host/node-clock.js'
import { Introducer } from './multisource-introducer.js'

/** What one fetch brought. */
export interface Fetched {
  readonly ms: number
  /** Payload that came twice, or too late to be of use. */
  readonly repeatedBytes: number
  /** Peers that delivered something. */
  readonly sources: number
  /** Mean of the links' smoothed round trips, over those that delivered, in milliseconds. */
  readonly rttMs: number | null
}

/** Time for all connections to open, in milliseconds. */
const OPEN_LIMIT_MS = 60_000
/** From publishing to the receiver's hearing of it: a batch of Haves and the way, many times over. */
const TOLD_MS = 400
/** No HTTP before this: peers are all there is. */
const DEADLINE_MS = 600_000
const FETCH_LIMIT_MS = 60_000
const MEMORY_BYTES = 64 * 1024 * 1024

const crypto: CryptoPort = {
  sha256,
  verifyManifest: async () => 'unsigned',
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
}

/** HTTP was turned to: no peer was known to have the segment, or none delivered. */
export class OriginAsked extends Error {
  constructor() {
    super('the origin was asked')
  }
}

/** A receiver and those that it is connected to, all real members of one swarm. */
export class FanSwarm {
  readonly #receiver: Swarm
  readonly #holders = new Map<PeerId, Swarm>()
  readonly #content: Uint8Array
  #hashes: Uint8Array[] = []
  #sequence = 0

  private constructor(links: PeerLinkFactory, holders: number, segmentBytes: number, seed: number) {
    const random = seededRandom(seed)
    this.#content = Uint8Array.from({ length: segmentBytes }, () => random() * 256)
    const ids = Array.from({ length: holders + 1 }, () => makePeerId('-SH0100-', random))
    const [hub, ...others] = ids as [PeerId, ...PeerId[]]
    const { openSocket } = new Introducer(hub)
    const join = (peerId: PeerId, maxLinks: number): Swarm =>
      createSwarm(
        {
          swarmId: swarmIdFromBytes(new Uint8Array(32).fill(9)),
          peerId,
          role: 'viewer',
          trackers: ['ws://introducer.test'],
          uploads: true,
          maxLinks,
          memoryBytes: MEMORY_BYTES,
          uploadBytesPerSecond: Number.POSITIVE_INFINITY,
          integrity: 'off',
        },
        { clock: nodeClock, random, crypto, links, openSocket, pieces: null },
      )
    this.#receiver = join(hub, holders)
    for (const id of others) this.#holders.set(id, join(id, 1))
  }

  /** @throws Error where they do not all connect */
  static async connect(
    links: PeerLinkFactory,
    holders: number,
    segmentBytes: number,
    seed: number,
  ): Promise<FanSwarm> {
    const swarm = new FanSwarm(links, holders, segmentBytes, seed)
    swarm.#hashes = await hashesOf(swarm.#content)
    const limit = performance.now() + OPEN_LIMIT_MS
    while (swarm.connected.length < holders && performance.now() < limit) await later(100)
    const reached = swarm.connected.length
    if (reached < holders) {
      swarm.close()
      throw new Error(`${reached} of ${holders} peers connected`)
    }
    return swarm
  }

  /** Those that the receiver is connected to. */
  get connected(): PeerId[] {
    return this.#receiver.snapshot().links.map((link) => link.peerId)
  }

  /** Gives a new segment to those holders; resolves when the receiver has heard of it. */
  async publish(holders: readonly PeerId[]): Promise<SegmentId> {
    const segment = { track: trackIdOf('main|single'), sequence: this.#sequence++, part: null }
    const size = this.#content.byteLength
    const manifest: SegmentManifest = {
      segment,
      offset: 0,
      size,
      pieceSize: pieceSizeFor(size),
      hashes: this.#hashes,
      signature: null,
    }
    for (const holder of holders) this.#holders.get(holder)?.publish(manifest, this.#content)
    await later(TOLD_MS)
    return segment
  }

  /**
   * The receiver loads the segment; the origin never answers.
   *
   * @throws OriginAsked where the receiver turned to it
   */
  async fetch(segment: SegmentId): Promise<Fetched> {
    const before = this.#receiver.snapshot()
    const result = await this.#load(segment)
    if (Buffer.compare(result.bytes, this.#content) !== 0) throw new Error('other bytes came')
    const after = this.#receiver.snapshot()
    const receivedBefore = new Map(before.links.map((link) => [link.peerId, link.receivedBytes]))
    const sources = after.links.filter(
      (link) => link.receivedBytes - (receivedBefore.get(link.peerId) ?? 0) > 0,
    )
    const rtts = sources.flatMap(({ rtt }) => (rtt === null ? [] : [rtt]))
    return {
      ms: result.finishedAt - result.startedAt,
      repeatedBytes: after.wastedBytes - before.wastedBytes,
      sources: sources.length,
      rttMs: rtts.length === 0 ? null : rtts.reduce((sum, rtt) => sum + rtt, 0) / rtts.length,
    }
  }

  /** Everybody forgets the segment. */
  drop(segment: SegmentId): void {
    for (const swarm of [this.#receiver, ...this.#holders.values()]) swarm.drop(segment)
  }

  close(): void {
    for (const swarm of [this.#receiver, ...this.#holders.values()]) swarm.close()
  }

  #load(segment: SegmentId): Promise<SegmentResult> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`no segment in ${FETCH_LIMIT_MS} ms`)), FETCH_LIMIT_MS)
      let cancel: () => void = () => undefined
      const settle = (run: () => void) => {
        clearTimeout(limit)
        setImmediate(() => cancel())
        run()
      }
      const origin: OriginFetcher = {
        fetch: () => {
          settle(() => reject(new OriginAsked()))
          return () => undefined
        },
      }
      const deadline = millis(nodeClock.now() + DEADLINE_MS)
      const wanted = { segment, range: null, deadline, duration: millis(4_000), live: false }
      const fetch = this.#receiver.fetch(wanted, origin, {
        onProgress: () => undefined,
        onDone: (result) => settle(() => resolve(result)),
        onError: (error) => settle(() => reject(new Error(error.message))),
      })
      cancel = () => fetch.cancel()
    })
  }
}

async function hashesOf(content: Uint8Array): Promise<Uint8Array[]> {
  const pieceSize = pieceSizeFor(content.byteLength)
  const hashes: Uint8Array[] = []
  for (let at = 0; at < content.byteLength; at += pieceSize) {
    hashes.push(await sha256(content.subarray(at, at + pieceSize)))
  }
  return hashes
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

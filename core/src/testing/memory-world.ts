import { makePeerId, millis, type SegmentId, swarmIdFromBytes, trackIdOf } from '@shoal/protocol'
import type { PeerLink } from '../ports/link.js'
import type { OriginError } from '../ports/origin.js'
import type { PieceReader } from '../ports/pieces.js'
import { createSwarm } from '../runtime/create-swarm.js'
import type { SegmentResult, Swarm, SwarmOptions, SwarmPorts } from '../runtime/swarm-api.js'
import { MemoryDials } from './memory-dials.js'
import { MemoryOrigin, type MemoryOriginOptions } from './memory-origin.js'
import { MemoryTracker, type MemoryTrackerOptions } from './memory-tracker.js'
import type { HostOptions, PathConditions } from './network/conditions.js'
import type { MemoryHost } from './network/memory-host.js'
import { MemoryNetwork } from './network/memory-network.js'
import { seededRandom } from './random.js'
import { toyCrypto } from './toy-crypto.js'
import { VirtualClock } from './virtual-clock.js'

/** A member of the world: its swarm, its machine. */
export interface WorldPeer {
  readonly swarm: Swarm
  readonly host: MemoryHost
}

/** How a wanted segment ended. */
export type Outcome =
  | { readonly type: 'done'; readonly result: SegmentResult }
  | { readonly type: 'error'; readonly error: OriginError }

export interface WorldOptions {
  readonly seed?: number
  readonly path?: Partial<PathConditions>
  readonly origin?: Partial<Omit<MemoryOriginOptions, 'clock'>>
  readonly tracker?: MemoryTrackerOptions
}

/** A tracker, an origin and any number of peers on one virtual clock. */
export class MemoryWorld {
  readonly clock = new VirtualClock(1_000)
  readonly network: MemoryNetwork
  readonly tracker: MemoryTracker
  readonly origin: MemoryOrigin
  readonly dials: MemoryDials
  private readonly seed: number
  private peers = 0
  /** Connections made for offers and answers, by all peers. */
  linksMade = 0

  constructor({ seed = 1, path = { delayMs: 20 }, origin = {}, tracker = {} }: WorldOptions = {}) {
    this.seed = seed
    this.network = new MemoryNetwork({ clock: this.clock, random: seededRandom(seed), path })
    this.dials = new MemoryDials(this.clock)
    this.tracker = new MemoryTracker(this.clock, seededRandom(seed + 1), tracker)
    this.origin = new MemoryOrigin({ clock: this.clock, segmentBytes: 500_000, ...origin })
  }

  /** A new member. `mangle` changes what it sends on its lossy channels, `wrap` each of its links. */
  join(
    options: Partial<SwarmOptions> = {},
    hostOptions: HostOptions = {},
    extra: {
      readonly mangle?: (bytes: Uint8Array) => Uint8Array
      readonly wrap?: (link: PeerLink) => PeerLink
      readonly pieces?: PieceReader
      readonly ports?: Partial<Pick<SwarmPorts, 'door' | 'dialMemory' | 'quiet' | 'openSocket'>>
    } = {},
  ): WorldPeer {
    const host = this.network.createHost(hostOptions)
    const random = seededRandom(this.seed * 1_000 + ++this.peers)
    const wrap = (link: PeerLink): PeerLink => {
      this.linksMade++
      return extra.wrap?.(link) ?? link
    }
    const swarm = createSwarm(
      {
        swarmId: swarmIdFromBytes(new Uint8Array(32).fill(7)),
        peerId: makePeerId('-SH0100-', random),
        role: 'viewer',
        trackers: ['ws://tracker.test'],
        uploads: true,
        maxLinks: 14,
        memoryBytes: 256 * 1024 * 1024,
        uploadBytesPerSecond: Number.POSITIVE_INFINITY,
        integrity: 'off',
        ...options,
      },
      {
        clock: this.clock,
        random,
        crypto: toyCrypto,
        links: {
          create: (role, events) => wrap(mangled(host.createLink(role, events), extra.mangle)),
          dial: (address, self, events) => this.dials.dial(host, address, self, events),
        },
        openSocket: this.tracker.openSocket,
        pieces: extra.pieces ?? null,
        ...extra.ports,
      },
    )
    if (options.dial !== undefined) this.dials.listen(options.dial, { swarm, host })
    return { swarm, host }
  }

  /** A segment of the one track of this world. */
  segment(sequence: number): SegmentId {
    return { track: trackIdOf('main|single'), sequence, part: null }
  }

  /** Lets `peer` want a segment with a deadline `timeLeftMs` from now; the outcome comes with time. */
  want(peer: WorldPeer, sequence: number, timeLeftMs: number, live = false): Promise<Outcome> {
    const id = this.segment(sequence)
    return new Promise((resolve) => {
      peer.swarm.fetch(
        {
          segment: id,
          range: null,
          deadline: millis(this.clock.now() + timeLeftMs),
          duration: millis(4_000),
          live,
        },
        this.origin.fetcher(id),
        {
          onProgress: () => undefined,
          onDone: (result) => resolve({ type: 'done', result }),
          onError: (error) => resolve({ type: 'error', error }),
        },
      )
    })
  }

  /** Waits on the virtual clock for an outcome. Throws where it does not come in `limitMs`. */
  async settle(outcome: Promise<Outcome>, limitMs = 60_000): Promise<Outcome> {
    let settled: Outcome | null = null
    outcome.then((value) => {
      settled = value
    })
    await this.clock.runUntilAsync(() => settled !== null, limitMs)
    if (settled === null) throw new Error(`no outcome within ${limitMs} ms`)
    return settled
  }
}

function mangled(link: PeerLink, mangle: ((bytes: Uint8Array) => Uint8Array) | undefined): PeerLink {
  if (mangle === undefined) return link
  return {
    signal: (signal) => link.signal(signal),
    send: (channel, bytes) => link.send(channel, channel === 'lossy' ? mangle(bytes) : bytes),
    bufferedAmount: (channel) => link.bufferedAmount(channel),
    close: () => link.close(),
  }
}

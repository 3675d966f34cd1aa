import { makePeerId, type PeerId } from '@shoal/protocol'
import { createSwarm } from '../../runtime/create-swarm.js'
import type { Swarm, SwarmSnapshot } from '../../runtime/swarm-api.js'
import type { MemoryHost } from '../network/memory-host.js'
import { seededRandom } from '../random.js'
import { sampledCrypto, unitOf } from './content.js'
import type { EdgeClient } from './edge.js'
import { alteration } from './hostile-links.js'
import { PartPlayer } from './part-player.js'
import { type LoadSegment, SimPlayer } from './player.js'
import type { Person } from './population.js'
import { partsPerSegmentOf } from './sim-options.js'
import type { SimWorld } from './sim-world.js'
import { SkewedClock } from './skewed-clock.js'
import { meteredLinks } from './traffic.js'
import { swarmLoads, twinLoads } from './viewer-loads.js'

/** Parts that the plugin loads at once: as many as lie between the live edge and a playhead 3 s behind. */
const PARTS_AHEAD = 6

/** One viewer of the run, and its twin that only has HTTP. */
export class SimViewer {
  readonly person: Person
  readonly peerId: PeerId
  readonly player: SimPlayer | PartPlayer
  readonly twin: SimPlayer | PartPlayer
  readonly host: MemoryHost
  private readonly world: SimWorld
  private readonly swarm: Swarm
  private readonly joinedAt: number
  private last: SwarmSnapshot | null = null
  /** From joining to the first byte of a peer, in milliseconds. */
  firstPeerByteMs: number | null = null

  constructor(world: SimWorld, person: Person) {
    const { options, clock, network, topology, traffic, tracker, swarmId } = world
    const { downloadBytesPerSecond } = options
    this.world = world
    this.person = person
    this.joinedAt = clock.now()
    const random = seededRandom(options.seed * 1_000_003 + person.index * 7 + 5)
    this.peerId = makePeerId('-SH0100-', random)
    const { uploadBytesPerSecond, uploads, hostile, clockOffsetMs, clockRate } = person
    const parts = partsPerSegmentOf(options)
    const own = new SkewedClock(clock, clockOffsetMs, clockRate)
    this.host = network.createHost({ uploadBytesPerSecond, downloadBytesPerSecond })
    topology.place(this.host, person)
    this.swarm = createSwarm(
      {
        swarmId,
        peerId: this.peerId,
        role: 'viewer',
        trackers: ['ws://tracker.test'],
        uploads,
        maxLinks: options.maxLinks,
        memoryBytes: ((options.bitsPerSecond * options.segmentSeconds) / 8) * options.cachedSegments,
        uploadBytesPerSecond: Number.POSITIVE_INFINITY,
        integrity: options.integrity,
      },
      {
        clock: own,
        random,
        crypto: sampledCrypto(world.settling),
        links: meteredLinks(this.host, {
          traffic,
          alter: alteration(hostile, (id) => world.content.of(unitOf(id, parts))),
          onBan: (banned) => {
            const who = banned === null ? null : topology.personAt(banned)
            if (hostile === null && who !== null) world.bans.add(person, who)
          },
          onData: (payload, from) => {
            this.firstPeerByteMs ??= clock.now() - this.joinedAt
            const sender = from === null ? null : topology.personAt(from)
            if (sender !== null) world.ispTraffic.add(person, sender, payload)
          },
        }),
        openSocket: tracker.openSocket,
        pieces: null,
        playhead: () => this.player.playhead,
      },
    )
    const client: EdgeClient = { viewer: person.index, downloadBytesPerSecond }
    const player = (load: LoadSegment, partsAhead: number) =>
      options.workload === 'low-latency'
        ? new PartPlayer(clock, options, load, partsAhead)
        : new SimPlayer(clock, options, load)
    this.player = player(
      swarmLoads(world, { client, honest: hostile === null }, this.swarm, own),
      PARTS_AHEAD,
    )
    this.twin = player(twinLoads(world, client), 1)
  }

  get present(): boolean {
    return this.last === null
  }

  snapshot(): SwarmSnapshot {
    return this.last ?? this.swarm.snapshot()
  }

  /** The tab is closed. */
  leave(): void {
    if (!this.present) return
    this.end()
    this.swarm.close()
  }

  /** The machine is gone: nobody is told. */
  die(): void {
    if (!this.present) return
    this.host.kill()
    this.end()
  }

  private end(): void {
    this.last = this.swarm.snapshot()
    this.player.stop()
    this.twin.stop()
    this.world.topology.remove(this.host)
    this.world.settling.mark()
  }
}

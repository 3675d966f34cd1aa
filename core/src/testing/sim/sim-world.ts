import { CHUNK_BYTES, type SwarmId, swarmIdFromBytes } from '@shoal/protocol'
import { MemoryTracker, type TrackerMatching } from '../memory-tracker.js'
import { PACKET_BYTES } from '../network/congestion.js'
import { MemoryNetwork } from '../network/memory-network.js'
import { seededRandom } from '../random.js'
import { VirtualClock } from '../virtual-clock.js'
import { Bans } from './bans.js'
import { SharedContent, unitOf } from './content.js'
import { HttpEdge } from './edge.js'
import { IspTally } from './isps.js'
import { Ledger, type LoadTrace } from './ledger.js'
import { shareContent } from './sampled-memory.js'
import { Settling } from './settling.js'
import { partsPerSegmentOf, type SimOptions, unitBytesOf, unitSecondsOf } from './sim-options.js'
import { Topology } from './topology.js'
import { Traffic } from './traffic.js'

/** The clock when a run begins, in milliseconds: a live stream has been on for a while. */
export const START_MS = 1_000_000

/** Responses to the swarm arrive in blocks of this many bytes: a piece, so that relay can begin. */
const BLOCK_BYTES = 32 * 1024
/** A twin hears of whole segments only; where the edge's capacity is shared, more often. */
const SHARED_TWIN_BLOCK_BYTES = 256 * 1024

/** What all viewers of a run have in common. */
export class SimWorld {
  readonly options: SimOptions
  readonly clock = new VirtualClock(START_MS)
  readonly settling = new Settling()
  readonly topology: Topology
  readonly network: MemoryNetwork
  readonly tracker: MemoryTracker
  readonly content: SharedContent
  /** For the swarm, and for the viewers' twins that only have HTTP. */
  readonly edge: HttpEdge
  readonly twinEdge: HttpEdge
  readonly traffic = new Traffic()
  readonly ispTraffic = new IspTally()
  readonly ledger: Ledger
  readonly bans = new Bans()
  readonly swarmId: SwarmId = swarmIdFromBytes(new Uint8Array(32).fill(7))

  constructor(options: SimOptions, onLoad?: (trace: LoadTrace) => void, matching?: TrackerMatching) {
    const { seed } = options
    const { clock } = this
    this.options = options
    this.ledger = new Ledger(onLoad)
    this.topology = new Topology(options)
    const { pathBetween, openingMs } = this.topology
    const random = seededRandom(seed)
    const fluid = CHUNK_BYTES > PACKET_BYTES
    this.network = new MemoryNetwork({ clock, random, pathBetween, openingMs, light: true, fluid })
    this.tracker = new MemoryTracker(clock, seededRandom(seed + 1), { matching: matching ?? null })
    this.content = new SharedContent(unitBytesOf(options))
    const parts = partsPerSegmentOf(options)
    shareContent((id) => this.content.of(unitOf(id, parts)))
    const content = (sequence: number): Uint8Array => this.content.of(sequence)
    const beforeEvent = (): void => this.settling.mark()
    const shared = options.edge.totalBytesPerSecond < Number.POSITIVE_INFINITY
    const twinBlock = shared ? SHARED_TWIN_BLOCK_BYTES : Number.POSITIVE_INFINITY
    this.edge = new HttpEdge(options.edge, BLOCK_BYTES, { clock, seed, content, beforeEvent })
    const quiet = (): void => undefined
    this.twinEdge = new HttpEdge(options.edge, twinBlock, { clock, seed, content, beforeEvent: quiet })
  }

  /** Segments of a live stream begin on the media timeline when they are published. */
  publishedAt(sequence: number): number {
    return sequence * unitSecondsOf(this.options) * 1000
  }
}

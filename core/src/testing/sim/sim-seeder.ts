import { makePeerId, millis, pieceCountOf, pieceSizeFor, type SegmentManifest } from '@shoal/protocol'
import { createSwarm } from '../../runtime/create-swarm.js'
import type { Swarm } from '../../runtime/swarm-api.js'
import { seededRandom } from '../random.js'
import { sampledCrypto, sampledDigest, sampledSigned, segmentOf } from './content.js'
import { partsPerSegmentOf, unitSecondsOf } from './sim-options.js'
import type { SimWorld } from './sim-world.js'
import { meteredLinks } from './traffic.js'

/** The seeder's uplink, in viewers' mean uplinks, and its connections. */
const UPLINKS = 4
const MAX_LINKS = 64

/** From a segment's publication to the seeder's having it, in milliseconds. */
const FETCH_MS = 400

/** A seeder that follows the live stream and signs it. */
export class SimSeeder {
  private readonly world: SimWorld
  private readonly swarm: Swarm
  private next: number
  private stopped = false

  constructor(world: SimWorld) {
    const { options, clock, network, topology, traffic, tracker, swarmId } = world
    const random = seededRandom(options.seed * 1_000_003 + 3)
    const host = network.createHost({
      uploadBytesPerSecond: (UPLINKS * options.rho * options.bitsPerSecond) / 8,
      downloadBytesPerSecond: options.downloadBytesPerSecond,
    })
    topology.place(host, {
      index: options.viewers,
      arrivesAt: 0,
      leavesAt: Number.POSITIVE_INFINITY,
      uploadBytesPerSecond: 0,
      uploads: true,
      hostile: null,
      clockOffsetMs: 0,
      clockRate: 1,
      x: 0.5,
      y: 0.5,
      isp: 0,
      city: 0,
    })
    this.world = world
    this.swarm = createSwarm(
      {
        swarmId,
        peerId: makePeerId('-SH0100-', random),
        role: 'seeder',
        trackers: ['ws://tracker.test'],
        uploads: true,
        maxLinks: MAX_LINKS,
        memoryBytes: ((options.bitsPerSecond * options.segmentSeconds) / 8) * options.cachedSegments * 2,
        uploadBytesPerSecond: Number.POSITIVE_INFINITY,
        integrity: 'signed',
      },
      {
        clock,
        random,
        crypto: sampledCrypto(world.settling),
        links: meteredLinks(host, { traffic, alter: null, onData: () => undefined, onBan: () => undefined }),
        openSocket: tracker.openSocket,
        pieces: null,
      },
    )
    // What lies behind a viewer's first segment is of no use to anybody.
    const behind = options.latencySeconds + options.segmentSeconds
    this.next = Math.max(0, Math.floor((clock.now() / 1000 - behind) / unitSecondsOf(options)))
    this.publishNext()
  }

  stop(): void {
    this.stopped = true
  }

  private publishNext(): void {
    const { clock, options, settling } = this.world
    const unit = this.next++
    const id = segmentOf(unit, partsPerSegmentOf(options))
    const at = (time: number, call: () => void): void => {
      clock.setTimer(millis(Math.max(0, time - clock.now())), () => {
        if (this.stopped) return
        settling.mark()
        call()
      })
    }
    at(this.world.publishedAt(unit), () => {
      this.swarm.announceFetching(id)
      this.publishNext()
    })
    at(this.world.publishedAt(unit) + FETCH_MS, () => {
      const bytes = this.world.content.of(unit)
      this.swarm.publish(sampledSigned(this.manifestOf(unit, bytes)), bytes)
    })
  }

  private manifestOf(unit: number, bytes: Uint8Array): SegmentManifest {
    const size = bytes.length
    const pieceSize = pieceSizeFor(size)
    const hashes = Array.from({ length: pieceCountOf(size, pieceSize) }, (_, piece) =>
      sampledDigest(bytes.subarray(piece * pieceSize, (piece + 1) * pieceSize)),
    )
    const segment = segmentOf(unit, partsPerSegmentOf(this.world.options))
    return { segment, offset: 0, size, pieceSize, hashes, signature: null }
  }
}

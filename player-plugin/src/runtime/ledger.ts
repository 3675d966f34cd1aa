import type { SwarmSnapshot } from '@shoal/core'
import type { ShoalDegradation, ShoalSegmentStats, ShoalStats } from '../stats.js'

/** Segments remembered for `ShoalStats.segments`. */
const SEGMENTS_REMEMBERED = 100

/** Where things stand, beside the counters. */
export interface LiveState {
  /** Of the swarm that runs now, or null. */
  readonly snapshot: SwarmSnapshot | null
  readonly degraded: ShoalDegradation | null
  readonly tracker: ShoalStats['tracker']
}

/** Counters over all swarms and plain loads of one Shoal instance. */
export class Ledger {
  #http = 0
  #peers = 0
  #seeders = 0
  #uploaded = 0
  #wasted = 0
  #stalls = 0
  #checked = 0
  #checksFailed = 0
  #sidecars = 0
  readonly #segments: ShoalSegmentStats[] = []

  /** A swarm ended: keep what it counted. */
  addSwarm(snapshot: SwarmSnapshot): void {
    this.#http += snapshot.httpBytes
    this.#peers += snapshot.peerBytes
    this.#seeders += snapshot.seederBytes
    this.#uploaded += snapshot.uploadedBytes
    this.#wasted += snapshot.wastedBytes
    this.#checked += snapshot.checkedBytes
    this.#checksFailed += snapshot.checksFailed
  }

  /** Bytes that came by HTTP outside any swarm. */
  addPlainHttp(bytes: number): void {
    this.#http += bytes
  }

  /** Bytes that a seeder gave by HTTP. */
  addSeederHttp(bytes: number): void {
    this.#seeders += bytes
  }

  /** Bytes of signed manifests that lay beside segments. */
  addSidecar(bytes: number): void {
    this.#sidecars += bytes
  }

  addSegment(segment: ShoalSegmentStats): void {
    this.#segments.push(segment)
    if (this.#segments.length > SEGMENTS_REMEMBERED) this.#segments.shift()
  }

  addStall(): number {
    return ++this.#stalls
  }

  /** Served by swarms that have ended. */
  get uploadedBytes(): number {
    return this.#uploaded
  }

  get stalls(): number {
    return this.#stalls
  }

  read({ snapshot, degraded, tracker }: LiveState): ShoalStats {
    const httpBytes = this.#http + (snapshot?.httpBytes ?? 0)
    const peerBytes = this.#peers + (snapshot?.peerBytes ?? 0)
    const seederBytes = this.#seeders + (snapshot?.seederBytes ?? 0)
    const received = httpBytes + peerBytes + seederBytes
    const links = snapshot?.links ?? []
    const seeders = links.filter((link) => link.role === 'seeder').length
    return {
      httpBytes,
      peerBytes,
      seederBytes,
      uploadedBytes: this.#uploaded + (snapshot?.uploadedBytes ?? 0),
      uploads: snapshot?.uploads ?? 'off',
      integrity: snapshot?.integrity ?? null,
      checks: snapshot?.checks ?? 'off',
      checkedBytes: this.#checked + (snapshot?.checkedBytes ?? 0),
      checksFailed: this.#checksFailed + (snapshot?.checksFailed ?? 0),
      sidecarBytes: this.#sidecars,
      wastedBytes: this.#wasted + (snapshot?.wastedBytes ?? 0),
      peers: links.length - seeders,
      seeders,
      degraded,
      tracker,
      offload: received === 0 ? 0 : (peerBytes + seederBytes) / received,
      segments: [...this.#segments],
      stalls: this.#stalls,
    }
  }
}

import type { Swarm } from '@shoal/core'
import type { SegmentId } from '@shoal/protocol'
import type Hls from 'hls.js'
import type { FragmentLoaderConstructor, HlsConfig } from 'hls.js'
import type { Mirrors } from '../http/mirrors.js'
import type { Sidecars } from '../http/sidecars.js'
import type { ShoalSegmentStats } from '../stats.js'

/** What fragment loaders know of the attachment that made them. */
export interface LoaderHost {
  readonly hls: Hls
  /** The swarm of now, or null: then everything goes straight to the delegate. */
  readonly swarm: Swarm | null
  /** Manifests must be signed. */
  readonly signed: boolean
  /** Signed manifests beside segments; null where none are said to be there. */
  readonly sidecars: Sidecars | null
  /** Where the origin's files are to be had when it fails. */
  readonly mirrors: Mirrors
  /** Calls back when that swarm is left; the result stops that. */
  onSwarmLeft(listener: () => void): () => void
  /** True where hls.js could not parse what it got of a segment: it comes by plain HTTP, this time. */
  takeSuspect(segment: SegmentId): boolean
  /** The swarm threw. */
  swarmFailed(error: unknown): void
  /** The loader that would serve without Shoal. */
  delegateFor(config: HlsConfig): FragmentLoaderConstructor
  /** A segment came through the swarm, or past it. */
  delivered(segment: ShoalSegmentStats): void
  /** Bytes that came by HTTP past the swarm. */
  plainHttp(bytes: number): void
  /** Bytes that a seeder gave by HTTP. */
  seederHttp(bytes: number): void
}

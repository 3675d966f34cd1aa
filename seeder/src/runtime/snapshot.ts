import type { Swarm, SwarmSnapshot } from '@shoal/core'
import type { Millis } from '@shoal/protocol'
import type { Library } from '../holdings/library.js'
import type { SegmentStore } from '../store/segment-store.js'
import type { Counters } from './counters.js'
import type { OriginState } from './origin-health.js'
import type { Title } from './title.js'

/** What a seeder is doing; `/health` answers with it. */
export interface SeederSnapshot {
  readonly contentId: string
  readonly infoHash: string
  readonly publicKey: string
  readonly live: boolean
  readonly uptimeSeconds: number
  readonly tracker: SwarmSnapshot['tracker']
  readonly peers: number
  readonly uploadedBytes: number
  /** Held and offered; `pending` are waiting or on their way. */
  readonly segments: number
  readonly bytes: number
  readonly pending: number
  readonly origin: OriginState
  readonly counters: Readonly<Counters>
}

export interface SnapshotParts {
  readonly counters: Readonly<Counters>
  readonly contentId: string
  readonly infoHash: string
  readonly publicKey: string
  readonly title: Title
  readonly library: Library
  readonly store: SegmentStore
  readonly swarm: Swarm
  readonly uptime: Millis
}

export function snapshotOf(parts: SnapshotParts): SeederSnapshot {
  const { contentId, infoHash, publicKey, title, library, store } = parts
  const { tracker, links, uploadedBytes } = parts.swarm.snapshot()
  return {
    contentId,
    infoHash,
    publicKey,
    live: title.live,
    uptimeSeconds: Math.round(parts.uptime / 1000),
    tracker,
    peers: links.length,
    uploadedBytes,
    segments: library.segments,
    bytes: store.bytes,
    pending: title.pending,
    origin: title.originState,
    counters: { ...parts.counters },
  }
}

import type { CreateSwarm, Swarm, SwarmOptions, SwarmPorts, SwarmSnapshot } from '@shoal/core'
import { type SegmentId, type SegmentManifest, segmentKey } from '@shoal/protocol'

/** A swarm without peers that remembers what it was told. */
export class FakeSwarm implements Swarm {
  readonly log: string[] = []
  readonly published = new Map<string, SegmentManifest>()
  readonly fetching = new Set<string>()
  tracker: SwarmSnapshot['tracker'] = 'connected'
  refusal: SwarmSnapshot['refusal'] = null
  readonly seederUrls = []
  closed = false

  constructor(
    readonly options: SwarmOptions,
    readonly ports: SwarmPorts,
  ) {}

  fetch(): never {
    throw new Error('a seeder never fetches from the swarm')
  }

  publish(manifest: SegmentManifest): void {
    const key = segmentKey(manifest.segment)
    this.log.push(`publish ${key}`)
    this.fetching.delete(key)
    this.published.set(key, manifest)
  }

  announceFetching(segment: SegmentId): void {
    this.log.push(`fetching ${segmentKey(segment)}`)
    this.fetching.add(segmentKey(segment))
  }

  drop(segment: SegmentId): void {
    const key = segmentKey(segment)
    this.log.push(`drop ${key}`)
    this.fetching.delete(key)
    this.published.delete(key)
  }

  async verify() {
    return 'unknown' as const
  }

  setStalls(): void {}

  setUploads(): void {}

  spareOrigin(): void {}

  accept(): boolean {
    return false
  }

  close(): void {
    this.closed = true
  }

  snapshot(): SwarmSnapshot {
    return {
      httpBytes: 0,
      peerBytes: 0,
      seederBytes: 0,
      uploadedBytes: 0,
      uploads: 'on',
      wastedBytes: 0,
      corruptPieces: 0,
      integrity: 'off',
      checks: 'off',
      checkedBytes: 0,
      checksMade: 0,
      checksFailed: 0,
      segments: { http: 0, peers: 0, mixed: 0 },
      links: [],
      tracker: this.tracker,
      degraded: null,
      refusal: this.refusal,
      cachedBytes: 0,
      cachedSegments: this.published.size,
      httpRate: null,
      peerRate: null,
    }
  }
}

/** A `CreateSwarm` and the swarms that it made. */
export function fakeSwarms(): { readonly create: CreateSwarm; readonly made: FakeSwarm[] } {
  const made: FakeSwarm[] = []
  return {
    made,
    create: (options, ports) => {
      const swarm = new FakeSwarm(options, ports)
      made.push(swarm)
      return swarm
    },
  }
}

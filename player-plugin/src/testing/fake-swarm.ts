import type {
  CreateSwarm,
  OriginFetcher,
  SegmentConsumer,
  Swarm,
  SwarmOptions,
  SwarmPorts,
  SwarmSnapshot,
  UploadState,
  Verdict,
  WantedSegment,
} from '@shoal/core'
import { type Millis, millis, type SegmentId } from '@shoal/protocol'

/** One `fetch` that a `FakeSwarm` was asked for, to be answered by the test. */
export interface FakeFetch {
  readonly wanted: WantedSegment
  readonly origin: OriginFetcher
  readonly consumer: SegmentConsumer
  readonly deadlines: Millis[]
  cancelled: boolean
}

export const EMPTY_SNAPSHOT: SwarmSnapshot = {
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
  tracker: 'connected',
  degraded: null,
  refusal: null,
  cachedBytes: 0,
  cachedSegments: 0,
  httpRate: null,
  peerRate: null,
}

/** A swarm that remembers what it was asked for and answers when the test says so. */
export class FakeSwarm implements Swarm {
  readonly fetches: FakeFetch[] = []
  readonly dropped: SegmentId[] = []
  state: SwarmSnapshot = EMPTY_SNAPSHOT
  stalls = 0
  seederUrls: readonly string[] = []
  /** What `verify` says. */
  verdict: Verdict = 'unknown'
  spared = false
  /** All that was said of uploads. */
  readonly uploads: UploadState[] = []
  closed = false
  throwing: Error | null = null

  constructor(
    readonly options: SwarmOptions | null = null,
    readonly ports: SwarmPorts | null = null,
  ) {}

  get last(): FakeFetch {
    const last = this.fetches.at(-1)
    if (last === undefined) throw new Error('the swarm was asked for nothing')
    return last
  }

  fetch(wanted: WantedSegment, origin: OriginFetcher, consumer: SegmentConsumer) {
    if (this.throwing !== null) throw this.throwing
    const entry: FakeFetch = { wanted, origin, consumer, deadlines: [wanted.deadline], cancelled: false }
    this.fetches.push(entry)
    return {
      setDeadline: (deadline: Millis) => void entry.deadlines.push(deadline),
      cancel: () => {
        entry.cancelled = true
      },
    }
  }

  publish(): void {}
  announceFetching(): void {}
  drop(segment: SegmentId): void {
    this.dropped.push(segment)
  }
  snapshot(): SwarmSnapshot {
    return this.state
  }
  async verify() {
    return this.verdict
  }
  setStalls(stalls: number): void {
    this.stalls = stalls
  }
  spareOrigin(spared: boolean): void {
    this.spared = spared
  }
  setUploads(state: UploadState): void {
    this.uploads.push(state)
  }
  accept(): boolean {
    return false
  }

  close(): void {
    this.closed = true
  }
}

/** Answers a fetch as from peers. */
export function deliverFromPeers({ consumer }: FakeFetch, bytes: Uint8Array): void {
  const now = millis(performance.now())
  const sources = { http: 0, peers: bytes.byteLength, seeders: 0 }
  consumer.onDone({ bytes, sources, startedAt: now, firstByteAt: now, finishedAt: now })
}

/** Answers a fetch with the whole segment from its origin. */
export function deliverFromOrigin({ origin, consumer }: FakeFetch, finish = true): void {
  const chunks: Uint8Array[] = []
  let loaded = 0
  const startedAt = millis(performance.now())
  origin.fetch(null, {
    onResponse: (total) => consumer.onProgress(0, total),
    onData: (_offset, bytes) => {
      chunks.push(bytes)
      loaded += bytes.byteLength
      consumer.onProgress(loaded, null)
    },
    onDone: () => {
      if (!finish) return
      const now = millis(performance.now())
      const bytes = new Uint8Array(loaded)
      let at = 0
      for (const chunk of chunks) {
        bytes.set(chunk, at)
        at += chunk.byteLength
      }
      const sources = { http: loaded, peers: 0, seeders: 0 }
      consumer.onDone({ bytes, sources, startedAt, firstByteAt: now, finishedAt: now })
    },
    onError: (error) => consumer.onError(error),
  })
}

/** A `createSwarm` that makes fakes, newest last. */
export function fakeSwarms(): { readonly made: FakeSwarm[]; readonly createSwarm: CreateSwarm } {
  const made: FakeSwarm[] = []
  return {
    made,
    createSwarm: (options, ports) => {
      const swarm = new FakeSwarm(options, ports)
      made.push(swarm)
      return swarm
    },
  }
}

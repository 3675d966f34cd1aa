import type { Clock, Random, Swarm } from '@shoal/core'
import { type ByteSpan, millis } from '@shoal/protocol'
import type { Library } from '../holdings/library.js'
import type { PlaylistShelf } from '../holdings/playlist-shelf.js'
import { sleep } from '../host/sleep.js'
import type { Logger } from '../log.js'
import type { Origin } from '../origin/origin.js'
import type { PartRef } from '../source/low-latency.js'
import type { MediaPlaylist, MediaPlaylistRef, ResourceRef, SegmentRef } from '../source/playlist.js'
import { partResourceOf, type Resource, resourceOf } from '../source/resource.js'
import { listedAt } from '../source/url-index.js'
import type { WindowChange } from '../source/window.js'
import type { SegmentStore } from '../store/segment-store.js'
import type { Acquirer } from './acquirer.js'
import { FetchQueue, type FetchTask, type LaneName } from './fetch-queue.js'
import { Follower } from './follower.js'
import type { OriginHealth, OriginState } from './origin-health.js'
import { RunProof } from './run-proof.js'
import type { Entry } from './source.js'

/** Segments fetched for one request by HTTP, at most: it asks for one, or for a range over a few. */
const MAX_DEMANDED = 4

/** How long a request by HTTP waits for the origin, in milliseconds. */
const DEMAND_TIMEOUT_MS = millis(20_000)

export interface TitleParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** With its failures told to `health`. */
  readonly origin: Origin
  readonly health: OriginHealth
  readonly store: SegmentStore
  readonly library: Library
  readonly shelf: PlaylistShelf
  readonly swarm: Swarm
  readonly acquirer: Acquirer
  /** Fetch initialisation sections too, so that what HTTP serves can be played. */
  readonly initSections: boolean
}

/** Follows all playlists of a title, and keeps what they list in the store and in the swarm. */
export class Title {
  private readonly queue: FetchQueue
  private readonly followers: Follower[]
  /** Keys that an earlier run may have left in the store and that are wanted. */
  private readonly recoverable = new Set<string>()
  private unloaded: number
  private saidFull = false

  constructor(
    private readonly parts: TitleParts,
    private readonly entry: Entry,
    refs: readonly MediaPlaylistRef[],
  ) {
    const { clock, random, log, origin } = parts
    this.queue = new FetchQueue({ clock, random, log })
    this.unloaded = refs.length
    const variables = entry.playlist.kind === 'multivariant' ? entry.playlist.variables : new Map()
    const followerParts = { clock, random, log, origin, variables }
    this.followers = refs.map((ref) => {
      const follower: Follower = new Follower(ref, followerParts, {
        onText: (url, text, contentType, playlist) => parts.shelf.put(url, text, contentType, playlist),
        onAdded: (playlist, change, first) => this.added(follower, playlist, change, first),
        onGone: (change) => this.gone(follower, change),
        onParts: (playlist, added) => this.partsAdded(follower, playlist, added),
        onPartsGone: (left) => this.forget(left.map((part) => partResourceOf(follower.tracks, part).key)),
      })
      return follower
    })
  }

  start(): void {
    const { load, playlist } = this.entry
    for (const follower of this.followers) void follower.run(playlist.kind === 'media' ? load : null)
  }

  close(): void {
    for (const follower of this.followers) follower.close()
    this.queue.close()
  }

  get originState(): OriginState {
    return this.parts.health.state
  }

  /** Fetches that are waiting or under way. */
  get pending(): number {
    return this.queue.pending
  }

  get live(): boolean {
    return this.followers.some((follower) => follower.playlist?.live === true)
  }

  /** The origin answers again: what waits goes on at once. */
  resume(): void {
    this.queue.resume()
  }

  /**
   * Fetches what a playlist lists under a URL and is not here yet; resolves when it is, or cannot be had.
   *
   * @param span the bytes that are wanted, or null for all
   */
  async demand(url: string, span: ByteSpan | null): Promise<void> {
    const tasks = this.followers.flatMap((follower) => this.demanded(follower, url, span))
    if (tasks.length === 0) return
    const enough = new AbortController()
    const done = Promise.all(tasks.slice(0, MAX_DEMANDED).map((task) => this.queue.demand(task)))
    await Promise.race([done, sleep(this.parts.clock, DEMAND_TIMEOUT_MS, enough.signal)])
    enough.abort()
  }

  /** The store gave a segment up: to make room, or because its file changed. */
  evicted(key: string): void {
    for (const id of this.parts.library.remove(key)) this.parts.swarm.drop(id)
  }

  private added(follower: Follower, playlist: MediaPlaylist, change: WindowChange, first: boolean): void {
    if (change.kind === 'stale') return
    if (playlist.live) this.parts.library.live = true
    const index = this.followers.indexOf(follower)
    const lane: LaneName = playlist.live && !first ? 'live' : 'mirror'
    const proof = first ? this.proofOf(follower, change.added) : null
    const tasks = change.added.map((segment) => {
      const resource = this.resource(follower, segment)
      if (resource.recoverable || proof !== null) this.recoverable.add(resource.key)
      // On demand the beginnings first, live the edge first; of one instant, all renditions in turn.
      const since = playlist.live
        ? (playlist.end - segment.sequence) * playlist.targetDuration
        : segment.start
      const from = () => follower.entry(segment.sequence) ?? segment
      return this.segmentTask(resource, from, lane, since + index / this.followers.length, proof)
    })
    if (this.parts.initSections) tasks.unshift(...this.initTasks(playlist, lane))
    // First: it makes room.
    this.pruneOnceLoaded(first && change.kind === 'forward')
    this.queue.add(tasks)
  }

  private gone(follower: Follower, change: WindowChange): void {
    if (change.kind === 'stale') return
    this.forget(change.left.map((segment) => this.resource(follower, segment).key))
  }

  private partsAdded(follower: Follower, playlist: MediaPlaylist, added: readonly PartRef[]): void {
    this.queue.add(
      added.map((part) => {
        const since = (playlist.end - part.sequence) * playlist.targetDuration - part.part
        return this.segmentTask(partResourceOf(follower.tracks, part), () => part, 'live', since)
      }),
    )
  }

  private forget(keys: readonly string[]): void {
    for (const key of keys) {
      this.queue.cancel(key)
      this.evicted(key)
      this.parts.store.remove(key)
    }
  }

  private resource({ tracks, everLive }: Follower, segment: SegmentRef): Resource {
    return resourceOf(tracks, segment, everLive)
  }

  private demanded(follower: Follower, url: string, span: ByteSpan | null): FetchTask[] {
    const { playlist, tracks } = follower
    if (playlist === null) return []
    const { library } = this.parts
    const listed = listedAt(playlist, url, span)
    const resources = [
      ...listed.segments.map((segment) => this.resource(follower, segment)),
      ...listed.parts.map((part) => partResourceOf(tracks, part)),
    ]
    return [
      ...resources
        .filter(({ key }) => !library.has(key))
        .map((resource) => this.segmentTask(resource, () => resource.segment, 'demand', 0)),
      ...listed.initSections
        .filter((ref) => !library.hasInitSection(ref))
        .map((ref) => this.initTask(ref, 'demand')),
    ]
  }

  private segmentTask(
    resource: Resource,
    from: () => ResourceRef,
    lane: LaneName,
    priority: number,
    proof: RunProof | null = null,
  ): FetchTask {
    return {
      key: resource.key,
      lane,
      priority,
      admissible: () => lane === 'live' || this.hasRoomFor(resource),
      run: async (signal) => {
        const { acquirer, store } = this.parts
        const proven = proof !== null && store.has(resource.key) && (await proof.holds(signal))
        await acquirer.acquire(proven ? { ...resource, recoverable: true } : resource, from(), signal)
      },
    }
  }

  /** Null where nothing is stored that needs one. */
  private proofOf(follower: Follower, segments: readonly SegmentRef[]): RunProof | null {
    const stored = segments.filter((segment) => {
      const { recoverable, key } = this.resource(follower, segment)
      return !recoverable && this.parts.store.has(key)
    })
    const newest = stored.at(-1)
    if (newest === undefined) return null
    const from = () => follower.entry(newest.sequence) ?? newest
    return new RunProof(this.parts.acquirer, this.resource(follower, newest), from)
  }

  private initTasks(playlist: MediaPlaylist, lane: LaneName): FetchTask[] {
    const missing = playlist.initSections.filter((ref) => !this.parts.library.hasInitSection(ref))
    return missing.map((ref: ResourceRef) => this.initTask(ref, lane))
  }

  private initTask(ref: ResourceRef, lane: LaneName): FetchTask {
    return {
      key: `init ${ref.url} ${ref.range?.start ?? ''}`,
      lane,
      priority: -1,
      admissible: () => true,
      run: (signal: AbortSignal) => this.parts.acquirer.acquireInit(ref, signal),
    }
  }

  /**
   * A mirror stops where the store is full: what it holds, the beginnings, is asked for more than
   * what would take its place. The live edge always goes in, and the least used goes out.
   */
  private hasRoomFor(resource: Resource): boolean {
    const { store, acquirer, log } = this.parts
    if (resource.recoverable && store.has(resource.key)) return true
    if (store.bytes + (acquirer.underWay + 1) * acquirer.largestBytes <= store.capacity) return true
    if (!this.saidFull) {
      this.saidFull = true
      log.warn(
        { bytes: store.bytes, capacity: store.capacity },
        'the cache is full: the rest is not mirrored',
      )
    }
    return false
  }

  /** When each playlist has been read once, what else is in the store is left from another title state. */
  private pruneOnceLoaded(firstOfFollower: boolean): void {
    if (!firstOfFollower || --this.unloaded > 0) return
    this.parts.store.prune(this.recoverable)
  }
}

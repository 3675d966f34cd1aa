import type { Clock, Random, Swarm } from '@shoal/core'
import type { Library } from '../holdings/library.js'
import type { PlaylistShelf } from '../holdings/playlist-shelf.js'
import type { Logger } from '../log.js'
import type { Origin } from '../origin/origin.js'
import type { MediaPlaylist, MediaPlaylistRef, ResourceRef } from '../source/playlist.js'
import { type Resource, resourceOf } from '../source/resource.js'
import type { WindowChange } from '../source/window.js'
import type { SegmentStore } from '../store/segment-store.js'
import type { Acquirer } from './acquirer.js'
import { FetchQueue, type FetchTask, type LaneName } from './fetch-queue.js'
import { Follower } from './follower.js'
import type { OriginHealth, OriginState } from './origin-health.js'
import type { Entry } from './source.js'

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
        onText: (url, text, contentType) => parts.shelf.put(url, text, contentType),
        onAdded: (playlist, change, first) => this.added(follower, playlist, change, first),
        onGone: (change) => this.gone(follower, change),
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

  /** The store gave a segment up: to make room, or because its file changed. */
  evicted(key: string): void {
    for (const id of this.parts.library.remove(key)) this.parts.swarm.drop(id)
  }

  private added(follower: Follower, playlist: MediaPlaylist, change: WindowChange, first: boolean): void {
    if (change.kind === 'stale') return
    const index = this.followers.indexOf(follower)
    const lane: LaneName = playlist.live && !first ? 'live' : 'mirror'
    const tasks = change.added.map((segment) => {
      const resource = resourceOf(follower.tracks, segment, !playlist.live)
      if (resource.recoverable) this.recoverable.add(resource.key)
      // On demand the beginnings first, live the edge first; of one instant, all renditions in turn.
      const since = playlist.live
        ? (playlist.end - segment.sequence) * playlist.targetDuration
        : segment.start
      return this.segmentTask(resource, lane, since + index / this.followers.length)
    })
    if (this.parts.initSections) tasks.unshift(...this.initTasks(playlist, lane))
    // First: it makes room.
    this.pruneOnceLoaded(first && change.kind === 'forward')
    this.queue.add(tasks)
  }

  private gone(follower: Follower, change: WindowChange): void {
    if (change.kind === 'stale') return
    for (const segment of change.left) {
      const { key } = resourceOf(follower.tracks, segment, false)
      this.queue.cancel(key)
      this.evicted(key)
      this.parts.store.remove(key)
    }
  }

  private segmentTask(resource: Resource, lane: LaneName, priority: number): FetchTask {
    return {
      key: resource.key,
      lane,
      priority,
      admissible: () => lane === 'live' || this.hasRoomFor(resource),
      run: (signal) => this.parts.acquirer.acquire(resource, signal),
    }
  }

  private initTasks(playlist: MediaPlaylist, lane: LaneName): FetchTask[] {
    const missing = playlist.initSections.filter((ref) => !this.parts.library.hasInitSection(ref))
    return missing.map((ref: ResourceRef) => ({
      key: `init ${ref.url} ${ref.range?.start ?? ''}`,
      lane,
      priority: -1,
      admissible: () => true,
      run: (signal: AbortSignal) => this.parts.acquirer.acquireInit(ref, signal),
    }))
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

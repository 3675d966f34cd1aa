import type { SegmentConsumer, SegmentFetch, SegmentResult, Swarm } from '@shoal/core'
import { type Millis, millis } from '@shoal/protocol'
import type { FragmentLoaderContext, HlsConfig, LevelDetails, LoaderConfiguration, Part } from 'hls.js'
import { bufferedAhead, deadlineOf } from './deadline.js'
import { HttpTap } from './http-tap.js'
import { type Identified, identify } from './identity.js'
import type { LoaderHost } from './loader-host.js'
import { createOrigin } from './origin.js'

/** Parts loaded ahead of the one that hls.js loads, at most: three seconds of parts of half a second. */
const MAX_AHEAD = 6

/** Playback that has less than this ahead of it gets the whole line for what hls.js loads, in seconds. */
const MIN_BUFFER_SECONDS = 0.25

/** A load of one part on its way, begun before hls.js asked for it. */
export interface PrefetchedPart {
  readonly tap: HttpTap
  /**
   * Hands the load over: from now on `consumer` hears of it and its owner cancels it. What has happened
   * before is told as if it happened now, asynchronously.
   */
  takeOver(consumer: SegmentConsumer): SegmentFetch
}

/** What hls.js loads parts with. */
interface PartLoad {
  readonly context: FragmentLoaderContext
  readonly config: HlsConfig
  readonly loaderConfig: LoaderConfiguration
}

/**
 * Loads low-latency parts as soon as a playlist names them.
 *
 * hls.js loads one part after the other. From peers a part takes longer than it lasts, since it comes in
 * several hops: only with several on their way at once does a viewer keep its distance to the live edge.
 */
export class PartPrefetcher {
  readonly #host: LoaderHost
  /** By type of playlist (main, audio): the load that hls.js asked for last, and its playlist. */
  readonly #last = new Map<string, PartLoad>()
  readonly #playlists = new Map<string, LevelDetails>()
  readonly #loads = new Map<string, Load>()
  #swarm: Swarm | null = null

  constructor(host: LoaderHost) {
    this.#host = host
  }

  /** hls.js loads a part, or something else; the load that is under way for it already, or null. */
  take(swarm: Swarm, context: FragmentLoaderContext): PrefetchedPart | null {
    // A swarm that was left answers no more.
    if (swarm !== this.#swarm) this.#dropAll()
    this.#swarm = swarm
    const key = keyOf(context)
    const known = this.#loads.get(key)
    this.#loads.delete(key)
    this.#last.delete(context.frag.type)
    this.#dropOthers(context.frag.type, (one) => isBefore(context, one.context))
    return known?.usable === true ? known : null
  }

  /** hls.js's load of a part has begun: those after it follow. */
  follow(swarm: Swarm, load: PartLoad): void {
    const { type } = load.context.frag
    if (load.context.part === null) return
    this.#last.set(type, load)
    this.#extend(swarm, type)
  }

  /** hls.js has a playlist anew. */
  playlistUpdated(type: 'main' | 'audio', details: LevelDetails): void {
    this.#playlists.set(type, details)
    const { swarm } = this.#host
    if (swarm !== null && swarm === this.#swarm) this.#extend(swarm, type)
  }

  /** The source is over, or the swarm was left. */
  clear(): void {
    this.#swarm = null
    this.#playlists.clear()
    this.#dropAll()
  }

  #dropAll(): void {
    this.#last.clear()
    for (const load of this.#loads.values()) load.cancel()
    this.#loads.clear()
  }

  #dropOthers(type: string, stays: (load: Load) => boolean): void {
    for (const [key, load] of this.#loads) {
      if (load.context.frag.type !== type || stays(load)) continue
      this.#loads.delete(key)
      load.cancel()
    }
  }

  #extend(swarm: Swarm, type: string): void {
    const last = this.#last.get(type)
    const parts = this.#playlists.get(type)?.partList
    const { media } = this.#host.hls
    if (last === undefined || !parts || !media || bufferedAhead(media) < MIN_BUFFER_SECONDS) return
    const next = parts.filter((part) =>
      isBefore(last.context, { ...last.context, frag: part.fragment, part }),
    )
    for (const part of next.slice(0, MAX_AHEAD)) if (!part.gap) this.#begin(swarm, last, part, media)
  }

  #begin(swarm: Swarm, last: PartLoad, part: Part, media: HTMLMediaElement): void {
    const context = contextOf(last.context, part)
    const key = keyOf(context)
    if (this.#loads.has(key)) return
    const identified = identify(this.#host.hls, context)
    if (identified === null) return
    const { config, loaderConfig } = last
    const origin = createOrigin(
      this.#host.delegateFor(config),
      config,
      context,
      loaderConfig,
      identified.range,
    )
    const now = millis(performance.now())
    const load = new Load(context, new HttpTap(origin, () => {}))
    this.#loads.set(key, load)
    try {
      load.start(swarm, identified, deadlineOf(part.start, media, now), millis(part.duration * 1000))
    } catch (error) {
      this.#loads.delete(key)
      this.#host.swarmFailed(error)
    }
  }
}

class Load implements PrefetchedPart {
  readonly context: FragmentLoaderContext
  readonly tap: HttpTap
  #fetch: SegmentFetch | null = null
  #consumer: SegmentConsumer | null = null
  #progress: { readonly loaded: number; readonly total: number | null } | null = null
  #result: SegmentResult | null = null
  #failed = false

  constructor(context: FragmentLoaderContext, tap: HttpTap) {
    this.context = context
    this.tap = tap
  }

  /** False once the origin failed: hls.js asks itself, and hears the error of its own request. */
  get usable(): boolean {
    return !this.#failed
  }

  start(swarm: Swarm, { segment, range }: Identified, deadline: Millis, duration: Millis): void {
    this.#fetch = swarm.fetch({ segment, range, deadline, duration, live: true }, this.tap, {
      onProgress: (loaded, total) => {
        this.#progress = { loaded, total }
        this.#consumer?.onProgress(loaded, total)
      },
      onDone: (result) => {
        this.#result = result
        this.#consumer?.onDone(result)
      },
      onError: (error) => {
        this.#failed = true
        this.#consumer?.onError(error)
      },
    })
  }

  cancel(): void {
    this.#fetch?.cancel()
  }

  takeOver(consumer: SegmentConsumer): SegmentFetch {
    const result = this.#result
    const progress = this.#progress
    let cancelled = false
    if (result === null) this.#consumer = consumer
    queueMicrotask(() => {
      if (cancelled) return
      if (progress !== null) consumer.onProgress(progress.loaded, progress.total)
      if (result !== null) consumer.onDone(result)
    })
    return {
      setDeadline: (deadline) => this.#fetch?.setDeadline(deadline),
      cancel: () => {
        cancelled = true
        this.#consumer = null
        this.#fetch?.cancel()
      },
    }
  }
}

/** What hls.js's fragment loader would ask for `part` with; a range that it does not have is 0 to 0. */
function contextOf(last: FragmentLoaderContext, part: Part): FragmentLoaderContext {
  const { byteRangeStartOffset: rangeStart = 0, byteRangeEndOffset: rangeEnd = 0 } = part
  return { ...last, rangeStart, rangeEnd, headers: {}, frag: part.fragment, part, url: part.url }
}

function keyOf({ frag, part }: FragmentLoaderContext): string {
  return `${frag.type}/${frag.level}/${frag.sn}/${part?.index}`
}

/** True where `b` is a later part of the same playlist. */
function isBefore(a: FragmentLoaderContext, b: FragmentLoaderContext): boolean {
  const { sn: aSn, level, type } = a.frag
  const { sn: bSn } = b.frag
  if (b.frag.level !== level || b.frag.type !== type) return false
  if (typeof aSn !== 'number' || typeof bSn !== 'number' || a.part === null || b.part === null) return false
  return bSn > aSn || (bSn === aSn && b.part.index > a.part.index)
}

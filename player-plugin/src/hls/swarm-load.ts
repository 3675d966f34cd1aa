import type { OriginError, SegmentConsumer, SegmentFetch, SegmentResult, Swarm } from '@shoal/core'
import { type Millis, millis } from '@shoal/protocol'
import type {
  FragmentLoaderContext,
  HlsConfig,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderStats,
} from 'hls.js'
import { deadlineOf } from './deadline.js'
import { type HttpOrigin, HttpTap } from './http-tap.js'
import type { Identified } from './identity.js'
import { timingForEstimator } from './load-timing.js'
import type { LoaderHost } from './loader-host.js'
import { networkDetails } from './network-details.js'
import type { PrefetchedPart } from './part-prefetch.js'
import { ProgressEmitter } from './progress-emitter.js'

/**
 * Milliseconds between looks at the playhead and at a delegate's progress: the pace at which hls.js
 * decides whether to abandon a fragment that loads too slowly.
 */
const TICK_MS = 100

/**
 * Longest wait for peers before HTTP, in milliseconds, however far ahead the player buffers: hls.js
 * loads one segment after the other, and its own timeout runs meanwhile.
 */
const MAX_WAIT_MS = 60_000

/** A playhead that moved less against the deadline is not worth telling, in milliseconds. */
const DEADLINE_SLACK_MS = 100

export interface SwarmLoadInput {
  readonly host: LoaderHost
  readonly swarm: Swarm
  readonly identified: Identified
  readonly origin: HttpOrigin
  /** A load of it that is under way, or null. */
  readonly prefetched: PrefetchedPart | null
  readonly context: FragmentLoaderContext
  readonly config: HlsConfig
  readonly loaderConfig: LoaderConfiguration
  readonly callbacks: LoaderCallbacks<FragmentLoaderContext>
  readonly stats: LoaderStats
  /** The swarm cannot serve this: load it past the swarm, leaving out bytes already handed on. */
  fallBack(emittedBytes: number): void
}

/** One fragment on its way through the swarm, told to hls.js as a loader would tell it. */
export class SwarmLoad {
  readonly #in: SwarmLoadInput
  readonly #tap: HttpTap
  readonly #progress: ProgressEmitter | null
  readonly #media: HTMLMediaElement | null
  readonly #stopListening: () => void
  #fetch: SegmentFetch | null = null
  #timer: ReturnType<typeof setInterval> | undefined
  #success: ReturnType<typeof setTimeout> | undefined
  #deadline = millis(0)
  #arrived = 0
  #firstByteDueAt = Infinity
  #ended = false

  constructor(input: SwarmLoadInput) {
    this.#in = input
    const { onProgress } = input.callbacks
    this.#progress =
      onProgress === undefined
        ? null
        : new ProgressEmitter(input.loaderConfig.highWaterMark ?? 0, (chunk) =>
            onProgress(input.stats, input.context, chunk, null),
          )
    this.#tap =
      input.prefetched?.tap ??
      new HttpTap(input.origin, (offset, bytes) => {
        if (!this.#ended) this.#progress?.push(offset, bytes)
      })
    this.#media = input.host.hls.media
    this.#stopListening = input.host.onSwarmLeft(() => this.#fallBack())
  }

  start(): void {
    const { swarm, identified, stats, context, host, prefetched } = this.#in
    const consumer: SegmentConsumer = {
      onProgress: (loaded, total) => this.#onProgress(loaded, total),
      onDone: (result) => this.#onDone(result),
      onError: (error) => this.#onError(error),
    }
    const now = performance.now()
    stats.loading.start = now
    this.#deadline = this.#deadlineNow()
    this.#firstByteDueAt = Math.max(now, this.#deadline) + this.#firstByteTimeoutMs()
    try {
      const { segment, range } = identified
      const { duration } = context.part ?? context.frag
      const wanted = {
        segment,
        range,
        deadline: this.#deadline,
        duration: millis(duration * 1000),
        live: isLive(host),
      }
      this.#fetch = prefetched?.takeOver(consumer) ?? swarm.fetch(wanted, this.#tap, consumer)
      if (prefetched !== null) this.#fetch.setDeadline(this.#deadline)
    } catch (error) {
      this.#fallBack()
      host.swarmFailed(error)
      return
    }
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#media?.addEventListener('seeking', this.#onJump)
    this.#media?.addEventListener('ratechange', this.#onJump)
  }

  /** Ends without telling anyone; what has arrived stays with the swarm. */
  cancel(): void {
    clearTimeout(this.#success)
    if (this.#ended) return
    this.#release()
    try {
      this.#fetch?.cancel()
    } catch (error) {
      this.#in.host.swarmFailed(error)
    }
  }

  /** The playhead jumped, or changed its pace: the deadline may be earlier or later. */
  readonly #onJump = (): void => this.#setDeadline(this.#deadlineNow())

  #setDeadline(deadline: Millis): void {
    if (Math.abs(deadline - this.#deadline) < DEADLINE_SLACK_MS) return
    this.#deadline = deadline
    this.#firstByteDueAt = Math.max(performance.now(), deadline) + this.#firstByteTimeoutMs()
    this.#fetch?.setDeadline(deadline)
  }

  #deadlineNow(): Millis {
    const now = performance.now()
    const { context, loaderConfig } = this.#in
    const { start } = context.part ?? context.frag
    const wait = Math.min(MAX_WAIT_MS, loaderConfig.loadPolicy.maxLoadTimeMs / 2)
    return millis(Math.min(now + wait, deadlineOf(start, this.#media, millis(now))))
  }

  #firstByteTimeoutMs(): number {
    const { maxTimeToFirstByteMs, maxLoadTimeMs } = this.#in.loaderConfig.loadPolicy
    return maxTimeToFirstByteMs > 0 ? maxTimeToFirstByteMs : maxLoadTimeMs
  }

  #tick(): void {
    const { stats, origin, loaderConfig, callbacks, context } = this.#in
    // Never later without a jump: a paused viewer's segment must not wait for peers for ever.
    const deadline = this.#deadlineNow()
    if (deadline < this.#deadline) this.#setDeadline(deadline)
    const partial = origin.partial ?? null
    if (partial !== null && partial.loaded > 0) {
      this.#report(this.#arrived + partial.loaded, partial.total)
    }
    const now = performance.now()
    const silent = stats.loading.first === 0 && now > this.#firstByteDueAt
    if (!silent && now - stats.loading.start < loaderConfig.loadPolicy.maxLoadTimeMs) return
    this.cancel()
    callbacks.onTimeout(stats, context, null)
  }

  #onProgress(loaded: number, total: number | null): void {
    if (this.#ended) return
    this.#arrived = loaded
    this.#report(loaded, total ?? 0)
  }

  /** Live stats, from which hls.js decides to abandon a slow fragment. */
  #report(loaded: number, total: number): void {
    const { stats } = this.#in
    if (loaded > 0 && stats.loading.first === 0) stats.loading.first = performance.now()
    if (total > 0) stats.total = total
    // Equal to the total would read as finished.
    const most = stats.total > 0 ? stats.total - 1 : loaded
    stats.loaded = Math.max(stats.loaded, Math.min(loaded, most))
  }

  #onDone(result: SegmentResult): void {
    if (this.#ended) return
    this.#release()
    const { stats, context, callbacks, host, identified } = this.#in
    const { bytes, sources } = result
    const { start } = stats.loading
    const end = performance.now()
    host.delivered({
      track: identified.track,
      sequence: identified.segment.sequence,
      part: identified.segment.part,
      http: sources.http,
      peers: sources.peers,
      seeders: sources.seeders,
      durationMs: end - start,
    })
    Object.assign(stats.loading, this.#timing(result, end))
    stats.loaded = stats.total = bytes.byteLength
    const succeed = () => {
      // hls.js's worker detaches the buffer it is given: the swarm's bytes stay with the swarm.
      const data = bytes.slice().buffer
      callbacks.onSuccess({ url: context.url, data, code: 200 }, stats, context, null)
    }
    if (this.#progress === null) return succeed()
    this.#progress.finish(bytes)
    // Not in the same task: hls.js's transmuxer loses the last chunk of an encrypted segment where
    // its flush comes while the chunk's software decryption resolves.
    this.#success = setTimeout(succeed, 0)
  }

  #timing({ bytes, sources }: SegmentResult, end: number) {
    const { hls, swarm } = this.#in.host
    const { start, first } = this.#in.stats.loading
    const { httpRate = null, peerRate = null } = swarm?.snapshot() ?? {}
    const measured = Math.max(httpRate ?? 0, peerRate ?? 0)
    // Begun before it was asked for: from then to now is no time that the network took.
    const early = this.#in.prefetched !== null
    // Nothing measured yet: a sample of the estimator's own opinion changes nothing.
    const rate = measured > 0 ? measured : hls.bandwidthEstimate / 8
    return timingForEstimator({
      bytes: bytes.byteLength,
      real: { start, first: first === 0 ? end : first, end },
      httpOnly: !early && this.#tap.timing !== null && sources.peers === 0 && sources.seeders === 0,
      http: this.#tap.timing,
      rate: Number.isFinite(rate) ? rate : null,
      ttfb: hls.ttfbEstimate || 0,
    })
  }

  #onError(error: OriginError): void {
    if (this.#ended) return
    const { stats, context, callbacks } = this.#in
    if (error.kind !== 'http-status' && error.kind !== 'timeout') {
      // hls.js does not retry status 0: let the site's own loader try, and say what it finds.
      this.#fallBack()
      return
    }
    this.#release()
    const details = networkDetails(error.details)
    if (error.kind === 'timeout') callbacks.onTimeout(stats, context, details)
    else callbacks.onError({ code: error.status, text: error.message }, context, details, stats)
  }

  #fallBack(): void {
    if (this.#ended) return
    this.cancel()
    this.#in.fallBack(this.#progress?.emittedBytes ?? 0)
  }

  #release(): void {
    this.#ended = true
    clearInterval(this.#timer)
    this.#stopListening()
    this.#media?.removeEventListener('seeking', this.#onJump)
    this.#media?.removeEventListener('ratechange', this.#onJump)
  }
}

function isLive({ hls }: LoaderHost): boolean {
  return hls.levels.some((level) => level.details?.live === true)
}

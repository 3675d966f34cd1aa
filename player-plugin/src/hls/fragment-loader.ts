import type { Swarm } from '@shoal/core'
import type {
  FragmentLoaderConstructor,
  FragmentLoaderContext,
  HlsConfig,
  Loader,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderStats,
} from 'hls.js'
import { type Identified, identify } from './identity.js'
import type { LoaderHost } from './loader-host.js'
import { createOrigin } from './origin.js'
import type { PartPrefetcher } from './part-prefetch.js'
import { rescueFragment, rescuing } from './rescue.js'
import { SwarmLoad } from './swarm-load.js'

type Callbacks = LoaderCallbacks<FragmentLoaderContext>

/**
 * The class that goes into `hls.config.fLoader`. hls.js stringifies its config for the worker, so
 * what the loader needs is in this closure and not in the config.
 */
export function createFragmentLoader(host: LoaderHost, parts: PartPrefetcher): FragmentLoaderConstructor {
  return class ShoalFragmentLoader implements Loader<FragmentLoaderContext> {
    context: FragmentLoaderContext | null = null
    /** hls.js keeps this object before `load`, and its estimator reads it: it is never replaced. */
    readonly stats: LoaderStats
    readonly #config: HlsConfig
    readonly #inner: Loader<FragmentLoaderContext>
    #swarmLoad: SwarmLoad | null = null
    #callbacks: Callbacks | null = null
    readonly #rescue = new AbortController()
    #used = false

    constructor(config: HlsConfig) {
      this.#config = config
      this.#inner = new (host.delegateFor(config))(config)
      this.stats = this.#inner.stats ?? newStats()
    }

    load(context: FragmentLoaderContext, loaderConfig: LoaderConfiguration, callbacks: Callbacks): void {
      if (this.#used) throw new Error('Loader can only be used once.')
      this.#used = true
      this.context = context
      this.#callbacks = callbacks
      // Players for interstitials and previews that copy a config copy this loader with it.
      const own = this.#config === host.hls.config && !isAuxiliary(this.#config)
      const identified = own ? identify(host.hls, context) : null
      const suspect = identified !== null && host.takeSuspect(identified.segment)
      const swarm = suspect ? null : host.swarm
      // What was no media is not looked for elsewhere; what hls.js was given in part is its affair.
      const guarded = own && !suspect && !callbacks.onProgress
      const told = guarded ? this.#rescued(context, callbacks, identified) : callbacks
      if (identified === null || swarm === null) this.#loadPlain(context, loaderConfig, told, identified, 0)
      else this.#loadFromSwarm(swarm, context, loaderConfig, told, identified)
    }

    abort(): void {
      this.#rescue.abort()
      const { context } = this
      if (this.#swarmLoad === null || context === null) {
        this.#inner.abort()
        return
      }
      this.#swarmLoad.cancel()
      this.#swarmLoad = null
      this.stats.aborted = true
      this.#callbacks?.onAbort?.(this.stats, context, null)
    }

    destroy(): void {
      this.#rescue.abort()
      this.#callbacks = null
      this.#swarmLoad?.cancel()
      this.#swarmLoad = null
      this.context = null
      this.#inner.destroy()
    }

    getCacheAge = (): number | null => this.#inner.getCacheAge?.() ?? null
    getResponseHeader = (name: string): string | null => this.#inner.getResponseHeader?.(name) ?? null

    /** Tells of an outage only where no seeder gives the fragment by HTTP. */
    #rescued(context: FragmentLoaderContext, callbacks: Callbacks, identified: Identified | null): Callbacks {
      const { signal } = this.#rescue
      const startedAt = performance.now()
      return rescuing(callbacks, {
        context,
        stats: this.stats,
        signal,
        load: () => (host.mirrors.known ? rescueFragment(host, context, identified, signal) : null),
        respond: ({ buffer, byteLength }) => {
          host.seederHttp(byteLength)
          if (identified !== null) host.delivered(delivery(identified, { seeders: byteLength }, startedAt))
          return { url: context.url, data: buffer, code: 200 }
        },
      })
    }

    #loadFromSwarm(
      swarm: Swarm,
      context: FragmentLoaderContext,
      loaderConfig: LoaderConfiguration,
      callbacks: Callbacks,
      identified: Identified,
    ): void {
      const config = this.#config
      const origin = createOrigin(host.delegateFor(config), config, context, loaderConfig, identified.range)
      const { sidecars } = host
      if (sidecars !== null) origin.manifest = () => sidecars.find(context.url, identified.segment)
      const { stats } = this
      const prefetched = parts.take(swarm, context)
      this.#swarmLoad = new SwarmLoad({
        host,
        swarm,
        identified,
        origin,
        prefetched,
        context,
        config,
        loaderConfig,
        callbacks: {
          ...callbacks,
          onSuccess: (...args) => {
            this.#swarmLoad = null
            callbacks.onSuccess(...args)
          },
        },
        stats,
        fallBack: (emittedBytes) => {
          this.#swarmLoad = null
          if (this.#callbacks === null) return
          stats.loaded = stats.total = 0
          // hls.js's own loaders refuse to run with a start time in their stats.
          Object.assign(stats.loading, { start: 0, first: 0, end: 0 })
          this.#loadPlain(context, loaderConfig, callbacks, identified, emittedBytes)
        },
      })
      this.#swarmLoad.start()
      parts.follow(swarm, { context, config, loaderConfig })
    }

    /** @param skipBytes bytes from the segment's start that hls.js has been given already */
    #loadPlain(
      context: FragmentLoaderContext,
      loaderConfig: LoaderConfiguration,
      callbacks: Callbacks,
      identified: Identified | null,
      skipBytes: number,
    ): void {
      const startedAt = performance.now()
      const { onProgress } = callbacks
      const counted: Callbacks = {
        ...callbacks,
        onSuccess: (response, stats, ...rest) => {
          host.plainHttp(stats.loaded)
          if (identified !== null) host.delivered(delivery(identified, { http: stats.loaded }, startedAt))
          callbacks.onSuccess(response, stats, ...rest)
        },
      }
      if (onProgress !== undefined && skipBytes > 0) counted.onProgress = skipping(onProgress, skipBytes)
      this.#inner.load(context, loaderConfig, counted)
    }
  }
}

function isAuxiliary(config: HlsConfig): boolean {
  return Boolean(config.assetPlayerId ?? config.primarySessionId)
}

function delivery(
  { track, segment }: Identified,
  source: { readonly http: number } | { readonly seeders: number },
  startedAt: number,
) {
  const durationMs = performance.now() - startedAt
  const { sequence, part } = segment
  return { track, sequence, part, http: 0, peers: 0, seeders: 0, ...source, durationMs }
}

/** Drops the first bytes of a stream of chunks. */
function skipping(
  onProgress: NonNullable<Callbacks['onProgress']>,
  skipBytes: number,
): NonNullable<Callbacks['onProgress']> {
  let left = skipBytes
  return (stats, context, data, details) => {
    if (!(data instanceof ArrayBuffer)) return
    const drop = Math.min(left, data.byteLength)
    left -= drop
    if (drop === data.byteLength) return
    onProgress(stats, context, drop === 0 ? data : data.slice(drop), details)
  }
}

function newStats(): LoaderStats {
  return {
    aborted: false,
    loaded: 0,
    retry: 0,
    total: 0,
    chunkCount: 0,
    bwEstimate: 0,
    loading: { start: 0, first: 0, end: 0 },
    parsing: { start: 0, end: 0 },
    buffering: { start: 0, first: 0, end: 0 },
  }
}

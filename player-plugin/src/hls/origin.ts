import type { ByteSpan } from '@shoal/protocol'
import type { FragmentLoaderConstructor, FragmentLoaderContext, HlsConfig, LoaderConfiguration } from 'hls.js'
import { rangeHeader } from '../http/place-response.js'
import { createStreamingOrigin, type StreamingSource } from '../http/streaming-origin.js'
import { DelegateOrigin } from './delegate-origin.js'
import type { HttpOrigin } from './http-tap.js'

/**
 * True where `fetch` does the same as the configured loader would: it is hls.js's own XhrLoader or
 * FetchLoader and nothing changes its requests.
 *
 * Both classes define `loadInternal`; their subclasses inherit it, and loaders of integrators have
 * none (hls.js keeps the name in its minified builds).
 */
export function canStream(Loader: FragmentLoaderConstructor, config: HlsConfig): boolean {
  const stock = Object.hasOwn(Loader.prototype, 'loadInternal')
  return stock && !config.xhrSetup && typeof ReadableStream === 'function'
}

/** The segment that `context` names, for `createStreamingOrigin`. */
export function streamingSource(
  context: FragmentLoaderContext,
  config: HlsConfig,
  { loadPolicy }: LoaderConfiguration,
  range: ByteSpan | null,
): StreamingSource {
  const { maxTimeToFirstByteMs, maxLoadTimeMs } = loadPolicy
  return {
    range,
    firstByteTimeoutMs:
      Number.isFinite(maxTimeToFirstByteMs) && maxTimeToFirstByteMs > 0
        ? maxTimeToFirstByteMs
        : maxLoadTimeMs,
    loadTimeoutMs: maxLoadTimeMs,
    request(asked, signal) {
      const headers = new Headers(context.headers)
      if (asked !== null) headers.set('Range', rangeHeader(asked))
      // As hls.js's FetchLoader does; its XhrLoader sends cookies to the same origin only, too.
      const init: RequestInit = { method: 'GET', mode: 'cors', credentials: 'same-origin', signal, headers }
      if (!config.fetchSetup) return new Request(context.url, init)
      const asContext = { ...context, rangeStart: asked?.start ?? 0, rangeEnd: asked?.end ?? 0 }
      return config.fetchSetup(asContext, init)
    },
  }
}

/** How the bytes of one fragment come by HTTP. */
export function createOrigin(
  Loader: FragmentLoaderConstructor,
  config: HlsConfig,
  context: FragmentLoaderContext,
  loaderConfig: LoaderConfiguration,
  range: ByteSpan | null,
): HttpOrigin {
  if (canStream(Loader, config)) {
    return createStreamingOrigin(streamingSource(context, config, loaderConfig, range))
  }
  return new DelegateOrigin({ Loader, config, context, loaderConfig, range })
}

import { MAX_SEGMENT_BYTES } from '@shoal/protocol'
import type {
  FragmentLoaderContext,
  LoaderCallbacks,
  LoaderContext,
  LoaderResponse,
  LoaderStats,
} from 'hls.js'
import type { Mirrored } from '../http/mirrors.js'
import type { Identified } from './identity.js'
import type { LoaderHost } from './loader-host.js'

export interface Rescue<Context> {
  readonly context: Context
  readonly stats: LoaderStats
  readonly signal: AbortSignal
  /** Null where there is no hope. */
  load(): Promise<Mirrored | null> | null
  respond(bytes: Uint8Array<ArrayBuffer>): LoaderResponse
}

/** Callbacks that tell of an outage (no answer, or that of a broken server) only where a mirror fails too. */
export function rescuing<Context extends LoaderContext>(
  callbacks: LoaderCallbacks<Context>,
  { context, stats, signal, load, respond }: Rescue<Context>,
): LoaderCallbacks<Context> {
  const rescue = (giveUp: () => void) => {
    const loading = load()
    if (loading === null) return giveUp()
    void loading
      .catch(() => null)
      .then((mirrored) => {
        if (signal.aborted) return
        if (mirrored === null) return giveUp()
        const { bytes, timing } = mirrored
        stats.loaded = stats.total = bytes.byteLength
        Object.assign(stats.loading, timing)
        callbacks.onSuccess(respond(bytes), stats, context, null)
      })
  }
  return {
    ...callbacks,
    onError: (error, ...rest) => {
      const giveUp = () => callbacks.onError(error, ...rest)
      if (error.code === 0 || error.code >= 500) rescue(giveUp)
      else giveUp()
    },
    onTimeout: (...args) => rescue(() => callbacks.onTimeout(...args)),
  }
}

/**
 * A fragment from a seeder's HTTP address; null where that is not to be.
 *
 * What has a manifest must fit it. What has none is not taken at all where manifests must be signed.
 *
 * @param identified null for what has no manifest, as initialisation segments
 */
export async function rescueFragment(
  { swarm, signed, mirrors }: LoaderHost,
  { url, rangeStart, rangeEnd }: FragmentLoaderContext,
  identified: Identified | null,
  signal: AbortSignal,
): Promise<Mirrored | null> {
  const accepts = async (bytes: Uint8Array) => {
    const verdict = identified === null ? 'unknown' : await swarm?.verify(identified.segment, bytes)
    return verdict === 'verified' || (!signed && verdict === 'unknown')
  }
  const known = async () =>
    identified !== null && (await swarm?.verify(identified.segment, NOTHING)) === 'wrong'
  if (signed && !(await known())) return null
  const range = rangeEnd ? { start: rangeStart ?? 0, end: rangeEnd } : null
  return mirrors.load({ url, range, maxBytes: MAX_SEGMENT_BYTES, text: false, signal, accepts })
}

/** It fits no manifest: where there is one, it is `wrong`. */
const NOTHING = new Uint8Array(0)

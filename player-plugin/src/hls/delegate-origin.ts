import type { OriginError, OriginFetchEvents, OriginFetcher } from '@shoal/core'
import type { ByteSpan } from '@shoal/protocol'
import type {
  FragmentLoaderConstructor,
  FragmentLoaderContext,
  HlsConfig,
  Loader,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderResponse,
} from 'hls.js'
import { requestRange } from '../http/place-response.js'
import { SegmentBody } from '../http/segment-body.js'

export interface DelegateSource {
  /** The integrator's loader class. */
  readonly Loader: FragmentLoaderConstructor
  readonly config: HlsConfig
  readonly context: FragmentLoaderContext
  readonly loaderConfig: LoaderConfiguration
  /** Where the segment lies in its resource, or null for all of it. */
  readonly range: ByteSpan | null
}

/** Milliseconds between looks at a loader's stats: loaders tell of a response only in them. */
const WATCH_MS = 50

/** Bytes that a loader has received and not yet handed out. */
export interface PartialBytes {
  readonly loaded: number
  /** 0 where not known. */
  readonly total: number
}

/**
 * Fetches a segment with the integrator's own loader, so that `xhrSetup`, CMCD or a custom loader do
 * what they always did. Such a loader hands out its bytes at the end; `partial` says how far it is.
 */
export class DelegateOrigin implements OriginFetcher {
  readonly #source: DelegateSource
  #loader: Loader<FragmentLoaderContext> | null = null
  #firstByteAt: number | null = null

  constructor(source: DelegateSource) {
    this.#source = source
  }

  /** When the first response of all came, by the loader's own clock; null before. */
  get firstByteAt(): number | null {
    return this.#firstByteAt
  }

  get partial(): PartialBytes | null {
    const stats = this.#loader?.stats
    return stats ? { loaded: stats.loaded, total: stats.total } : null
  }

  /** With a loader of its own: the player's hears nothing of it. */
  readonly check: NonNullable<OriginFetcher['check']> = (span, events) =>
    new DelegateOrigin(this.#source).fetch(span, events)

  fetch: OriginFetcher['fetch'] = (span, events) => {
    const { Loader, config, context, loaderConfig, range } = this.#source
    const asked = requestRange(range, span)
    const loader = new Loader(config)
    this.#loader = loader
    let ended = false
    let responded = false
    const respond = (total: number | null) => {
      if (responded) return
      responded = true
      this.#firstByteAt ??= loader.stats.loading.first || performance.now()
      events.onResponse(total)
    }
    const watch = setInterval(() => {
      if (loader.stats.loading.first === 0) return
      const whole = asked === null && loader.stats.total > 0 ? loader.stats.total : null
      respond(range === null ? whole : range.end - range.start)
    }, WATCH_MS)
    const end = (tell: () => void) => {
      if (ended) return
      ended = true
      clearInterval(watch)
      this.#loader = null
      tell()
      release(loader)
    }
    const told = { ...events, onResponse: respond }
    const callbacks: LoaderCallbacks<FragmentLoaderContext> = {
      onSuccess: (response, _stats, _context, details) =>
        end(() => deliver(response, asked, range, told, details)),
      onError: ({ code, text }, _context, details) => end(() => events.onError(errorOf(code, text, details))),
      onTimeout: (_stats, _context, details) =>
        end(() => events.onError({ kind: 'timeout', status: 0, message: 'timeout', details })),
      onAbort: () => end(() => events.onError({ kind: 'network', status: 0, message: 'aborted' })),
    }
    const request = { ...context, headers: { ...context.headers } }
    request.rangeStart = asked?.start ?? 0
    request.rangeEnd = asked?.end ?? 0
    // A loader may call back from inside `load`; the swarm is not called from inside `fetch`.
    queueMicrotask(() => {
      if (ended) return
      try {
        loader.load(request, { ...loaderConfig }, callbacks)
      } catch (error) {
        end(() => events.onError({ kind: 'network', status: 0, message: String(error) }))
      }
    })
    return () => end(() => {})
  }
}

/** `destroy` cancels without a callback. */
function release(loader: Loader<FragmentLoaderContext>): void {
  try {
    loader.destroy()
  } catch {
    // A custom loader that cannot be destroyed twice; it has ended.
  }
}

function errorOf(code: number, text: string, details: unknown): OriginError {
  return { kind: code > 0 ? 'http-status' : 'network', status: code, message: text, details }
}

function deliver(
  response: LoaderResponse,
  asked: ByteSpan | null,
  range: ByteSpan | null,
  events: OriginFetchEvents,
  details: unknown,
): void {
  const status = response.code ?? 200
  if (!(response.data instanceof ArrayBuffer)) {
    const message = 'the loader delivered no ArrayBuffer'
    return events.onError({ kind: 'bad-response', status, message, details })
  }
  const bytes = new Uint8Array(response.data)
  // Custom loaders say 200 for everything: the length tells a part from a server that ignored Range.
  const isSpan = asked !== null && (status === 206 || bytes.byteLength === asked.end - asked.start)
  const resourceSize = isSpan ? null : bytes.byteLength
  const placement = { start: isSpan ? asked.start : 0, length: bytes.byteLength, resourceSize }
  const body = new SegmentBody(placement, range, asked, events, !isSpan)
  body.push(bytes)
  const fault = body.finish(status)
  if (fault !== null) events.onError({ ...fault, details })
  else events.onDone()
}

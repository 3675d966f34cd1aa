import type {
  FragmentLoaderConstructor,
  FragmentLoaderContext,
  Loader,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderStats,
} from 'hls.js'

/** An HTTP loader that a test answers for. */
export class FakeLoader implements Loader<FragmentLoaderContext> {
  context: FragmentLoaderContext | null = null
  stats: LoaderStats = {
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
  loaded: { context: FragmentLoaderContext; config: LoaderConfiguration } | null = null
  callbacks: LoaderCallbacks<FragmentLoaderContext> | null = null
  destroyed = false

  constructor(private readonly answer: (loader: FakeLoader) => void) {}

  get request(): FragmentLoaderContext {
    if (this.loaded === null) throw new Error('nothing was loaded')
    return this.loaded.context
  }

  load(
    context: FragmentLoaderContext,
    config: LoaderConfiguration,
    callbacks: LoaderCallbacks<FragmentLoaderContext>,
  ): void {
    if (this.stats.loading.start !== 0) throw new Error('Loader can only be used once.')
    this.stats.loading.start = performance.now()
    this.loaded = { context, config }
    this.callbacks = callbacks
    this.answer(this)
  }

  succeed(bytes: Uint8Array, code: number): void {
    this.stats.loaded = this.stats.total = bytes.byteLength
    const data = bytes.slice().buffer
    this.callbacks?.onProgress?.(this.stats, this.request, data, null)
    this.callbacks?.onSuccess({ url: this.request.url, data, code }, this.stats, this.request, null)
  }

  fail(code: number): void {
    this.callbacks?.onError({ code, text: `HTTP ${code}` }, this.request, null, this.stats)
  }

  timeOut(): void {
    this.callbacks?.onTimeout(this.stats, this.request, null)
  }

  abort(): void {
    this.stats.aborted = true
    this.callbacks?.onAbort?.(this.stats, this.request, null)
  }

  destroy(): void {
    this.destroyed = true
    this.callbacks = null
  }
}

/** A loader class whose instances are answered by `answer`, newest last in `made`. */
export function fakeLoaders(answer: (loader: FakeLoader) => void): {
  readonly Loader: FragmentLoaderConstructor
  readonly made: FakeLoader[]
} {
  const made: FakeLoader[] = []
  class Made extends FakeLoader {
    constructor() {
      super(answer)
      made.push(this)
    }
  }
  return { Loader: Made, made }
}

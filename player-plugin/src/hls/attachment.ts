import type Hls from 'hls.js'
import type { ErrorData, FragmentLoaderConstructor, HlsConfig } from 'hls.js'
import { StallCounter } from '../browser/stall-counter.js'
import { type SessionContext, SwarmSession } from '../runtime/swarm-session.js'
import { lowerBufferGoal } from './buffer-goal.js'
import { createFragmentLoader } from './fragment-loader.js'
import {
  BUFFER_STALLED_ERROR,
  DESTROYING,
  ERROR,
  MANIFEST_LOADED,
  MANIFEST_LOADING,
  MEDIA_ATTACHED,
  MEDIA_DETACHING,
} from './hls-events.js'
import type { LoaderHost } from './loader-host.js'

/**
 * Shoal on one hls.js instance: puts its loader in, follows its sources, and takes everything back
 * when it is detached. hls.js's types go no further than this folder.
 */
export class Attachment {
  readonly #hls: Hls
  readonly #context: SessionContext
  readonly #onDestroyed: () => void
  readonly #loader: FragmentLoaderConstructor
  readonly #previousLoader: FragmentLoaderConstructor | undefined
  #session: SwarmSession | null = null
  #stalls: StallCounter | null = null
  #restoreBufferGoal: (() => void) | null = null

  /** @param onDestroyed hls.js was destroyed, and this attachment with it */
  constructor(hls: Hls, context: SessionContext, onDestroyed: () => void) {
    this.#hls = hls
    this.#context = context
    this.#onDestroyed = onDestroyed
    this.#previousLoader = hls.config.fLoader
    this.#loader = createFragmentLoader(this.#loaderHost())
    hls.config.fLoader = this.#loader

    hls.on(MANIFEST_LOADING, this.#onManifestLoading)
    hls.on(MANIFEST_LOADED, this.#onManifestLoaded)
    hls.on(MEDIA_ATTACHED, this.#onMediaAttached)
    hls.on(MEDIA_DETACHING, this.#onMediaDetaching)
    hls.on(DESTROYING, this.#onDestroying)
    hls.on(ERROR, this.#onError)
    const { page, device } = context.environment
    page.addEventListener('pagehide', this.#onPageHide)
    page.addEventListener('pageshow', this.#onPageShow)
    device.connection?.addEventListener?.('change', this.#onNetworkChange)

    this.#onMediaAttached()
    if (hls.url !== null && hls.url !== undefined) {
      this.#startSession(hls.url)
      if (hls.levels.length > 0) this.#session?.open()
    }
  }

  get session(): SwarmSession | null {
    return this.#session
  }

  /** Gives hls.js back as it was; loads under way go on by plain HTTP. */
  detach(): void {
    this.#takeBack()
    this.#session?.suspend()
    this.#endSession()
  }

  #takeBack(): void {
    const { config } = this.#hls
    if (config.fLoader === this.#loader) restoreLoader(config, this.#previousLoader)
    this.#hls.off(MANIFEST_LOADING, this.#onManifestLoading)
    this.#hls.off(MANIFEST_LOADED, this.#onManifestLoaded)
    this.#hls.off(MEDIA_ATTACHED, this.#onMediaAttached)
    this.#hls.off(MEDIA_DETACHING, this.#onMediaDetaching)
    this.#hls.off(DESTROYING, this.#onDestroying)
    this.#hls.off(ERROR, this.#onError)
    const { page, device } = this.#context.environment
    page.removeEventListener('pagehide', this.#onPageHide)
    page.removeEventListener('pageshow', this.#onPageShow)
    device.connection?.removeEventListener?.('change', this.#onNetworkChange)
    this.#onMediaDetaching()
  }

  #startSession(url: string): void {
    this.#endSession()
    this.#session = new SwarmSession(this.#context, () => this.#onSwarmSwitched())
    void this.#session.prepare(url)
  }

  #endSession(): void {
    const session = this.#session
    this.#session = null
    session?.close()
    this.#onSwarmSwitched()
  }

  #onSwarmSwitched(): void {
    const { config, userConfig } = this.#hls
    if (this.#session?.usesPeers) this.#restoreBufferGoal ??= lowerBufferGoal(config, userConfig)
    else {
      this.#restoreBufferGoal?.()
      this.#restoreBufferGoal = null
    }
  }

  readonly #onManifestLoading = (): void => {
    const { url } = this.#hls
    if (url) this.#startSession(url)
  }

  readonly #onManifestLoaded = (): void => this.#session?.open()

  readonly #onMediaAttached = (): void => {
    const { media } = this.#hls
    this.#stalls?.release()
    this.#stalls = media ? new StallCounter(media, () => this.#onStall()) : null
  }

  readonly #onMediaDetaching = (): void => {
    this.#stalls?.release()
    this.#stalls = null
  }

  readonly #onDestroying = (): void => {
    this.#takeBack()
    // Without `suspend`: hls.js destroys its loads now, and none of them should start anew.
    this.#endSession()
    this.#onDestroyed()
  }

  readonly #onError = (_event: unknown, data: ErrorData): void => {
    if (data.details === BUFFER_STALLED_ERROR) this.#stalls?.stalled()
  }

  #onStall(): void {
    const stalls = this.#context.ledger.addStall()
    this.#session?.swarm?.setStalls(stalls)
  }

  /** Goodbye while there is still time: a killed page is noticed only seconds later. */
  readonly #onPageHide = (): void => this.#session?.suspend()
  /** Back from the back/forward cache; at the first showing there is nothing to resume. */
  readonly #onPageShow = (): void => this.#session?.resume()
  readonly #onNetworkChange = (): void => this.#session?.networkChanged()

  #loaderHost(): LoaderHost {
    const attachment = this
    const { ledger } = this.#context
    return {
      hls: this.#hls,
      get swarm() {
        return attachment.#session?.swarm ?? null
      },
      onSwarmLeft: (listener) => attachment.#session?.onLeave(listener) ?? (() => {}),
      swarmFailed: (error) => attachment.#session?.fail(error),
      delegateFor: (config) => attachment.#previousLoader ?? plainLoader(config),
      delivered: (segment) => ledger.addSegment(segment),
      plainHttp: (bytes) => ledger.addPlainHttp(bytes),
    }
  }
}

/** The general loader, which hls.js itself uses for fragments where there is no `fLoader`. */
function plainLoader(config: HlsConfig): FragmentLoaderConstructor {
  return config.loader as unknown as FragmentLoaderConstructor
}

function restoreLoader(config: HlsConfig, loader: FragmentLoaderConstructor | undefined): void {
  if (loader !== undefined) config.fLoader = loader
  // The type has no undefined, hls.js's own default is it.
  else Object.assign(config, { fLoader: undefined })
}

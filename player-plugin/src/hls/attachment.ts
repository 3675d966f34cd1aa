import type Hls from 'hls.js'
import type {
  AudioTrackUpdatedData,
  ErrorData,
  FragmentLoaderConstructor,
  HlsConfig,
  LevelUpdatedData,
  PlaylistLoaderConstructor,
} from 'hls.js'
import { StallCounter } from '../browser/stall-counter.js'
import { Mirrors } from '../http/mirrors.js'
import { Sidecars } from '../http/sidecars.js'
import { needsSignature } from '../options/resolved-options.js'
import { type SessionContext, SwarmSession } from '../runtime/swarm-session.js'
import { lowerBufferGoal } from './buffer-goal.js'
import { createFragmentLoader } from './fragment-loader.js'
import {
  AUDIO_TRACK_UPDATED,
  BUFFER_STALLED_ERROR,
  DESTROYING,
  ERROR,
  FRAG_DECRYPT_ERROR,
  FRAG_PARSING_ERROR,
  LEVEL_UPDATED,
  MANIFEST_LOADED,
  MANIFEST_LOADING,
  MEDIA_ATTACHED,
  MEDIA_DETACHING,
} from './hls-events.js'
import { identify } from './identity.js'
import type { LoaderHost } from './loader-host.js'
import { PartPrefetcher } from './part-prefetch.js'
import { pictured, playbackOf, playheadOf } from './playback.js'
import { createPlaylistLoader } from './playlist-loader.js'
import { Suspects } from './suspects.js'

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
  /** Null where playlists are not looked after. */
  readonly #playlistLoader: PlaylistLoaderConstructor | null
  readonly #previousPlaylistLoader: PlaylistLoaderConstructor | undefined
  readonly #suspects = new Suspects()
  readonly #parts: PartPrefetcher
  #session: SwarmSession | null = null
  #stalls: StallCounter | null = null
  #restoreBufferGoal: (() => void) | null = null

  /** @param onDestroyed hls.js was destroyed, and this attachment with it */
  constructor(hls: Hls, context: SessionContext, onDestroyed: () => void) {
    this.#hls = hls
    this.#context = context
    this.#onDestroyed = onDestroyed
    this.#previousLoader = hls.config.fLoader
    this.#previousPlaylistLoader = hls.config.pLoader
    const host = this.#loaderHost()
    this.#parts = new PartPrefetcher(host)
    this.#loader = createFragmentLoader(host, this.#parts)
    hls.config.fLoader = this.#loader
    this.#playlistLoader = host.signed
      ? null
      : createPlaylistLoader(hls, host.mirrors, this.#previousPlaylistLoader ?? plainLoader(hls.config))
    if (this.#playlistLoader !== null) hls.config.pLoader = this.#playlistLoader

    hls.on(MANIFEST_LOADING, this.#onManifestLoading)
    hls.on(MANIFEST_LOADED, this.#onManifestLoaded)
    hls.on(MEDIA_ATTACHED, this.#onMediaAttached)
    hls.on(MEDIA_DETACHING, this.#onMediaDetaching)
    hls.on(DESTROYING, this.#onDestroying)
    hls.on(LEVEL_UPDATED, this.#onLevelUpdated)
    hls.on(AUDIO_TRACK_UPDATED, this.#onAudioTrackUpdated)
    hls.on(ERROR, this.#onError)
    const { page } = context.environment
    page.addEventListener('pagehide', this.#onPageHide)
    page.addEventListener('pageshow', this.#onPageShow)

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
    // The types have no undefined, hls.js's own default is it.
    if (config.fLoader === this.#loader) Object.assign(config, { fLoader: this.#previousLoader })
    if (config.pLoader === this.#playlistLoader)
      Object.assign(config, { pLoader: this.#previousPlaylistLoader })
    this.#hls.off(MANIFEST_LOADING, this.#onManifestLoading)
    this.#hls.off(MANIFEST_LOADED, this.#onManifestLoaded)
    this.#hls.off(MEDIA_ATTACHED, this.#onMediaAttached)
    this.#hls.off(MEDIA_DETACHING, this.#onMediaDetaching)
    this.#hls.off(DESTROYING, this.#onDestroying)
    this.#hls.off(LEVEL_UPDATED, this.#onLevelUpdated)
    this.#hls.off(AUDIO_TRACK_UPDATED, this.#onAudioTrackUpdated)
    this.#hls.off(ERROR, this.#onError)
    const { page } = this.#context.environment
    page.removeEventListener('pagehide', this.#onPageHide)
    page.removeEventListener('pageshow', this.#onPageShow)
    this.#onMediaDetaching()
  }

  #startSession(url: string): void {
    this.#endSession()
    this.#session = new SwarmSession(this.#context, () => this.#onSwarmSwitched(), {
      playback: () => playbackOf(this.#hls.media),
      playhead: () => playheadOf(this.#hls),
      pictured: () => pictured(this.#hls.media),
    })
    void this.#session.prepare(url)
  }

  #endSession(): void {
    const session = this.#session
    this.#session = null
    this.#parts.clear()
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

  readonly #onLevelUpdated = (_event: unknown, { details }: LevelUpdatedData): void =>
    this.#parts.playlistUpdated('main', details)
  readonly #onAudioTrackUpdated = (_event: unknown, { details }: AudioTrackUpdatedData): void =>
    this.#parts.playlistUpdated('audio', details)

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
    if (data.details === FRAG_PARSING_ERROR || data.details === FRAG_DECRYPT_ERROR) this.#suspect(data)
  }

  /** What came of a fragment was no media: nobody gets it from here, and it is loaded past the swarm. */
  #suspect({ frag, part }: ErrorData): void {
    const identified = frag ? identify(this.#hls, { frag, part: part ?? null }) : null
    if (identified === null) return
    this.#suspects.add(identified.segment)
    this.#session?.swarm?.drop(identified.segment)
  }

  #onStall(): void {
    const stalls = this.#context.ledger.addStall()
    this.#session?.swarm?.setStalls(stalls)
  }

  /** Goodbye while there is still time: a killed page is noticed only seconds later. */
  readonly #onPageHide = (): void => this.#session?.suspend()
  /** Back from the back/forward cache; at the first showing there is nothing to resume. */
  readonly #onPageShow = (): void => this.#session?.resume()

  #loaderHost(): LoaderHost {
    const attachment = this
    const { ledger, options } = this.#context
    return {
      hls: this.#hls,
      signed: needsSignature(options),
      get swarm() {
        return attachment.#session?.swarm ?? null
      },
      onSwarmLeft: (listener) => attachment.#session?.onLeave(listener) ?? (() => {}),
      mirrors: new Mirrors({
        playlists: () => attachment.#session?.swarm?.seederUrls ?? [],
        manifestUrl: () => this.#hls.url,
      }),
      sidecars: options.sidecars ? new Sidecars((bytes) => ledger.addSidecar(bytes)) : null,
      takeSuspect: (segment) => attachment.#suspects.take(segment),
      swarmFailed: (error) => attachment.#session?.fail(error),
      delegateFor: (config) => attachment.#previousLoader ?? plainLoader(config),
      delivered: (segment) => ledger.addSegment(segment),
      plainHttp: (bytes) => ledger.addPlainHttp(bytes),
      seederHttp: (bytes) => ledger.addSeederHttp(bytes),
    }
  }
}

/** The general loader, which hls.js itself uses where there is no `fLoader` or `pLoader`. */
function plainLoader<Constructor>(config: HlsConfig): Constructor {
  return config.loader as unknown as Constructor
}

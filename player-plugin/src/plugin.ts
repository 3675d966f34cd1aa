import { browserEnvironment } from './browser/browser-environment.js'
import { Engine } from './engine.js'
import type { Hls } from './hls/player.js'
import type { ShoalOptions } from './options/options.js'
import { resolveOptions } from './options/validate.js'
import type { ShoalEvents, ShoalStats } from './stats.js'

/**
 * Fetches the segments of an hls.js player from other viewers, and by HTTP whatever they cannot
 * deliver in time.
 *
 * ```ts
 * const hls = new Hls()
 * const shoal = new Shoal({ tracker: 'wss://tracker.example' })
 * shoal.attach(hls)
 * hls.loadSource(url)
 * hls.attachMedia(video)
 * shoal.on('stats', ({ offload }) => console.log(offload))
 * ```
 *
 * After construction nothing throws: a failure means plain HTTP, `stats.degraded` and one `warning`.
 */
export class Shoal {
  readonly #engine: Engine

  /** @throws ShoalConfigError where an option is wrong; it says which and why */
  constructor(options: ShoalOptions = {}) {
    this.#engine = new Engine(resolveOptions(options), browserEnvironment())
  }

  /** Counters since construction, and the state now. */
  get stats(): ShoalStats {
    return this.#engine.stats
  }

  /**
   * Takes over the loading of `hls`'s segments, at any time: before a source is loaded or in the
   * middle of playback. Attaching the same instance twice does nothing; another one is attached
   * instead of the first. Ends by itself when `hls` is destroyed.
   *
   * While peers may help, `maxBufferLength` and `maxMaxBufferLength` are lowered to 20 s unless the
   * site set them in `new Hls({...})`.
   */
  attach(hls: Hls): void {
    this.#engine.attach(hls)
  }

  /** Gives the hls.js instance back as it was; loads under way go on by HTTP. */
  detach(): void {
    this.#engine.detach()
  }

  /**
   * Stops uploads, or allows them again, at once and for every source until it is called again; true at
   * first. For a call that begins on the page, or a switch for the viewer. What the options and the
   * device forbid stays forbidden. Downloads from peers go on.
   */
  setUploadAllowed(allowed: boolean): void {
    this.#engine.setUploadAllowed(allowed)
  }

  /**
   * Leaves to peers what they can bring, or stops doing so; false at first. For an origin that is known
   * to be short: it makes a difference in the modes that ask the origin first.
   */
  spareOrigin(spared: boolean): void {
    this.#engine.spareOrigin(spared)
  }

  /** Detaches, and drops all listeners. The instance is of no more use. */
  destroy(): void {
    this.#engine.destroy()
  }

  /** Calls `listener` at each event of this name; see `ShoalEvents`. */
  on<Name extends keyof ShoalEvents>(name: Name, listener: (payload: ShoalEvents[Name]) => void): void {
    this.#engine.events.on(name, listener)
  }

  /** Takes a listener back. */
  off<Name extends keyof ShoalEvents>(name: Name, listener: (payload: ShoalEvents[Name]) => void): void {
    this.#engine.events.off(name, listener)
  }
}

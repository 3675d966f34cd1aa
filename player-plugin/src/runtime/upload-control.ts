import type { Swarm, UploadState } from '@shoal/core'
import { millis } from '@shoal/protocol'
import type { Environment } from '../browser/environment.js'
import { PlaybackGuard } from '../browser/playback-guard.js'
import { UploadConditions } from '../browser/upload-conditions.js'
import type { ResolvedOptions } from '../options/resolved-options.js'
import type { ShoalWarning } from '../stats.js'

/** Time between two looks at the player's buffer, in milliseconds. */
const LOOK_MS = 500

/** The viewer's player, as far as uploads go. */
export interface PlaybackState {
  /** Seconds of media buffered ahead of the playhead. */
  readonly ahead: number
  /** Neither paused nor at the end. */
  readonly playing: boolean
}

/** Who has a say in uploads, beside the device. */
export interface UploadAuthority {
  readonly environment: Environment
  readonly options: ResolvedOptions
  /** What `Shoal.setUploadAllowed` last said. */
  readonly uploadAllowed: boolean
  /** Null while no media is attached. */
  playback(): PlaybackState | null
  warn(code: ShoalWarning['code'], message: string): void
}

/** Tells one swarm whether it may upload: the site, the device and the viewer's own playback decide. */
export class UploadControl {
  readonly #swarm: Pick<Swarm, 'setUploads'>
  readonly #authority: UploadAuthority
  readonly #conditions: UploadConditions
  readonly #guard = new PlaybackGuard()
  #state: UploadState = 'on'
  #cancelTimer: () => void = () => {}
  #released = false

  constructor(swarm: Pick<Swarm, 'setUploads'>, authority: UploadAuthority) {
    this.#swarm = swarm
    this.#authority = authority
    this.#conditions = new UploadConditions(authority.environment.device, () => this.settle())
    this.#look()
  }

  /** Something may have changed that is not listened to. */
  settle(): void {
    if (this.#released) return
    const state = this.#decide()
    if (state === this.#state) return
    this.#state = state
    this.#swarm.setUploads(state)
  }

  /** Stops listening and looking; the swarm is told nothing more. */
  release(): void {
    this.#released = true
    this.#cancelTimer()
    this.#conditions.release()
  }

  #look(): void {
    this.settle()
    const { clock } = this.#authority.environment
    this.#cancelTimer = clock.setTimer(millis(LOOK_MS), () => this.#look())
  }

  #decide(): UploadState {
    const { environment, uploadAllowed } = this.#authority
    const { ahead, playing } = this.#authority.playback() ?? { ahead: 0, playing: false }
    const atRisk = this.#guard.atRisk(ahead, playing, environment.clock.now())
    if (!uploadAllowed || !this.#optionAllows()) return 'off'
    return atRisk ? 'paused' : 'on'
  }

  #optionAllows(): boolean {
    const { enabled } = this.#authority.options.upload
    if (typeof enabled === 'boolean') return enabled
    if (enabled === 'auto') return this.#conditions.allow
    try {
      return enabled() === true
    } catch (error) {
      this.#authority.warn('upload-check-failed', String(error))
      return false
    }
  }
}

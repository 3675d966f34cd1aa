import type { Clock, Random } from '@shoal/core'
import { type Millis, millis, type TrackId } from '@shoal/protocol'
import { sleep } from '../host/sleep.js'
import type { Logger } from '../log.js'
import { type Origin, OriginFailure, type PlaylistLoad, shownUrl, type Validators } from '../origin/origin.js'
import { backoffDelay, MAX_BACKOFF_MS } from '../source/backoff.js'
import {
  type MediaPlaylist,
  type MediaPlaylistRef,
  PlaylistError,
  parsePlaylist,
} from '../source/playlist.js'
import { reloadDelay } from '../source/reload.js'
import { type WindowChange, WindowTracker } from '../source/window.js'

/** Target durations that a segment stays after it left the window: a viewer may be that late. */
const GRACE_TARGET_DURATIONS = 3

/** Shortest longest wait after a failed load, in milliseconds: a target duration may be tiny. */
const MIN_RETRY_LIMIT_MS = 1_000

export interface FollowerEvents {
  /** A playlist was loaded that is not the one before. */
  onText(url: string, text: string, contentType: string): void
  /** @param first the first playlist, or the first of a new run: not only the newest segments */
  onAdded(playlist: MediaPlaylist, change: WindowChange, first: boolean): void
  /** These left the window a while ago, or belong to a run that has ended. */
  onGone(change: WindowChange): void
}

export interface FollowerParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly origin: Origin
  readonly variables: ReadonlyMap<string, string>
}

type Loaded = Extract<PlaylistLoad, { kind: 'loaded' }>

/** Loads one media playlist again and again until it ends. */
export class Follower {
  readonly tracks: readonly TrackId[]
  readonly url: string
  /** The newest playlist, or null before the first. */
  playlist: MediaPlaylist | null = null
  private readonly window = new WindowTracker()
  private readonly stop = new AbortController()
  /** What left the window and is still held, by what cancels its timer. */
  private readonly inGrace = new Map<() => void, WindowChange>()
  private validators: Validators | null = null
  private text: string | null = null
  private complaint: string | null = null

  constructor(
    ref: MediaPlaylistRef,
    private readonly parts: FollowerParts,
    private readonly events: FollowerEvents,
  ) {
    this.url = ref.url
    this.tracks = ref.tracks
  }

  /**
   * Follows until the playlist ends or `close` is called; never rejects.
   *
   * @param initial what was loaded already, to find out what kind of playlist it is
   */
  async run(initial: Loaded | null = null): Promise<void> {
    const { clock, random } = this.parts
    let failures = 0
    let ahead = initial
    while (!this.stop.signal.aborted) {
      const began = clock.now()
      const changed = await this.load(ahead)
      ahead = null
      failures = changed === null ? failures + 1 : 0
      if (changed !== null && this.playlist?.live === false) return
      const target = this.playlist?.targetDuration ?? millis(MAX_BACKOFF_MS)
      const delay =
        changed === null
          ? backoffDelay(failures, random(), Math.min(MAX_BACKOFF_MS, Math.max(MIN_RETRY_LIMIT_MS, target)))
          : reloadDelay(target, changed, millis(clock.now() - began))
      await sleep(clock, delay, this.stop.signal)
    }
  }

  close(): void {
    this.stop.abort()
    for (const cancel of this.inGrace.keys()) cancel()
    this.inGrace.clear()
  }

  /** Whether the playlist brought something new; null where it could not be had. */
  private async load(ahead: Loaded | null): Promise<boolean | null> {
    const { origin } = this.parts
    try {
      const load = ahead ?? (await origin.loadPlaylist(this.url, this.validators, this.stop.signal))
      if (load.kind === 'unchanged' || load.text === this.text) return false
      const changed = this.take(load)
      this.complaint = null
      return changed
    } catch (error) {
      if (this.stop.signal.aborted) return null
      this.complain(error)
      return null
    }
  }

  private take(load: Loaded): boolean {
    const playlist = parsePlaylist(load.text, load.url, this.parts.variables)
    if (playlist.kind !== 'media') throw new PlaylistError('it is a multivariant playlist')
    this.validators = load.validators
    this.text = load.text
    const first = this.playlist === null
    const change = this.window.update(playlist)
    if (change.kind === 'stale') return false
    this.playlist = playlist
    this.events.onText(this.url, load.text, load.contentType)
    if (change.kind === 'reset') {
      this.parts.log.warn(
        { url: shownUrl(this.url) },
        'the stream began anew: what was held of it is dropped',
      )
      this.endGrace()
      this.events.onGone(change)
    } else if (change.left.length > 0) {
      this.goneLater(change, millis(playlist.targetDuration * GRACE_TARGET_DURATIONS))
    }
    this.events.onAdded(playlist, change, first || change.kind === 'reset')
    return change.added.length > 0 || !playlist.live
  }

  private goneLater(change: WindowChange, delay: Millis): void {
    const cancel = this.parts.clock.setTimer(delay, () => {
      this.inGrace.delete(cancel)
      this.events.onGone(change)
    })
    this.inGrace.set(cancel, change)
  }

  /** A new run may use the same numbers and names: nothing of the old one may outlive its start. */
  private endGrace(): void {
    for (const [cancel, change] of this.inGrace) {
      cancel()
      this.events.onGone(change)
    }
    this.inGrace.clear()
  }

  /** Says the same thing once; an origin that is down is not this playlist's fault. */
  private complain(failure: unknown): void {
    if (failure instanceof OriginFailure && failure.originDown) return
    const error = failure instanceof Error ? failure.message : String(failure)
    if (error === this.complaint) return
    this.complaint = error
    this.parts.log.warn({ url: shownUrl(this.url), error }, 'cannot use this playlist: trying again')
  }
}

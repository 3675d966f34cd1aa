import type { Clock, Random } from '@shoal/core'
import { type Millis, millis, type TrackId } from '@shoal/protocol'
import { sleep } from '../host/sleep.js'
import type { Logger } from '../log.js'
import { type Origin, OriginFailure, type PlaylistLoad, shownUrl, type Validators } from '../origin/origin.js'
import { backoffDelay, MAX_BACKOFF_MS } from '../source/backoff.js'
import { BlockingReloads } from '../source/blocking.js'
import type { PartRef } from '../source/low-latency.js'
import { PartWindow } from '../source/part-window.js'
import {
  type MediaPlaylist,
  type MediaPlaylistRef,
  PlaylistError,
  parsePlaylist,
  type SegmentRef,
} from '../source/playlist.js'
import { ReloadTimer, waitUntil } from '../source/reload.js'
import { type WindowChange, WindowTracker } from '../source/window.js'

/** Target durations that a segment stays after it left the window: a viewer may be that late. */
const GRACE_TARGET_DURATIONS = 3

/** Shortest longest wait after a failed load, in milliseconds: a target duration may be tiny. */
const MIN_RETRY_LIMIT_MS = 1_000

/** Target durations without anything new from which a live playlist counts as stuck. */
const STUCK_TARGET_DURATIONS = 4

export interface FollowerEvents {
  /** A playlist was loaded that is not the one before. */
  onText(url: string, text: string, contentType: string, playlist: MediaPlaylist): void
  /** @param first the first playlist, or the first of a new run: not only the newest segments */
  onAdded(playlist: MediaPlaylist, change: WindowChange, first: boolean): void
  /** These left the window a while ago, or belong to a run that has ended. */
  onGone(change: WindowChange): void
  onParts(playlist: MediaPlaylist, added: readonly PartRef[]): void
  onPartsGone(parts: readonly PartRef[]): void
}

export interface FollowerParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly origin: Origin
  readonly variables: ReadonlyMap<string, string>
}

type Loaded = Extract<PlaylistLoad, { kind: 'loaded' }>

/** What a load has brought; null where it failed. */
type Outcome = { readonly addedMs: Millis; readonly advanced: boolean } | null

const NOTHING_NEW: Outcome = { addedMs: millis(0), advanced: false }

/** Loads one media playlist again and again until it ends. */
export class Follower {
  readonly tracks: readonly TrackId[]
  readonly url: string
  /** The newest playlist, or null before the first. */
  playlist: MediaPlaylist | null = null
  /** True from its first playlist on where that is a live one, also after it has ended. */
  everLive = false
  private readonly window = new WindowTracker()
  private readonly parts = new PartWindow()
  private readonly timer = new ReloadTimer()
  private readonly blocking = new BlockingReloads()
  private readonly stop = new AbortController()
  /** What left the window and is still held, by what cancels its timer. */
  private readonly inGrace = new Map<() => void, () => void>()
  private validators: Validators | null = null
  private text: string | null = null
  private complaint: string | null = null
  private site = 0
  /** When the playlist last brought something new, or somebody was told that it does not. */
  private advancedAt = millis(0)
  private stuck = false

  constructor(
    ref: MediaPlaylistRef,
    private readonly ports: FollowerParts,
    private readonly events: FollowerEvents,
  ) {
    this.url = ref.url
    this.tracks = ref.tracks
  }

  /** The newest entry of a segment that is listed. */
  entry(sequence: number): SegmentRef | null {
    return this.window.entry(sequence)
  }

  /**
   * Follows until the playlist ends or `close` is called; never rejects.
   *
   * @param initial what was loaded already, to find out what kind of playlist it is
   */
  async run(initial: Loaded | null = null): Promise<void> {
    const { clock } = this.ports
    let failures = 0
    let ahead = initial
    this.advancedAt = clock.now()
    while (!this.stop.signal.aborted) {
      const began = clock.now()
      const blocking = ahead === null ? this.blocking.next(this.playlist, began) : null
      const outcome = await this.load(ahead, blocking)
      ahead = null
      failures = outcome === null ? failures + 1 : 0
      if (outcome !== null && this.playlist?.live === false) return
      if (blocking !== null) this.blocking.answered(outcome?.advanced ?? false, clock.now())
      this.watch(outcome)
      await sleep(clock, this.delay(outcome, began, failures), this.stop.signal)
    }
  }

  close(): void {
    this.stop.abort()
    for (const cancel of this.inGrace.keys()) cancel()
    this.inGrace.clear()
  }

  /** How long to wait before the next load. */
  private delay(outcome: Outcome, began: Millis, failures: number): Millis {
    const { clock, random } = this.ports
    const now = clock.now()
    const { playlist } = this
    const targetDuration = playlist?.targetDuration ?? millis(MAX_BACKOFF_MS)
    if (outcome === null || playlist === null) {
      const limit = Math.min(MAX_BACKOFF_MS, Math.max(MIN_RETRY_LIMIT_MS, targetDuration))
      return backoffDelay(failures, random(), limit)
    }
    const newest = playlist.segments.at(-1)?.duration ?? targetDuration
    const due = this.timer.next({ began, targetDuration, added: outcome.addedMs, newest })
    const pace = this.blocking.pace(playlist, now)
    return pace === null ? waitUntil(due, now) : pace
  }

  /** What the load brought; null where it could not be had. */
  private async load(ahead: Loaded | null, blocking: ReturnType<BlockingReloads['next']>): Promise<Outcome> {
    const { origin } = this.ports
    const { signal } = this.stop
    try {
      const load = ahead ?? (await origin.loadPlaylist(this.url, this.validators, signal, blocking))
      if (load.kind === 'unchanged' || load.text === this.text) return NOTHING_NEW
      const outcome = this.take(load)
      this.complaint = null
      return outcome
    } catch (error) {
      if (signal.aborted) return null
      this.complain(error)
      return null
    }
  }

  private take(load: Loaded): Outcome {
    const playlist = parsePlaylist(load.text, load.url, this.ports.variables)
    if (playlist.kind !== 'media') throw new PlaylistError('it is a multivariant playlist')
    this.validators = load.validators
    this.text = load.text
    const first = this.playlist === null
    const change = this.window.update(playlist, load.site)
    if (change.kind === 'stale') return NOTHING_NEW
    const reset = change.kind === 'reset'
    if (reset || load.site !== this.site) this.timer.reset()
    this.site = load.site
    this.playlist = playlist
    if (playlist.live) {
      this.everLive = true
      this.ports.origin.pace?.(playlist.targetDuration)
    }
    this.events.onText(this.url, load.text, load.contentType, playlist)
    const grace = millis(playlist.targetDuration * GRACE_TARGET_DURATIONS)
    if (reset) {
      this.ports.log.warn(
        { url: shownUrl(this.url) },
        'the stream began anew: what was held of it is dropped',
      )
      this.endGrace()
      this.events.onGone(change)
      const parts = this.parts.clear()
      if (parts.length > 0) this.events.onPartsGone(parts)
    } else if (change.left.length > 0) {
      this.goneLater(grace, () => this.events.onGone(change))
    }
    const parts = this.parts.update(playlist)
    if (parts.left.length > 0) this.goneLater(grace, () => this.events.onPartsGone(parts.left))
    // Parts first: they are wanted sooner than the segments that they make up.
    if (parts.added.length > 0) this.events.onParts(playlist, parts.added)
    this.events.onAdded(playlist, change, first || reset)
    const addedMs = change.added.reduce((sum, { duration }) => sum + duration, 0)
    const advanced = change.added.length > 0 || parts.added.length > 0
    return { addedMs: millis(addedMs), advanced: advanced || !playlist.live }
  }

  private goneLater(delay: Millis, tell: () => void): void {
    const cancel = this.ports.clock.setTimer(delay, () => {
      this.inGrace.delete(cancel)
      tell()
    })
    this.inGrace.set(cancel, tell)
  }

  /** A new run may use the same numbers and names: nothing of the old one may outlive its start. */
  private endGrace(): void {
    for (const [cancel, tell] of this.inGrace) {
      cancel()
      tell()
    }
    this.inGrace.clear()
  }

  /** Says once that a playlist is there and stands still, and that it goes on. */
  private watch(outcome: Outcome): void {
    const { clock, log, origin } = this.ports
    const url = shownUrl(this.url)
    const now = clock.now()
    if (outcome?.advanced) {
      if (this.stuck) log.info({ url }, 'the playlist goes on')
      this.stuck = false
      this.advancedAt = now
      return
    }
    const limit = (this.playlist?.targetDuration ?? MAX_BACKOFF_MS) * STUCK_TARGET_DURATIONS
    if (outcome === null || now - this.advancedAt < limit) return
    this.advancedAt = now
    origin.mistrust?.(this.url, 'brings nothing new')
    if (this.stuck) return
    this.stuck = true
    log.warn({ url, seconds: Math.round(limit / 1000) }, 'the live playlist brings nothing new: asking on')
  }

  /** Says the same thing once; an origin that is down is not this playlist's fault. */
  private complain(failure: unknown): void {
    if (failure instanceof OriginFailure && failure.originDown) return
    const error = failure instanceof Error ? failure.message : String(failure)
    if (error === this.complaint) return
    this.complaint = error
    this.ports.log.warn({ url: shownUrl(this.url), error }, 'cannot use this playlist: trying again')
  }
}

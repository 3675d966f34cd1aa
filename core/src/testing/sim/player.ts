import { type Millis, millis } from '@shoal/protocol'
import type { Clock } from '../../ports/clock.js'
import type { SimOptions } from './sim-options.js'

/** Time to load a media playlist, in milliseconds: it is small, and beside the swarm. */
export const PLAYLIST_MS = 60
/**
 * Media that must be there before playback begins, in milliseconds: a live session begins in the
 * middle of a segment, and browsers do not start on its last frames.
 */
const START_BUFFER_MS = 1_000
/** Media that a VOD player loads ahead, in milliseconds: the plugin's buffer goal. */
const VOD_AHEAD_MS = 20_000
/** First segments of a VOD session that are its start-up. */
const VOD_STARTUP_SEGMENTS = 3

/** One segment that the player wants. */
export interface SegmentLoad {
  readonly sequence: number
  /** When playback reaches it; now for the first. */
  readonly deadline: Millis
  readonly live: boolean
  /** Part of what a session begins with: it was there before the viewer, or is its first buffer. */
  readonly startup: boolean
}

/** Loads a segment, however often that must be tried; the result cancels. */
export type LoadSegment = (load: SegmentLoad, done: () => void) => () => void

/** What a viewer saw. */
export interface PlayerRecord {
  /** From joining to the first frame, in milliseconds; null where it never came. */
  startupMs: number | null
  rebuffers: number
  stalledMs: number
  segments: number
}

/**
 * A model of hls.js: playlist first, then segments one after the other, each as soon as the one
 * before is complete and a playlist names it. Live playlists are loaded anew once a segment's
 * duration; playback begins with the first segment, `latencySeconds` behind, and waits where a
 * segment is late.
 */
export class SimPlayer {
  private readonly clock: Clock
  private readonly load: LoadSegment
  private readonly live: boolean
  private readonly joinedAt: number
  private readonly segmentMs: number
  /** A segment plays at this + its start on the media timeline + `lagMs`. */
  private readonly base: number
  private lagMs = 0
  private next: number
  private readonly first: number
  private playing = false
  private deadline = Number.POSITIVE_INFINITY
  private cancel: () => void = () => undefined
  private stopped = false
  readonly record: PlayerRecord = { startupMs: null, rebuffers: 0, stalledMs: 0, segments: 0 }

  constructor(clock: Clock, options: SimOptions, load: LoadSegment) {
    this.clock = clock
    this.load = load
    this.live = options.workload !== 'vod'
    this.segmentMs = options.segmentSeconds * 1000
    this.joinedAt = clock.now()
    const playlistAt = this.joinedAt + PLAYLIST_MS
    // On the live timeline a segment begins when it is published.
    this.base = this.live ? options.latencySeconds * 1000 : playlistAt
    this.first = this.live ? Math.max(0, Math.floor((playlistAt - this.base) / this.segmentMs)) : 0
    this.next = this.first
    this.cancel = clock.setTimer(millis(PLAYLIST_MS), () => this.request())
  }

  /** As announces tell it: live, seconds behind the edge; on demand, the position. Null before playback. */
  get playhead(): number | null {
    if (!this.playing) return null
    const behind = this.base + this.lagMs + Math.max(0, this.clock.now() - this.deadline)
    return (this.live ? behind : this.clock.now() - behind) / 1000
  }

  /** The viewer leaves, or the run ends: what is late by now counts. */
  stop(): void {
    if (this.stopped) return
    this.stopped = true
    this.cancel()
    const late = this.clock.now() - this.deadline
    if (this.playing && late > 0) this.stall(late)
  }

  /** When playback reaches a segment, as things stand. */
  private deadlineOf(sequence: number): number {
    return this.base + sequence * this.segmentMs + this.lagMs
  }

  private request(): void {
    const sequence = this.next
    const now = this.clock.now()
    this.deadline = this.deadlineOf(sequence)
    const deadline = millis(this.playing ? this.deadline : now)
    this.cancel = this.load({ sequence, deadline, live: this.live, startup: this.isStartup(sequence) }, () =>
      this.loaded(sequence),
    )
  }

  private loaded(sequence: number): void {
    if (this.stopped) return
    const now = this.clock.now()
    this.record.segments++
    if (!this.playing) this.tryStart(now)
    else if (now > this.deadline) {
      this.stall(now - this.deadline)
      this.lagMs += now - this.deadline
    }
    this.deadline = Number.POSITIVE_INFINITY
    this.next = sequence + 1
    const wait = Math.max(0, this.wantedAt(this.next) - now)
    this.cancel = this.clock.setTimer(millis(wait), () => this.request())
  }

  /** Playback begins where the live edge was when the playlist came. */
  private tryStart(now: number): void {
    const startsAt = this.joinedAt + PLAYLIST_MS
    const buffered = this.deadlineOf(this.next + 1) - startsAt
    if (buffered < START_BUFFER_MS) return
    this.playing = true
    this.record.startupMs = now - this.joinedAt
    this.lagMs = now - startsAt
  }

  private stall(lateMs: number): void {
    this.record.rebuffers++
    this.record.stalledMs += lateMs
  }

  /** When the player would ask for a segment: a playlist names it, the buffer has room. */
  private wantedAt(sequence: number): number {
    if (!this.live) return this.deadlineOf(sequence) - VOD_AHEAD_MS
    const published = sequence * this.segmentMs
    const reloads = Math.max(0, Math.ceil((published - this.joinedAt) / this.segmentMs))
    return this.joinedAt + reloads * this.segmentMs + PLAYLIST_MS
  }

  private isStartup(sequence: number): boolean {
    if (!this.live) return sequence - this.first < VOD_STARTUP_SEGMENTS
    return sequence * this.segmentMs <= this.joinedAt
  }
}

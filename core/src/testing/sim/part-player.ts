import { type Millis, millis } from '@shoal/protocol'
import type { Clock } from '../../ports/clock.js'
import { type LoadSegment, PLAYLIST_MS, type PlayerRecord } from './player.js'
import { type SimOptions, unitSecondsOf } from './sim-options.js'

/** Parts that playback waits for at the start: hls.js begins with what it has, Safari with three. */
const START_PARTS = 2

/**
 * A model of hls.js on a low-latency stream: a blocking playlist reload names each part `PLAYLIST_MS`
 * after it is published, playback begins `latencySeconds` behind the live edge and waits where a part
 * is late.
 *
 * Parts are appended one after the other; up to `ahead` are loaded at once while playback runs, as the
 * plugin has it. hls.js by itself loads one.
 */
export class PartPlayer {
  private readonly clock: Clock
  private readonly load: LoadSegment
  private readonly ahead: number
  private readonly joinedAt: number
  private readonly partMs: number
  private readonly latencyMs: number
  private lagMs = 0
  private readonly first: number
  /** The part that is to be appended next. */
  private next: number
  private playing = false
  private stopped = false
  private readonly loading = new Map<number, () => void>()
  private readonly loaded = new Set<number>()
  private cancelTimer: () => void
  readonly record: PlayerRecord = { startupMs: null, rebuffers: 0, stalledMs: 0, segments: 0 }

  constructor(clock: Clock, options: SimOptions, load: LoadSegment, ahead: number) {
    this.clock = clock
    this.load = load
    this.ahead = ahead
    this.partMs = unitSecondsOf(options) * 1000
    this.latencyMs = options.latencySeconds * 1000
    this.joinedAt = clock.now()
    const playhead = this.joinedAt + PLAYLIST_MS - this.latencyMs
    this.first = Math.floor(playhead / this.partMs) + 1
    this.next = this.first
    this.cancelTimer = clock.setTimer(millis(PLAYLIST_MS), () => this.request())
  }

  /** Seconds behind the live edge; null before playback. */
  get playhead(): number | null {
    return this.playing ? (this.latencyMs + this.lagMs) / 1000 : null
  }

  /** The viewer leaves, or the run ends: what is late by now counts. */
  stop(): void {
    if (this.stopped) return
    this.stopped = true
    this.cancelTimer()
    for (const cancel of this.loading.values()) cancel()
    const late = this.clock.now() - this.deadlineOf(this.next)
    if (this.playing && late > 0) this.stall(late)
  }

  /** A part is published when its last frame is made, and its first is played `latencySeconds` late. */
  private deadlineOf(part: number): number {
    return (part - 1) * this.partMs + this.latencyMs + this.lagMs
  }

  private namedAt(part: number): number {
    return Math.max(part * this.partMs, this.joinedAt) + PLAYLIST_MS
  }

  private request(): void {
    const now = this.clock.now()
    const limit = this.next + (this.playing ? this.ahead : 1)
    for (let part = this.next; part < limit; part++) {
      if (this.loaded.has(part) || this.loading.has(part)) continue
      const wait = this.namedAt(part) - now
      if (wait > 0) {
        this.cancelTimer()
        this.cancelTimer = this.clock.setTimer(millis(wait), () => this.request())
        return
      }
      this.begin(part, now)
    }
  }

  private begin(part: number, now: Millis): void {
    const deadline = this.playing ? millis(this.deadlineOf(part)) : now
    const startup = part * this.partMs <= this.joinedAt
    this.loading.set(
      part,
      this.load({ sequence: part, deadline, live: true, startup }, () => this.done(part)),
    )
  }

  private done(part: number): void {
    if (this.stopped) return
    this.loading.delete(part)
    this.loaded.add(part)
    while (this.loaded.delete(this.next)) this.append(this.clock.now())
    this.request()
  }

  private append(now: number): void {
    const late = now - this.deadlineOf(this.next)
    this.next++
    this.record.segments++
    if (!this.playing) this.tryStart(now)
    else if (late > 0) {
      this.stall(late)
      this.lagMs += late
    }
  }

  /** Playback begins where the playlist's live edge put it. */
  private tryStart(now: number): void {
    if (this.next - this.first < START_PARTS) return
    this.playing = true
    this.record.startupMs = now - this.joinedAt
    this.lagMs = Math.max(0, now - (this.joinedAt + PLAYLIST_MS))
  }

  private stall(lateMs: number): void {
    this.record.rebuffers++
    this.record.stalledMs += lateMs
  }
}

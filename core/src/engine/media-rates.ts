import type { Millis, TrackId } from '@shoal/protocol'

/** Tracks that are remembered at most; the one played longest ago goes. */
const MAX_TRACKS = 16

/** How many bytes the media of each track has: the size of what is to come follows from its duration. */
export class MediaRates {
  private readonly bytesPerMs = new Map<TrackId, number>()

  /** A segment or part of `bytes` that lasts `duration` came whole. */
  sample(track: TrackId, bytes: number, duration: Millis): void {
    if (duration <= 0) return
    this.bytesPerMs.delete(track)
    this.bytesPerMs.set(track, bytes / duration)
    const oldest = this.bytesPerMs.keys().next().value
    if (this.bytesPerMs.size > MAX_TRACKS && oldest !== undefined) this.bytesPerMs.delete(oldest)
  }

  /** Bytes that `duration` of the track probably has; null where nothing of it has come. */
  expect(track: TrackId, duration: Millis): number | null {
    const rate = this.bytesPerMs.get(track)
    return rate === undefined ? null : rate * duration
  }
}

import { MAX_PIECES_PER_SEGMENT, type Millis } from '@shoal/protocol'
import type { Segment } from './segment.js'

/**
 * A piece that left longer ago has spread as far as it will, in milliseconds: whoever asks for it now asks
 * because nobody else that it knows of has it. As long as a request waits at most.
 */
const SPREADS_MS = 10_000

interface Sent {
  readonly times: Uint16Array
  readonly at: Float64Array
}

/** How often each piece of each segment has left here of late. */
export class SentPieces {
  private readonly sent = new WeakMap<Segment, Sent>()

  /** A piece leaves. */
  note(segment: Segment, piece: number, now: Millis): void {
    const times = this.times(segment, piece, now)
    const sent = this.sent.get(segment) ?? {
      times: new Uint16Array(MAX_PIECES_PER_SEGMENT),
      at: new Float64Array(MAX_PIECES_PER_SEGMENT),
    }
    this.sent.set(segment, sent)
    sent.times[piece] = times + 1
    sent.at[piece] = now
  }

  times(segment: Segment, piece: number, now: Millis): number {
    const sent = this.sent.get(segment)
    if (sent === undefined || now - (sent.at[piece] ?? 0) > SPREADS_MS) return 0
    return sent.times[piece] ?? 0
  }
}

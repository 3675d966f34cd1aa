import { type Millis, millis } from '@shoal/protocol'
import type { Clock } from '../../ports/clock.js'

/** A clock that goes wrong by a constant and by a rate: what one machine's is to another's. */
export class SkewedClock implements Clock {
  private readonly clock: Clock
  private readonly offsetMs: number
  private readonly rate: number

  /** @param offsetMs ahead of `clock` at its 0; @param rate its milliseconds in one of `clock` */
  constructor(clock: Clock, offsetMs: number, rate: number) {
    this.clock = clock
    this.offsetMs = offsetMs
    this.rate = rate
  }

  now(): Millis {
    return this.at(this.clock.now())
  }

  setTimer(delay: Millis, callback: () => void): () => void {
    return this.clock.setTimer(millis(delay / this.rate), callback)
  }

  /** What this clock shows when the true one shows `time`. */
  at(time: number): Millis {
    return millis(this.offsetMs + time * this.rate)
  }
}

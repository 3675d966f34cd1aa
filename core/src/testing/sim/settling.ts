import type { VirtualClock } from '../virtual-clock.js'

/** Turns of the microtask queue in which everything that one event promised has been told. */
const TURNS = 6

/**
 * Lets promises settle between timers, only where there are any: to wait after each of a hundred
 * million timers would take longer than the timers.
 *
 * Whoever makes a promise that the swarm waits for, or calls the swarm in a way that makes one, says
 * so with `mark`.
 */
export class Settling {
  private pending = false

  /** A promise is under way. */
  mark(): void {
    this.pending = true
  }

  promise<T>(value: T): Promise<T> {
    this.pending = true
    return Promise.resolve(value)
  }

  /** Runs the clock to `until`, in milliseconds. */
  async run(clock: VirtualClock, until: number): Promise<void> {
    for (;;) {
      await this.settle()
      const left = until - clock.now()
      if (!clock.runUntil(() => this.pending, left)) return
    }
  }

  private async settle(): Promise<void> {
    while (this.pending) {
      this.pending = false
      for (let turn = 0; turn < TURNS; turn++) await undefined
    }
  }
}

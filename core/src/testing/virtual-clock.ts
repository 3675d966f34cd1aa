import { type Millis, millis } from '@shoal/protocol'
import type { Clock } from '../ports/clock.js'
import { type Timer, TimerQueue } from './timer-queue.js'

/**
 * Turns of the microtask queue given to promises after the timers of one instant, by default.
 *
 * Promises that depend on nothing but each other (a plain-function SHA-256 behind `await`) settle
 * within a few turns; work on a thread pool does not, and needs a `settle` of its own.
 */
const SETTLE_TURNS = 20

async function settleMicrotasks(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn++) await undefined
}

/**
 * Time that moves only when told to. Timers run in the order of their time, then of their setting,
 * inside `advance`, `advanceAsync` and the `runUntil` methods; what a timer throws comes out there.
 */
export class VirtualClock implements Clock {
  #now: number
  #order = 0
  #cancelled = 0
  #running = false
  /** Cancelled timers stay in it until they surface or outnumber the rest. */
  readonly #timers = new TimerQueue()

  constructor(startMs = 0) {
    this.#now = startMs
  }

  now(): Millis {
    return millis(this.#now)
  }

  setTimer(delay: Millis, callback: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, delay), order: this.#order++, callback }
    this.#timers.push(timer)
    return () => {
      if (timer.callback === null) return
      timer.callback = null
      this.#cancelled++
      if (this.#cancelled > 1024 && this.#cancelled * 2 > this.#timers.size) this.#compact()
    }
  }

  /** Timers set and neither run nor cancelled. */
  get pendingTimers(): number {
    return this.#timers.size - this.#cancelled
  }

  /** When the next timer is due, or null without one. */
  get nextTimerAt(): Millis | null {
    const timer = this.#peek()
    return timer === undefined ? null : millis(timer.at)
  }

  /** Lets `ms` milliseconds pass, running the timers that fall due. */
  advance(ms: number): void {
    this.#guarded(() => {
      const target = this.#now + ms
      while (this.#runNext(target)) {
        // each call runs one timer
      }
      this.#now = target
    })
  }

  /**
   * Runs timers one by one until `condition` holds, for `limitMs` milliseconds of virtual time at most.
   *
   * @returns whether the condition came to hold; time stands at the timer that made it so
   */
  runUntil(condition: () => boolean, limitMs: number): boolean {
    return this.#guarded(() => {
      const target = this.#now + limitMs
      while (!condition()) {
        if (this.#runNext(target)) continue
        this.#now = target
        return condition()
      }
      return true
    })
  }

  /** As `advance`, with a chance for promises to settle before the first timer and after each instant. */
  async advanceAsync(ms: number, settle: () => Promise<void> = settleMicrotasks): Promise<void> {
    const target = this.#now + ms
    do await settle()
    while (this.#runInstant(target))
    this.#now = target
  }

  /**
   * As `runUntil`, with a chance for promises to settle. The condition is looked at between instants;
   * what it sets off itself settles before time moves on.
   */
  async runUntilAsync(
    condition: () => boolean,
    limitMs: number,
    settle: () => Promise<void> = settleMicrotasks,
  ): Promise<boolean> {
    const target = this.#now + limitMs
    do {
      await settle()
      if (condition()) return true
      await settle()
    } while (this.#runInstant(target))
    this.#now = target
    return condition()
  }

  /** Runs all timers of the next instant that has any, up to `limit`; false where there are none. */
  #runInstant(limit: number): boolean {
    const next = this.#peek()
    if (next === undefined || next.at > limit) return false
    this.#guarded(() => {
      while (this.#runNext(next.at)) {
        // each call runs one timer
      }
    })
    return true
  }

  #guarded<T>(run: () => T): T {
    if (this.#running) throw new Error('a timer must not advance the clock that runs it')
    this.#running = true
    try {
      return run()
    } finally {
      this.#running = false
    }
  }

  #runNext(limit: number): boolean {
    const timer = this.#peek()
    if (timer === undefined || timer.at > limit) return false
    this.#timers.pop()
    this.#now = Math.max(this.#now, timer.at)
    const { callback } = timer
    timer.callback = null
    callback?.()
    return true
  }

  #peek(): Timer | undefined {
    for (;;) {
      const top = this.#timers.peek()
      if (top === undefined || top.callback !== null) return top
      this.#timers.pop()
      this.#cancelled--
    }
  }

  #compact(): void {
    this.#timers.compact()
    this.#cancelled = 0
  }
}

import { MAX_TOKEN_CHARS, millis } from '@shoal/protocol'
import type { Clock } from '../ports/clock.js'
import type { SwarmOptions } from './swarm-api.js'

/** A host that has not given a token by then gives none, in milliseconds. */
const TOKEN_TIMEOUT_MS = 10_000

/** The join token of one member, asked of its host where that is a function. */
export class JoinToken {
  /** Undefined where there is none. */
  value: string | undefined
  private readonly source: SwarmOptions['token']
  private readonly clock: Clock
  /** The host is to be asked before the next use. */
  private stale: boolean
  /** Those who wait for the host; null while it is not asked. */
  private waiting: (() => void)[] | null = null

  constructor(source: SwarmOptions['token'], clock: Clock) {
    this.source = source
    this.clock = clock
    this.stale = typeof source === 'function'
    if (typeof source === 'string') this.value = source
  }

  /** The host may have another one. */
  get renewable(): boolean {
    return typeof this.source === 'function'
  }

  /** The token was refused: the next use asks for another. */
  refused(): void {
    this.stale = this.renewable
  }

  /** Calls back once, at once where nothing has to be asked. */
  ready(then: () => void): void {
    const { source } = this
    if (this.waiting !== null) {
      this.waiting.push(then)
      return
    }
    if (!this.stale || typeof source !== 'function') return then()
    this.stale = false
    const waiting = [then]
    this.waiting = waiting
    const end = (token?: unknown): void => {
      if (this.waiting !== waiting) return
      this.waiting = null
      cancel()
      // Without one the tracker may let us in all the same, or says what is missing.
      this.value = typeof token === 'string' && token.length <= MAX_TOKEN_CHARS ? token : undefined
      for (const call of waiting) call()
    }
    const cancel = this.clock.setTimer(millis(TOKEN_TIMEOUT_MS), end)
    new Promise((resolve) => resolve(source())).then(end, () => end())
  }
}

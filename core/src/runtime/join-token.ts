import { millis } from '@shoal/protocol'
import type { Clock } from '../ports/clock.js'
import type { SwarmOptions } from './swarm-api.js'

/** Longest token that a tracker takes, in characters (docs/protocol.md). */
const MAX_TOKEN_CHARS = 2048

/** A host that has not given a token by then gives none, in milliseconds. */
const TOKEN_TIMEOUT_MS = 10_000

/** The join token of one member, asked of its host where that is a function. */
export class JoinToken {
  /** Undefined where there is none. */
  value: string | undefined
  private readonly source: SwarmOptions['token']
  private readonly clock: Clock
  private asked = false

  constructor(source: SwarmOptions['token'], clock: Clock) {
    this.source = source
    this.clock = clock
    if (typeof source === 'string') this.value = source
  }

  /** The host may have another one. */
  get renewable(): boolean {
    return typeof this.source === 'function'
  }

  /**
   * Calls back once, at once where nothing has to be asked.
   *
   * @param renew the token is not good any more: ask for another
   */
  ready(renew: boolean, then: () => void): void {
    const { source } = this
    if (typeof source !== 'function' || (this.asked && !renew)) return then()
    this.asked = true
    let over = false
    const end = (token?: unknown): void => {
      if (over) return
      over = true
      cancel()
      // Without one the tracker may let us in all the same, or says what is missing.
      this.value = typeof token === 'string' && token.length <= MAX_TOKEN_CHARS ? token : undefined
      then()
    }
    const cancel = this.clock.setTimer(millis(TOKEN_TIMEOUT_MS), end)
    new Promise((resolve) => resolve(source())).then(end, () => end())
  }
}

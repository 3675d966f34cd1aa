import type { Logger } from '../log.js'
import { type Origin, OriginFailure } from '../origin/origin.js'
import type { Counters } from './counters.js'

/** Failures in a row before the origin counts as down: one lost connection is no outage. */
const DOWN_AFTER_FAILURES = 2

export interface OriginState {
  readonly state: 'up' | 'down'
  /** What the last failure was, while it is down. */
  readonly error: string | null
}

/** Says once that the origin went, and once that it came back. */
export class OriginHealth {
  private failures = 0
  private error: string | null = null

  constructor(
    private readonly log: Logger,
    /** The origin answers again: what waits may go on. */
    private readonly onUp: () => void,
  ) {}

  get state(): OriginState {
    const down = this.failures >= DOWN_AFTER_FAILURES
    return { state: down ? 'down' : 'up', error: down ? this.error : null }
  }

  /** @param silent it let a request wait for longer than a segment lasts: that is no lost connection */
  failed(error: string, silent: boolean): void {
    const wasDown = this.failures >= DOWN_AFTER_FAILURES
    this.failures = silent ? Math.max(this.failures + 1, DOWN_AFTER_FAILURES) : this.failures + 1
    this.error = error
    if (!wasDown && this.failures >= DOWN_AFTER_FAILURES) {
      this.log.warn({ error }, 'the origin is down: serving what is here and trying again')
    }
  }

  succeeded(): void {
    const wasDown = this.failures >= DOWN_AFTER_FAILURES
    this.failures = 0
    if (!wasDown) return
    this.log.info({}, 'the origin is back')
    this.onUp()
  }
}

/** The same origin, with every answer and failure told to `health`, and counted. */
export function watchedOrigin(origin: Origin, health: OriginHealth, counters: Counters): Origin {
  const watch = async <T>(load: Promise<T>): Promise<T> => {
    counters.originRequests++
    try {
      const loaded = await load
      health.succeeded()
      return loaded
    } catch (error) {
      if (error instanceof OriginFailure && error.kind !== 'aborted') {
        counters.originFailures++
        if (error.originDown) health.failed(error.message, error.kind === 'silent')
        else health.succeeded()
      }
      throw error
    }
  }
  return {
    loadPlaylist: (url, validators, signal, blocking) =>
      watch(origin.loadPlaylist(url, validators, signal, blocking)),
    loadSegment: async (source, signal) => {
      const bytes = await watch(origin.loadSegment(source, signal))
      counters.originBytes += bytes.byteLength
      return bytes
    },
    pace: (targetDuration) => origin.pace?.(targetDuration),
    mistrust: (url, reason) => origin.mistrust?.(url, reason),
  }
}

import { setTimeout as sleep } from 'node:timers/promises'

/** How far behind its schedule the bucket may catch up, in ms: timers fire up to a few ms late. */
const CATCH_UP_MS = 20

/**
 * One link that all responses share. Each response takes a chunk at a time, so the responses of the
 * moment get equal shares.
 */
export class TokenBucket {
  /** Bytes per second; `null` is no limit. */
  rate: number | null = null
  private freeAt = 0

  /** Resolves when `bytes` more have passed the link. */
  async take(bytes: number): Promise<void> {
    if (this.rate === null) return
    const now = performance.now()
    this.freeAt = Math.max(this.freeAt, now - CATCH_UP_MS) + (bytes / this.rate) * 1000
    if (this.freeAt > now) await sleep(this.freeAt - now)
  }
}

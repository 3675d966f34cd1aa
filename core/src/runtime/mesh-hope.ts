import { millis } from '@shoal/protocol'
import type { Clock } from '../ports/clock.js'
import type { MeshLinks } from './mesh-links.js'

/** How long after the start, an announce or an offer a connection may be hoped for, in milliseconds. */
const HOPE_MS = 3_000

/** Whether it makes sense to wait a moment for a first connection. */
export class MeshHope {
  private readonly clock: Clock
  private readonly links: MeshLinks
  /** The tracker may still name somebody. */
  private readonly mayHear: () => boolean
  private readonly changed: (hopeful: boolean) => void
  private cancelTimer: () => void = () => undefined
  private until: number
  private hopeful = false

  constructor(clock: Clock, links: MeshLinks, mayHear: () => boolean, changed: (hopeful: boolean) => void) {
    this.clock = clock
    this.links = links
    this.mayHear = mayHear
    this.changed = changed
    this.until = clock.now() + HOPE_MS
  }

  /** The tracker is asked from now on. */
  renew(): void {
    this.until = this.clock.now() + HOPE_MS
    this.update()
  }

  /** To be called when a connection, an offer or the tracker has changed. */
  update(): void {
    this.cancelTimer()
    const now = this.clock.now()
    const until = this.ends()
    const hopeful = this.links.openCount === 0 && until > now
    if (hopeful) this.cancelTimer = this.clock.setTimer(millis(until - now + 1), () => this.update())
    if (hopeful === this.hopeful) return
    this.hopeful = hopeful
    this.changed(hopeful)
  }

  close(): void {
    this.cancelTimer()
  }

  private ends(): number {
    if (!this.links.possible) return 0
    let until = 0
    for (const entry of this.links.all) {
      if (entry.remote !== null && entry.hoped) until = Math.max(until, entry.createdAt + HOPE_MS)
    }
    return this.mayHear() ? Math.max(until, this.until) : until
  }
}

import { millis } from '@shoal/protocol'
import type { LinkId } from '../engine/io.js'
import type { Clock } from '../ports/clock.js'
import type { PeerLink } from '../ports/link.js'

/** Time between two looks, in milliseconds, and connections that one takes, in turn. */
const LOOK_MS = 1_000
/**
 * To read a browser connection's statistics costs about a millisecond of CPU time, more than it takes to send
 * 32 KiB: so many bytes are worth one more reading. One without any keeps the least round trips known.
 */
const BYTES_PER_READING = 32 * 1024
const MAX_LINKS_PER_LOOK = 8

/** Reads the round trips of open connections, where their transport measures them. */
export class RoundTrips {
  /** In the order in which they are looked at. */
  private readonly open = new Set<LinkId>()
  /** Being read: a connection that does not answer is not asked again. */
  private readonly reading = new Set<LinkId>()
  private readonly clock: Clock
  private readonly link: (id: LinkId) => PeerLink | null
  private readonly tell: (id: LinkId, roundTripMs: number) => void
  private cancelTimer: (() => void) | null = null
  /** Bytes sent since the last look. */
  private bytes = 0

  /** @param link null for a connection that has ended */
  constructor(
    clock: Clock,
    link: (id: LinkId) => PeerLink | null,
    tell: (id: LinkId, roundTripMs: number) => void,
  ) {
    this.clock = clock
    this.link = link
    this.tell = tell
  }

  /** A connection has opened. */
  add(id: LinkId): void {
    if (this.link(id)?.roundTrip === undefined) return
    this.open.add(id)
    this.schedule()
  }

  /** So many bytes were handed to a connection. */
  sent(bytes: number): void {
    this.bytes += bytes
  }

  close(): void {
    this.cancelTimer?.()
    this.open.clear()
  }

  private schedule(): void {
    if (this.open.size > 0) this.cancelTimer ??= this.clock.setTimer(millis(LOOK_MS), () => this.look())
  }

  private look(): void {
    this.cancelTimer = null
    const links = Math.min(MAX_LINKS_PER_LOOK, 1 + Math.floor(this.bytes / BYTES_PER_READING))
    this.bytes = 0
    for (const id of [...this.open].slice(0, links)) {
      this.open.delete(id)
      const link = this.link(id)
      if (link === null) continue
      this.open.add(id)
      this.read(id, link)
    }
    this.schedule()
  }

  private read(id: LinkId, link: PeerLink): void {
    if (this.reading.has(id)) return
    const answer = link.roundTrip?.()
    if (answer === undefined) return
    this.reading.add(id)
    const done = (roundTripMs: number | null): void => {
      this.reading.delete(id)
      if (roundTripMs !== null) this.tell(id, roundTripMs)
    }
    // A connection that ends meanwhile has nothing to tell.
    answer.then(done, () => done(null))
  }
}

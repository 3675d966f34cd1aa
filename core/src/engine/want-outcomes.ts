import type { OriginError } from '../ports/origin.js'
import type { DownloadParts } from './download-parts.js'
import type { Segment } from './segment.js'
import { isWhole, loadedBytes, type Want } from './want.js'

/** Peers that have completed no piece for this long do not make up for a failing origin, in milliseconds. */
const HELP_MS = 8_000

/** How wants go on and end, and what the host hears of it. */
export class WantOutcomes {
  private readonly parts: DownloadParts

  constructor(parts: DownloadParts) {
    this.parts = parts
  }

  /** Nobody wants it any more. */
  unwant(want: Want): void {
    const { wants, origin, pieces, events } = this.parts
    origin.cancel(want)
    this.end(want)
    if (!wants.isWanted(want.segment)) pieces.cancel(want.segment)
    events.segmentChanged(want.segment)
  }

  progress(want: Want): void {
    if (want.ahead) return
    const total = want.segment.size
    this.parts.options.emit({ type: 'progress', wantId: want.id, loaded: loadedBytes(want), total })
  }

  finishIfWhole(want: Want): void {
    const { segment } = want
    if (isWhole(segment) && segment.buffer !== null && this.parts.wants.has(want.id))
      this.finish(want, segment.buffer)
  }

  /** All bytes are here. */
  finish(want: Want, bytes: Uint8Array): void {
    if (want.ahead) return this.end(want)
    this.parts.origin.cancel(want)
    this.end(want)
    const result = this.parts.tally.settle(want, bytes, this.parts.now)
    this.parts.options.emit({ type: 'done', wantId: want.id, result })
    this.parts.events.segmentChanged(want.segment)
  }

  /** Forgets the want. */
  end(want: Want): void {
    this.parts.wants.delete(want.id)
    if (this.parts.wants.isWanted(want.segment)) return
    this.setReceiving(want.segment, false)
    this.parts.requests.settled(want.segment.key, this.parts.events.readyPeers())
  }

  /** The origin fails for good: the host hears it where no peer makes up for it. */
  originFailed(want: Want, error: OriginError): void {
    this.parts.events.segmentChanged(want.segment)
    const helped = this.parts.events.readyPeers().some((peer) => peer.offers(want.segment.id))
    // A peer that only says that it has the segment must not keep the error from the player.
    const helping = (helped && this.parts.now - want.progressAt < HELP_MS) || this.mayBeHelped(want)
    if (helping && !want.segment.httpOnly) return
    this.end(want)
    this.parts.options.emit({ type: 'failed', wantId: want.id, error })
  }

  /** At a live edge a neighbour may be about to have it; half of the time left is the player's. */
  private mayBeHelped({ wanted, deadline, startedAt }: Want): boolean {
    if (!wanted.live || (startedAt + deadline) / 2 <= this.parts.now) return false
    return this.parts.events.readyPeers().some((peer) => peer.usable(this.parts.now))
  }

  /** Whether pieces of the segment are asked of peers. */
  setReceiving(segment: Segment, receiving: boolean): void {
    if (segment.receiving === receiving) return
    segment.receiving = receiving
    this.parts.events.segmentChanged(segment)
  }
}

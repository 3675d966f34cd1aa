import type { Integrity } from '../runtime/swarm-api.js'
import type { DownloadParts } from './download-parts.js'
import type { Peer } from './peer.js'
import type { Segment } from './segment.js'

/** Takes back what was believed of segments and is not to be believed any more. */
export class Retractions {
  private readonly parts: DownloadParts

  constructor(parts: DownloadParts) {
    this.parts = parts
  }

  /** What a peer said of the segment is not what the origin serves: it is not believed for a while. */
  manifestWrong(segment: Segment): void {
    const { manifestAuthor, manifestSource } = segment
    this.parts.lists.wrong(segment)
    this.manifestDropped(segment)
    // Whoever passes a signed one on has not made it.
    if (manifestAuthor !== null && manifestSource !== 'trusted')
      this.parts.blame.distrust(manifestAuthor, this.parts.now)
  }

  /** What is known of the segment from peers is not to be used: only the origin counts. */
  manifestDropped(segment: Segment): void {
    this.parts.pieces.cancel(segment)
    for (const want of this.parts.wants.of(segment)) this.parts.origin.cancel(want)
    this.parts.origin.manifestWasWrong(segment)
    this.parts.events.manifestLost(segment)
    segment.reset()
    segment.httpOnly = true
    this.parts.events.segmentChanged(segment)
    if (!this.parts.wants.isWanted(segment)) this.parts.events.segmentRevoked(segment)
  }

  /** Drops everything that was taken on the word of a peer which said what is not so. */
  distrusted(peer: Peer): void {
    this.parts.pieces.withdraw(peer)
    for (const segment of [...this.parts.options.store.values()]) {
      if (segment.manifestAuthor === peer.link && !segment.certain) this.forget(segment)
    }
  }

  /** Forgets what peers said of a segment; others may say it anew. */
  private forget(segment: Segment): void {
    this.manifestDropped(segment)
    segment.httpOnly = false
    this.parts.requests.settled(segment.key, this.parts.events.readyPeers())
  }

  /** Another level of integrity holds: what does not count by it is forgotten. */
  setLevel(level: Integrity): void {
    if (level === this.parts.trust.level) return
    this.parts.trust.level = level
    this.levelChanged()
    const { needsSignature } = this.parts.trust
    for (const segment of [...this.parts.options.store.values()]) {
      const { manifest, manifestSource } = segment
      if (manifest === null || manifestSource === 'trusted') continue
      if (!segment.certain) {
        if (needsSignature) this.forget(segment)
      } else if (manifest.signature === null && segment.withheld !== needsSignature && !segment.external) {
        segment.withheld = needsSignature
        this.parts.events.segmentChanged(segment)
      }
    }
  }

  levelChanged(): void {
    this.parts.options.election.leastSeats = this.parts.trust.level === 'attested' ? 2 : 1
  }
}

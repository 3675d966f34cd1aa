import type { Peer } from './peer.js'
import type { Segment } from './segment.js'

/** Corrupt pieces of one peer after which it is dropped: one may be a broken network or memory. */
const MAX_CORRUPT_PIECES = 2

/** Peers whose bytes must not fit a peer's manifest before the manifest counts as wrong. */
const MIN_WITNESSES = 2

/** What follows for peers. */
export interface BlameEvents {
  /** The peer gave manifests that are not the origin's. */
  misbehaved(peer: Peer): void
  /** The peer sent pieces that are not the manifest's. */
  corrupted(peer: Peer): void
  /** Peers whose Hello has come. */
  readyPeers(): readonly Peer[]
}

/** Who is to blame where bytes and manifest do not fit: whoever sent the ones, or whoever made the other. */
export class Blame {
  private readonly events: BlameEvents

  constructor(events: BlameEvents) {
    this.events = events
  }

  /** A peer's piece does not fit the manifest. True where that makes the manifest the lie. */
  corruptPiece(segment: Segment, piece: number, peer: Peer): boolean {
    const accused = segment.accuse(piece, peer.link)
    const signed = segment.manifestSource === 'trusted' || segment.manifestSource === 'own'
    if (signed || segment.manifestAuthor === peer.link) this.convict(segment, piece)
    // Peers that know nothing of each other sent what does not fit: the manifest lies, not they.
    else if (accused >= MIN_WITNESSES) return true
    return false
  }

  /** The manifest of a piece holds: whoever sent other bytes for it sent corrupt ones. */
  convict(segment: Segment, piece: number): void {
    const links = segment.convict(piece)
    if (links.length === 0) return
    for (const peer of this.events.readyPeers()) {
      if (!links.includes(peer.link)) continue
      if (++peer.corrupt >= MAX_CORRUPT_PIECES) this.events.corrupted(peer)
    }
  }

  /** The manifest is not of what the origin serves. */
  wrongManifest({ manifestAuthor }: Segment): void {
    const author = this.events.readyPeers().find((peer) => peer.link === manifestAuthor)
    if (author !== undefined && ++author.corrupt >= MAX_CORRUPT_PIECES) this.events.misbehaved(author)
  }
}

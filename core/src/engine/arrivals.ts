import type { DownloadParts } from './download-parts.js'
import type { Peer } from './peer.js'
import type { PieceRequest } from './piece-request.js'
import type { Retractions } from './retractions.js'
import { contradicts, type Segment } from './segment.js'
import type { Want } from './want.js'
import type { WantOutcomes } from './want-outcomes.js'

/** What follows when bytes come and are found right or wrong. */
export class Arrivals {
  private readonly parts: DownloadParts
  private readonly outcomes: WantOutcomes
  private readonly retractions: Retractions

  constructor(parts: DownloadParts, outcomes: WantOutcomes, retractions: Retractions) {
    this.parts = parts
    this.outcomes = outcomes
    this.retractions = retractions
  }

  /** A peer has sent all chunks of a piece. */
  pieceArrived(peer: Peer, request: PieceRequest): void {
    for (const want of this.parts.wants.of(request.segment)) {
      want.firstByteAt ??= request.firstDataAt
      want.progressAt = this.parts.now
    }
    this.parts.verifier.checkPiece(request.segment, request.piece, peer, request.data)
  }

  /** HTTP has brought a piece. */
  pieceLoaded(want: Want, piece: number): void {
    const { segment } = want
    segment.fromHttp.add(piece)
    if (segment.asked.has(piece)) this.parts.pieces.cancel(segment, (asked) => asked === piece)
    const span = segment.pieceSpan(piece)
    this.parts.tally.count(segment, 'http', span.end - span.start)
    this.parts.verifier.checkPiece(segment, piece, null)
    for (const other of this.parts.wants.of(segment)) {
      other.firstByteAt ??= want.firstByteAt
      this.outcomes.finishIfWhole(other)
    }
  }

  /** A piece has the hash of its manifest; `peer` is null where HTTP brought it. */
  pieceVerified(segment: Segment, piece: number, peer: Peer | null): void {
    this.parts.blame.fits(segment, piece, peer === null, this.parts.now)
    this.parts.events.pieceVerified(segment, piece)
    this.parts.events.segmentChanged(segment)
    if (peer !== null) {
      const span = segment.pieceSpan(piece)
      peer.verifiedBytes += span.end - span.start
      if (!segment.certain) this.parts.checks.earned(span.end - span.start)
      this.parts.tally.count(segment, peer.source, span.end - span.start)
    } else if (segment.complete && segment.manifestSource === 'own' && segment.certain) this.ownWhole(segment)
    for (const want of this.parts.wants.of(segment)) {
      this.outcomes.progress(want)
      this.outcomes.finishIfWhole(want)
    }
  }

  /** A piece has another hash. */
  pieceCorrupt(segment: Segment, piece: number, peer: Peer | null, digest: Uint8Array): void {
    if (peer === null) {
      if (this.parts.origin.pieceWrong(segment, piece, this.parts.now)) return
      // The origin's own bytes do not fit: the manifest is not of what the origin serves.
      this.retractions.manifestWrong(segment)
      return
    }
    this.parts.corruptPieces++
    const verdict = this.parts.blame.corruptPiece(segment, piece, peer, digest, this.parts.now)
    if (verdict === 'manifest-lies') this.retractions.manifestDropped(segment)
    if (verdict === 'settled') return
    // What else it was asked for is better asked of others until it is known who is wrong.
    this.parts.pieces.withdraw(peer)
    this.parts.checks.doubt(segment, piece)
  }

  /** HTTP has brought a segment of which no manifest is known. */
  segmentLoaded(want: Want, bytes: Uint8Array, certain: boolean): void {
    const { segment } = want
    this.parts.tally.count(segment, 'http', bytes.byteLength)
    if (certain) this.parts.verifier.makeManifest(segment, bytes, want.wanted.range?.start ?? 0)
    for (const other of this.parts.wants.of(segment)) {
      other.firstByteAt ??= want.firstByteAt
      this.outcomes.finish(other, bytes)
    }
  }

  /** All of it came from the origin, and tells who lied of it. */
  private ownWhole(segment: Segment): void {
    for (const { link, manifest } of segment.contradictions) {
      if (contradicts(segment, manifest)) this.parts.blame.distrust(link, this.parts.now)
    }
    segment.contradictions = []
    this.parts.lists.loaded(segment, this.parts.now)
  }

  /** The manifest of what HTTP brought has been made. */
  manifestMade(segment: Segment): void {
    this.ownWhole(segment)
    this.parts.vouched.loaded(segment)
    for (const piece of segment.verified.toArray()) this.parts.events.pieceVerified(segment, piece)
    this.parts.events.segmentChanged(segment)
    for (const want of this.parts.wants.of(segment)) this.outcomes.finishIfWhole(want)
  }

  /** What was held unsigned has got its signature: it may be passed on. */
  signed(segment: Segment): void {
    this.parts.events.manifestKnown(segment)
    for (const piece of segment.verified.toArray()) this.parts.events.pieceVerified(segment, piece)
    this.parts.events.segmentChanged(segment)
  }
}

import type { Millis } from '@shoal/protocol'
import type { Peer } from './peer.js'
import { PieceSet } from './piece-set.js'
import type { Segment } from './segment.js'
import { isLoading } from './want.js'

/** A peer and the pieces of a segment that it holds. */
export interface Offer {
  readonly peer: Peer
  readonly held: PieceSet
}

/** Pieces that are neither here nor on their way. */
export function openPieces(segment: Segment): PieceSet {
  const open = PieceSet.first(segment.manifest?.hashes.length ?? 0)
  open.removeAll(segment.verified)
  open.removeAll(segment.fromHttp)
  open.removeAll(segment.hashing)
  open.removeAll(segment.asked)
  if (segment.loading === null) return open
  for (const piece of open.toArray()) if (isLoading(segment, piece)) open.delete(piece)
  return open
}

/** Bytes of the smallest of some pieces: only the segment's last one may be shorter than the others. */
export function leastBytes(segment: Segment, pieces: PieceSet): number {
  const last = segment.pieceCount - 1
  const { start, end } = segment.pieceSpan(pieces.has(last) ? last : 0)
  return end - start
}

/** Who may be asked for what of a segment now. */
export function offersOf(segment: Segment, peers: readonly Peer[], now: Millis): Offer[] {
  const offers: Offer[] = []
  for (const peer of peers) {
    const held = peer.usable(now) ? peer.have.piecesOf(segment.id) : null
    if (held !== null) offers.push({ peer, held })
  }
  return offers
}

/**
 * Of the open pieces those that a taker holds, by how few peers hold them; of equals, first those that come
 * after piece `from`, and round (`Segment.firstChoice`).
 */
export function rarestFirst(
  segment: Segment,
  open: PieceSet,
  offers: readonly Offer[],
  takers: readonly Offer[],
  from: number,
): number[] {
  const count = segment.pieceCount
  const within = new PieceSet()
  for (const { held } of takers) within.addAll(held)
  const ranked: { piece: number; holders: number; order: number }[] = []
  for (const piece of open.toArray()) {
    if (!within.has(piece)) continue
    let holders = 0
    for (const { peer, held } of offers) {
      if (held.has(piece) && !segment.isAccused(piece, peer.link)) holders++
    }
    ranked.push({ piece, holders, order: (piece - from + count) % count })
  }
  return ranked.sort((a, b) => a.holders - b.holders || a.order - b.order).map(({ piece }) => piece)
}

/** Of the open pieces those that only one of the offers holds. */
export function onlyHeldOnce(open: PieceSet, offers: readonly Offer[]): PieceSet {
  const once = new PieceSet()
  const again = new PieceSet()
  for (const { held } of offers) {
    again.addCommon(once, held)
    once.addAll(held)
  }
  once.removeAll(again)
  const pieces = new PieceSet()
  pieces.addCommon(once, open)
  return pieces
}

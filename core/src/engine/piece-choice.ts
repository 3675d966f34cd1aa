import type { Millis } from '@shoal/protocol'
import type { Random } from '../ports/clock.js'
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

/** Of the open pieces those that a taker holds, by how few peers hold them; chance decides between equals. */
export function rarestFirst(
  segment: Segment,
  open: PieceSet,
  offers: readonly Offer[],
  takers: readonly Offer[],
  random: Random,
): number[] {
  const within = new PieceSet()
  for (const { held } of takers) within.addAll(held)
  const ranked: { piece: number; holders: number; order: number }[] = []
  for (const piece of open.toArray()) {
    if (!within.has(piece)) continue
    let holders = 0
    for (const { peer, held } of offers) {
      if (held.has(piece) && !segment.isAccused(piece, peer.link)) holders++
    }
    ranked.push({ piece, holders, order: random() })
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

/**
 * The taker that would deliver a piece soonest, +-10 % so that equals share the load.
 *
 * A peer that alone holds other wanted pieces (`sole`) is left to those where anybody else holds this
 * one: null then, until one of the others has room.
 */
export function bestProvider(
  segment: Segment,
  piece: number,
  { offers, takers, sole, now, random }: Choice,
): Peer | null {
  const { start, end } = segment.pieceSpan(piece)
  const bytes = end - start
  const fits = ({ peer, held }: Offer): boolean => held.has(piece) && !segment.isAccused(piece, peer.link)
  const busy = sole.size > 0 && offers.some((offer) => fits(offer) && !sole.has(offer.peer))
  let best: Peer | null = null
  let bestEta = Number.POSITIVE_INFINITY
  for (const offer of takers) {
    const { peer } = offer
    if (!fits(offer) || !peer.hasRoom(bytes) || (busy && sole.has(peer))) continue
    const eta = peer.eta(bytes, now) * (0.9 + 0.2 * random())
    if (eta < bestEta) {
      best = peer
      bestEta = eta
    }
  }
  return best
}

/** What a provider is chosen from. */
export interface Choice {
  readonly offers: readonly Offer[]
  /** Those of them that take a request now. */
  readonly takers: readonly Offer[]
  /** Peers that alone hold some wanted piece, of whatever segment. */
  readonly sole: ReadonlySet<Peer>
  readonly now: Millis
  readonly random: Random
}

import type { Millis } from '@shoal/protocol'
import type { Peer } from './peer.js'
import { PieceSet } from './piece-set.js'
import { missingPieces, type Want } from './want.js'

/** Word of who has a piece, or is about to, may take this long to come round, in milliseconds. */
export const ORPHAN_PATIENCE_MS = 400

/**
 * Missing pieces of a live segment that no neighbour has and that none is about to get: whoever led died,
 * and took them along. One viewer is to fetch them for all, long before everybody's deadline is near.
 *
 * @returns null where there is none, or where the rules for a whole segment hold
 */
function orphansOf({ segment, wanted }: Want, peers: readonly Peer[], now: Millis): PieceSet | null {
  const fits = wanted.live && segment.id.part === null && segment.manifest !== null && !segment.httpOnly
  if (!fits || segment.loading !== null || !segment.asked.isEmpty || !segment.hashing.isEmpty) return null
  const usable = peers.filter((peer) => peer.usable(now) && !segment.convicted.has(peer.link))
  if (usable.length === 0 || usable.some((peer) => peer.have.isFetching(segment.id))) return null
  const orphans = new PieceSet()
  for (const piece of missingPieces(segment)) orphans.add(piece)
  for (const peer of usable) {
    const held = peer.have.piecesOf(segment.id)
    if (held !== null) orphans.removeAll(held)
  }
  return orphans.isEmpty ? null : orphans
}

/** Notes on the want what nobody has any more. */
export function noteOrphans(want: Want, peers: readonly Peer[], now: Millis): void {
  const pieces = orphansOf(want, peers, now)
  want.orphans = pieces === null ? null : { pieces, since: want.orphans?.since ?? now }
}

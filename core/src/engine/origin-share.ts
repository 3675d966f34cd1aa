import type { ByteSpan } from '@shoal/protocol'
import type { Random } from '../ports/clock.js'
import type { HttpSituation } from './http-rules.js'
import type { Peer } from './peer.js'
import type { Segment } from './segment.js'
import { hasPiece, missingPieces, type Want } from './want.js'

/** Assumed of a source that has not been measured, in bytes per second. */
const UNKNOWN_BYTES_PER_SECOND = 500_000

/** One request of the origin beside peers brings at least this much, in bytes: each costs a round trip. */
const LEAST_REQUEST_BYTES = 256 * 1024

/** Share of what the origin's rate promises that is counted on, before peers are asked as well. */
const PROMISE_SHARE = 0.7

/**
 * A random run of pieces, `share` of the segment long, as one span; the first part of it that is neither
 * here nor on its way. Null where nothing is left of it. Random, so that each viewer of a swarm short of
 * uplink brings another part of the segment into it.
 */
export function randomSpan(segment: Segment, share: number, random: Random): ByteSpan | null {
  const count = segment.pieceCount
  const length = Math.max(1, Math.round(share * count))
  let first = Math.floor(random() * (count - length + 1))
  const last = first + length - 1
  const settled = (piece: number): boolean =>
    hasPiece(segment, piece) || segment.hashing.has(piece) || segment.asked.has(piece)
  while (first <= last && settled(first)) first++
  if (first > last) return null
  let end = first
  while (end < last && !settled(end + 1)) end++
  return { start: segment.pieceSpan(first).start, end: segment.pieceSpan(end).end }
}

/**
 * For a download from both at once: the first missing bytes that no peer is asked for, as many as the
 * origin brings while peers bring the rest. Null where all are asked for.
 */
export function frontSpan(want: Want, { origin, peers, now }: HttpSituation): ByteSpan | null {
  const { segment } = want
  const open = missingPieces(segment).filter((piece) => !segment.asked.has(piece))
  const [first] = open
  if (first === undefined) return null
  const http = origin.rate.value ?? UNKNOWN_BYTES_PER_SECOND
  const share = http / (http + peerRateOf(segment, peers, now))
  const { start } = segment.pieceSpan(first)
  let { end } = segment.pieceSpan(first)
  let taken = 1
  for (const piece of open.slice(1)) {
    const span = segment.pieceSpan(piece)
    const enough = taken >= share * open.length && end - start >= LEAST_REQUEST_BYTES
    if (span.start !== end || enough) break
    end = span.end
    taken++
  }
  return { start, end }
}

/**
 * Where peers begin to help a load that will not make its deadline: the byte up to which the origin
 * brings it in time by its rate so far. Infinity while all of it will be here, and before that is known.
 */
export function lateFrom(want: Want, now: number): number {
  const { http } = want
  if (http === null) return Number.POSITIVE_INFINITY
  const since = http.responseAt ?? http.askedAt
  const elapsed = now - since
  if (elapsed < 250) return Number.POSITIVE_INFINITY
  const bytes = http.upTo - http.first
  // Nothing yet, and more time left than was spent: an answer may take a while, and come fast then.
  if (bytes === 0 && elapsed < want.deadline - now) return Number.POSITIVE_INFINITY
  const inTime = ((bytes / elapsed) * (want.deadline - now) + bytes) * PROMISE_SHARE
  const size = want.segment.size ?? Number.POSITIVE_INFINITY
  const upTo = http.first + Math.max(0, inTime)
  return upTo >= size ? Number.POSITIVE_INFINITY : Math.max(upTo, http.upTo)
}

function peerRateOf(segment: Segment, peers: readonly Peer[], now: HttpSituation['now']): number {
  let rate = 0
  for (const peer of peers) {
    if (!peer.usable(now) || peer.have.piecesOf(segment.id) === null) continue
    rate += peer.rate.value ?? UNKNOWN_BYTES_PER_SECOND
  }
  return rate
}

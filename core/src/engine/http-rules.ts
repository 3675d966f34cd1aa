import { type Millis, type PeerId, trackIdOf } from '@shoal/protocol'
import type { Peer } from './peer.js'
import type { RoundTrip, TransferRate } from './rates.js'
import { missingPieces, type Want } from './want.js'

/** Assumed until the origin has been measured: a slow origin, so that the first guess is early. */
const UNKNOWN_TTFB_MS = 300
const UNKNOWN_HTTP_BYTES_PER_SECOND = 500_000

/**
 * The measured rate is an average; a bad moment is worse. Share of it that is counted on, in place
 * of the 20th percentile.
 */
const PESSIMISM = 0.6

/** Safety over the expected load time: a factor and a constant (swarm-algorithms, "When to use HTTP"). */
const URGENCY_FACTOR = 1.3
const URGENCY_MARGIN_MS = 500

/** How long a viewer that has no connection yet waits for one to open, from when it wants a segment. */
const CONNECT_PATIENCE_MS = 1_500

/** How long a new connection's first Have is waited for. */
const FIRST_HAVE_MS = 300

/** Time between two tiers of viewers that may lead the fetch of a live segment. */
const TIER_MS = 400
/** Tiers at most: later ones go together. */
const MAX_TIER = 4

/** Share of a live segment's duration for which a connected seeder is given the lead. */
const SEEDER_LEAD = 0.75

/** No piece from peers for this long: HTTP, whatever the deadline says. */
const MAX_PEER_WAIT_MS = 8_000

/** What is known of the origin from loads of this session. */
export interface OriginEstimate {
  readonly timeToFirstByte: RoundTrip
  readonly rate: TransferRate
}

export interface HttpSituation {
  readonly now: Millis
  readonly self: PeerId
  readonly origin: OriginEstimate
  /** Peers whose Hello has come. */
  readonly peers: readonly Peer[]
  /** Connections may open soon. */
  readonly hopeful: boolean
}

/** Latest time at which an HTTP load of what is missing still makes the deadline. */
export function urgentAt(want: Want, origin: OriginEstimate): number {
  const { segment } = want
  let missing = segment.size ?? UNKNOWN_HTTP_BYTES_PER_SECOND
  if (segment.manifest !== null) {
    missing = 0
    for (const piece of missingPieces(segment)) {
      const span = segment.pieceSpan(piece)
      missing += span.end - span.start
    }
  }
  const rate = (origin.rate.value ?? UNKNOWN_HTTP_BYTES_PER_SECOND) * PESSIMISM
  const ttfb = origin.timeToFirstByte.timeout(20, UNKNOWN_TTFB_MS)
  return want.deadline - (URGENCY_FACTOR * (ttfb + (missing * 1000) / rate) + URGENCY_MARGIN_MS)
}

/**
 * When the origin is to be asked for what is missing of a segment: now or earlier means at once.
 *
 * The answer holds until something changes: a connection, a Have, a piece, the deadline.
 */
export function httpDueAt(want: Want, situation: HttpSituation): number {
  const urgent = Math.min(urgentAt(want, situation.origin), want.progressAt + MAX_PEER_WAIT_MS)
  const due = Math.min(urgent, patience(want, situation))
  return Math.max(due, want.httpRetryAt)
}

/** Until when peers are waited for, the deadline left aside. */
function patience(want: Want, { now, self, peers, hopeful }: HttpSituation): number {
  const { segment, startedAt } = want
  if (segment.httpOnly) return startedAt
  if (peers.length === 0) return hopeful ? startedAt + CONNECT_PATIENCE_MS : startedAt
  if (peers.some((peer) => peer.offers(segment.id) && peer.usable(now))) return Number.POSITIVE_INFINITY
  const unheard = peers.filter((peer) => !peer.have.heard)
  const hear = Math.max(startedAt, ...unheard.map((peer) => peer.openedAt + FIRST_HAVE_MS))
  if (!want.wanted.live) return hear
  const seeded = peers.some((peer) => peer.identity?.role === 'seeder')
  const lead = seeded ? startedAt + want.wanted.duration * SEEDER_LEAD : startedAt
  return Math.max(hear, lead + leaderTier(segment.key, self, peers) * TIER_MS)
}

/**
 * How many connected viewers come before us in fetching this segment: every viewer computes the same
 * order from the hash of (segment, peer id), another for each segment.
 */
function leaderTier(key: string, self: PeerId, peers: readonly Peer[]): number {
  const mine = trackIdOf(`${key}|${self}`)
  let before = 0
  for (const { identity } of peers) {
    if (identity?.role !== 'viewer' || !identity.uploads) continue
    if (trackIdOf(`${key}|${identity.peerId}`) < mine) before++
  }
  return Math.min(before, MAX_TIER)
}

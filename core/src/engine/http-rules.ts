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

/**
 * Time between two tiers of viewers that may lead the fetch of a live segment: 400 ms at least, longer
 * where the deadline is far, so that word of a leader two hops away comes in time.
 */
const TIER_MS = 400
const MAX_TIER_MS = 1_000
const TIER_SHARE = 0.1
/** Tiers at most where everybody knows everybody: later ones go together. */
const MAX_EXACT_TIER = 4
/** Viewers in the first tier of a swarm of up to 300, and of a larger one; each tier doubles it. */
const FIRST_TIER = 2
const FIRST_TIER_LARGE = 3
const LARGE_SWARM = 300

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
  /** Members of the whole swarm as the tracker counts them, or null where it has not said. */
  readonly swarmSize: number | null
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
function patience(want: Want, situation: HttpSituation): number {
  const { now, peers, hopeful } = situation
  const { segment, startedAt } = want
  if (segment.httpOnly) return startedAt
  if (peers.length === 0) return hopeful ? startedAt + CONNECT_PATIENCE_MS : startedAt
  if (peers.some((peer) => peer.offers(segment.id) && peer.usable(now))) return Number.POSITIVE_INFINITY
  const unheard = peers.filter((peer) => !peer.have.heard)
  const hear = Math.max(startedAt, ...unheard.map((peer) => peer.openedAt + FIRST_HAVE_MS))
  if (!want.wanted.live) return hear
  const seeded = peers.some((peer) => peer.identity?.role === 'seeder')
  const lead = seeded ? startedAt + want.wanted.duration * SEEDER_LEAD : startedAt
  const tierMs = clamp((want.deadline - startedAt) * TIER_SHARE, TIER_MS, MAX_TIER_MS)
  return Math.max(hear, lead + leaderTier(segment.key, situation) * tierMs)
}

/**
 * Tiers of viewers that may fetch this segment before us: every viewer computes the same order from
 * the hash of (segment, peer id), another for each segment.
 *
 * Connected to everybody, the order is exact (highest random weight) and each tier is one viewer. In a
 * larger swarm the hash tells our place among all of it, and tier j is the first k * 2^j: expected
 * copies are few however little of the swarm each one sees (swarm-algorithms, "Live edge").
 */
function leaderTier(key: string, { self, peers, swarmSize }: HttpSituation): number {
  const mine = placeOf(key, self)
  if (swarmSize !== null && peers.length + 1 < swarmSize) {
    const first = swarmSize <= LARGE_SWARM ? FIRST_TIER : FIRST_TIER_LARGE
    return Math.max(0, Math.floor(Math.log2((mine * swarmSize) / first)) + 1)
  }
  let before = 0
  for (const { identity } of peers) {
    if (identity?.role === 'viewer' && identity.uploads && placeOf(key, identity.peerId) < mine) before++
  }
  return Math.min(before, MAX_EXACT_TIER)
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}

/** A viewer's place in the order of a segment, uniform in [0, 1). */
function placeOf(key: string, peerId: PeerId): number {
  // FNV-1a mixes the last characters poorly into the high bits: MurmurHash3's finaliser does.
  let hash: number = trackIdOf(`${key}|${peerId}`)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

import type { Millis } from '@shoal/protocol'
import type { DownloadMode } from '../runtime/swarm-api.js'
import { type Election, placeOf } from './election.js'
import { ORPHAN_PATIENCE_MS } from './orphans.js'
import type { Peer } from './peer.js'
import type { PieceSet } from './piece-set.js'
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
/** Of a low-latency part: this share of the time that it has, where that is less. */
const PART_MARGIN_SHARE = 0.2

/** How long a viewer that has no connection yet waits for one to open, from when it wants a segment. */
const CONNECT_PATIENCE_MS = 1_500

/** How long a load from the origin waits for a peer's manifest, where it would not wait for peers. */
const MANIFEST_PATIENCE_MS = 300

/** How long a new connection's first Have is waited for. */
const FIRST_HAVE_MS = 300

/**
 * Time between two tiers of viewers that may claim the fetch of a live segment, longer where the deadline
 * is far. Claims settle who of several it is: tiers only spread the load and keep claims few.
 */
const TIER_MS = 30
const MAX_TIER_MS = 60
const TIER_SHARE = 0.0075
/**
 * Between two tiers that may fetch pieces that nobody has any more: there are no claims for those, and word
 * of a fetch must come round.
 */
const ORPHAN_TIER_SHARE = 0.025
const MAX_ORPHAN_TIER_MS = 200
/** Tiers at most where everybody knows everybody: later ones go together. */
const MAX_EXACT_TIER = 4
/** Viewers in the first tier of a swarm of up to 300, and of a larger one; each tier doubles it. */
const FIRST_TIER = 2
const FIRST_TIER_LARGE = 3
const LARGE_SWARM = 300

/** Bounds of the wait between a claim and the fetch, in milliseconds and as a share of the time left. */
const UNKNOWN_RTT_MS = 100
const HEARING_MARGIN_MS = 40
const MAX_HEARING_MS = 150
const HEARING_SHARE = 0.05

/** Share of the time left that whoever led lately waits longer, so that the same do not lead always. */
const TURN_SHARE = 0.02

/** Share of a live segment's duration for which a connected seeder is given the lead. */
const SEEDER_LEAD = 0.75

/** A load that takes longer than this share of what it plays is a burden that others' loads share. */
const SLOW_LOAD_SHARE = 0.25
/** Peers that hold pieces are waited for without progress for this long at most, in milliseconds. */
const MAX_SPARED_MS = 4_000

/** Pieces of peers that come later than this before the deadline have not helped, in milliseconds. */
const LAST_MOMENT_MS = 250

/** No piece from peers for this long: HTTP, whatever the deadline says. */
const MAX_PEER_WAIT_MS = 8_000

/** What is known of the origin from loads of this session. */
export interface OriginEstimate {
  readonly timeToFirstByte: RoundTrip
  readonly rate: TransferRate
  /** It has no ranges: what is missing comes with all that lies before it. */
  readonly wholeOnly?: boolean
}

export interface HttpSituation {
  readonly now: Millis
  readonly election: Election
  readonly origin: OriginEstimate
  /** Peers whose Hello has come. */
  readonly peers: readonly Peer[]
  /** Connections may open soon. */
  readonly hopeful: boolean
  /** Peers take nothing that is not signed: what is loaded here helps nobody but a signer's word. */
  readonly signed: boolean
  /** Which of origin and peers comes first; see `SwarmOptions.mode`. */
  readonly mode: DownloadMode
  /** Members of the whole swarm as the tracker counts them, or null where it has not said. */
  readonly swarmSize: number | null
  /** Pieces of which peers have sent a part, and that will be whole in time. */
  readonly coming: (want: Want) => PieceSet
}

/** Bytes that an HTTP load would bring, as far as is known. */
function bytesToLoad({ segment, expectedBytes }: Want, origin: OriginEstimate): number {
  if (segment.manifest === null) return segment.size ?? expectedBytes ?? UNKNOWN_HTTP_BYTES_PER_SECOND
  let missing = 0
  for (const piece of missingPieces(segment)) {
    const span = segment.pieceSpan(piece)
    missing = origin.wholeOnly === true ? span.end : missing + span.end - span.start
  }
  return missing
}

/** Latest time at which an HTTP load of what is missing still makes the deadline. */
export function urgentAt(want: Want, origin: OriginEstimate): number {
  const { segment } = want
  const missing = bytesToLoad(want, origin)
  const rate = (origin.rate.value ?? UNKNOWN_HTTP_BYTES_PER_SECOND) * PESSIMISM
  const ttfb = origin.timeToFirstByte.timeout(20, UNKNOWN_TTFB_MS)
  const share = (want.deadline - want.startedAt) * PART_MARGIN_SHARE
  const margin = segment.id.part === null ? URGENCY_MARGIN_MS : clamp(share, 0, URGENCY_MARGIN_MS)
  return want.deadline - (URGENCY_FACTOR * (ttfb + (missing * 1000) / rate) + margin)
}

/**
 * Until when a piece of a peer is of use: while the origin is not asked for what is missing, until it will
 * be; then until just before the deadline. What would come later is a peer's uplink for nothing. Infinity
 * where the origin does not answer, and where it is late already: anything helps then.
 */
export function peersHorizon(want: Want, origin: OriginEstimate, now: Millis): number {
  const last = want.deadline - LAST_MOMENT_MS
  if (want.ahead || want.httpError !== null || want.httpRetryAt > now || now >= last) {
    return Number.POSITIVE_INFINITY
  }
  const urgent = urgentAt(want, origin)
  return now < urgent - LAST_MOMENT_MS ? urgent : last
}

/** Before a load is due, a check of what came must be over, in milliseconds. */
const CHECK_TIME_MS = 300

/** True where no load of the player's is under way at the origin, or due: a check may use the line. */
export function isIdle(wants: readonly Want[], origin: OriginEstimate, now: Millis): boolean {
  return wants.every((want) => {
    if (want.ahead) return true
    return want.http === null && urgentAt(want, origin) - now > CHECK_TIME_MS
  })
}

/**
 * When the origin is to be asked for what is missing of a segment: now or earlier means at once.
 *
 * The answer holds until something changes: a connection, a Have, a piece, the deadline.
 */
export function httpDueAt(want: Want, situation: HttpSituation): number {
  if (comesFirst(want, situation)) return Math.max(firstDue(want, situation), want.httpRetryAt)
  const urgent = Math.max(urgentAt(want, situation.origin), sparedUntil(want, situation))
  const { progressAt } = want
  const due = Math.min(
    urgent,
    progressAt + MAX_PEER_WAIT_MS,
    patience(want, situation),
    orphansDue(want, situation),
  )
  return Math.max(due, want.httpRetryAt)
}

/**
 * A load that takes long says that the origin has no room for everybody. Asked all the same as soon as
 * the deadline is near, it is slower still, for all, and every deadline is near. While peers bring pieces,
 * or somebody leads, they are waited for about as long as the load would take.
 */
function sparedUntil(want: Want, { now, peers, election, origin }: HttpSituation): number {
  const { segment, deadline, startedAt, progressAt, wanted } = want
  const { value } = origin.rate
  if (value === null || segment.httpOnly || segment.id.part !== null) return 0
  const loadMs = (bytesToLoad(want, origin) * 1000) / value
  const slowMs = wanted.duration * SLOW_LOAD_SHARE
  if (loadMs < slowMs) return 0
  const usable = peers.filter((peer) => peer.usable(now))
  const held = usable.some((peer) => peer.have.piecesOf(segment.id) !== null)
  if (held) return progressAt + clamp(loadMs, Math.min(slowMs, MAX_SPARED_MS), MAX_SPARED_MS)
  const claimed = wanted.live && election.leader(segment.key, deadline, now) !== null
  const led = claimed || usable.some((peer) => peer.have.isFetching(segment.id))
  if (led) return startedAt + 2 * loadMs + URGENCY_MARGIN_MS
  // The election's turn, where everybody's deadline is as near.
  return wanted.live && usable.length > 0 ? startedAt + MAX_PEER_WAIT_MS : 0
}

/** True where the origin is asked before peers: by the mode, and not where it has just failed. */
export function comesFirst(want: Want, { mode }: HttpSituation): boolean {
  return mode !== 'server-friendly' && want.httpError === null
}

/** At once; where a peer has some of it, after its manifest: only that lets both bring parts of it. */
function firstDue(want: Want, { now, peers, origin }: HttpSituation): number {
  const { segment, startedAt } = want
  const helped = peers.some((peer) => peer.usable(now) && peer.have.piecesOf(segment.id) !== null)
  if (segment.manifest !== null || segment.httpOnly || !helped) return startedAt
  return Math.min(startedAt + MANIFEST_PATIENCE_MS, Math.max(startedAt, urgentAt(want, origin)))
}

/**
 * What the election asks of us for a segment of which nothing is here: to say that we lead it, or to
 * leave it to somebody else. Null: neither.
 */
export function electionStage(want: Want, situation: HttpSituation): 'claim' | 'led' | null {
  const { segment } = want
  const open = want.wanted.live && segment.manifest === null && segment.loading === null
  if (!open || segment.httpOnly || situation.peers.length === 0) return null
  if (comesFirst(want, situation)) return null
  const due = patience(want, situation)
  if (want.claimedAt !== null) return due === Number.POSITIVE_INFINITY ? 'led' : null
  return due <= situation.now ? 'claim' : null
}

/**
 * How long after our claim a lower one of somebody who had not heard ours would have come: a round trip
 * to the farthest neighbour, and as much again for each hop beyond.
 */
function hearingMs(want: Want, { peers, swarmSize }: HttpSituation): number {
  let rtt = 0
  for (const peer of peers) rtt = Math.max(rtt, peer.roundTrip.value ?? UNKNOWN_RTT_MS)
  const everybody = swarmSize !== null && peers.length + 1 >= swarmSize
  const hops = everybody ? 1 : 2
  const limit = Math.min(MAX_HEARING_MS * hops, (want.deadline - want.startedAt) * HEARING_SHARE)
  return Math.min(limit, hops * rtt + HEARING_MARGIN_MS)
}

/** When it is our turn to fetch what nobody has any more; Infinity where there is nothing of the kind. */
function orphansDue({ orphans, segment, startedAt, deadline }: Want, situation: HttpSituation): number {
  if (orphans === null) return Number.POSITIVE_INFINITY
  const tierMs = clamp((deadline - startedAt) * ORPHAN_TIER_SHARE, TIER_MS, MAX_ORPHAN_TIER_MS)
  return orphans.since + ORPHAN_PATIENCE_MS + leaderTier(segment.key, situation) * tierMs
}

/** Until when peers are waited for, the deadline left aside. */
function patience(want: Want, situation: HttpSituation): number {
  const { now, peers, hopeful, election } = situation
  const { segment, startedAt, deadline } = want
  if (segment.httpOnly) return startedAt
  if (peers.length === 0) return hopeful ? startedAt + CONNECT_PATIENCE_MS : startedAt
  const helps = (peer: Peer) =>
    peer.offers(segment.id) && peer.usable(now) && !segment.convicted.has(peer.link)
  if (peers.some(helps)) return Number.POSITIVE_INFINITY
  const unheard = peers.filter((peer) => !peer.have.heard)
  const hear = Math.max(startedAt, ...unheard.map((peer) => peer.openedAt + FIRST_HAVE_MS))
  if (!want.wanted.live) return hear
  const leader = election.leader(segment.key, deadline, now)
  if (want.claimedAt !== null) {
    const outranked = leader !== null && leader < election.place(segment.key)
    return outranked ? Number.POSITIVE_INFINITY : want.claimedAt + hearingMs(want, situation)
  }
  if (leader !== null) return Number.POSITIVE_INFINITY
  // A part has no time for turns, nor for a seeder that says nothing of it, but where only seeders sign.
  const whole = segment.id.part === null
  const { signed } = situation
  const seeded = (whole || signed) && peers.some((peer) => peer.identity?.role === 'seeder')
  const lead = seeded ? startedAt + want.wanted.duration * SEEDER_LEAD : startedAt
  const turn = whole && election.ledLately(segment.id) ? (deadline - startedAt) * TURN_SHARE : 0
  const tierMs = clamp((deadline - startedAt) * TIER_SHARE, TIER_MS, MAX_TIER_MS)
  return Math.max(hear, lead + turn + leaderTier(segment.key, situation) * tierMs)
}

/**
 * Tiers of viewers that may fetch this segment before us: every viewer computes the same order from
 * the hash of (segment, peer id), another for each segment.
 *
 * Connected to everybody, the order is exact (highest random weight) and each tier is one viewer. In a
 * larger swarm the hash tells our place among all of it, and tier j is the first k * 2^j: expected
 * copies are few however little of the swarm each one sees (swarm-algorithms, "Live edge").
 */
function leaderTier(key: string, { election, peers, swarmSize }: HttpSituation): number {
  const mine = election.place(key)
  if (swarmSize !== null && peers.length + 1 < swarmSize) {
    const first = swarmSize <= LARGE_SWARM ? FIRST_TIER : FIRST_TIER_LARGE
    return Math.max(0, Math.floor(Math.log2(((mine / 2 ** 32) * swarmSize) / first)) + 1)
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

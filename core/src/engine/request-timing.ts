import type { Millis } from '@shoal/protocol'
import type { Peer } from './peer.js'
import type { PieceRequest } from './piece-request.js'

/** An answer is late after smoothed RTT + 4 variations, within these bounds, in milliseconds. */
const MIN_ANSWER_TIMEOUT_MS = 250
const UNKNOWN_ANSWER_TIMEOUT_MS = 1_000

/** Reordering that is waited out before a gap counts as loss, in milliseconds at least (RFC 8985: RTT/4). */
const MIN_REORDERING_MS = 20

/** Repairs of one request, with nothing coming, before its piece is asked of another peer. */
const MAX_REPAIRS = 2

/** What a peer's rate can add to the time that an answer is waited for, in milliseconds. */
const MAX_DRAIN_MS = 300

/** A peer that owes answers and has sent nothing for this long is not asked for a while. */
const SILENCE_MS = 1_500

/** Expected time of what has begun to come, times this, is counted on. */
const COMING_FACTOR = 1.5

/**
 * What is to be done about a request: nothing yet; ask again for what is lost; ask again since the
 * answer is late; ask somebody else, since it is late for the last time or since the peer is silent.
 */
export type Verdict = 'wait' | 'lost' | 'late' | 'too-late' | 'silent'

/** Judges a request that is under way. */
export function judge(peer: Peer, request: PieceRequest, now: Millis): Verdict {
  if (lossProved(peer, request, now)) return 'lost'
  // While the peer sends other pieces, or said how many others it serves first, this one waits.
  const queued = peer.have.backlogMs
  const quiet = now - Math.max(request.lastActivity, peer.lastDataAt ?? 0)
  if (now - Math.max(request.askedAt, peer.lastDataAt ?? 0) >= queued + SILENCE_MS) return 'silent'
  const timeout = peer.roundTrip.timeout(MIN_ANSWER_TIMEOUT_MS, UNKNOWN_ANSWER_TIMEOUT_MS)
  // Asked again twice before that: one lost packet must not look like a dead peer.
  const answer = Math.min(timeout * 2 ** request.vainRepairs, SILENCE_MS / 4)
  if (quiet < queued + Math.min(peer.drainMs, MAX_DRAIN_MS) + answer) return 'wait'
  return request.vainRepairs < MAX_REPAIRS ? 'late' : 'too-late'
}

/** True where a part of the piece is here and the rest will be by `by`, as far as can be told. */
export function isComing(peer: Peer, request: PieceRequest, by: number, now: Millis): boolean {
  return request.received > 0 && now + peer.drainMs * COMING_FACTOR <= by
}

/**
 * A gap has lasted a reordering window, or the request itself must be lost, and a repair would have
 * been answered by now: one repair each round trip, since a storm of them is worse than the loss.
 */
function lossProved(peer: Peer, request: PieceRequest, now: Millis): boolean {
  const rtt = peer.roundTrip.value ?? MIN_ANSWER_TIMEOUT_MS
  // A repair waits behind what the peer has queued for us.
  const answered = (request.lastRepairAt ?? 0) + rtt * 1.5 + peer.drainMs
  if (request.lastRepairAt !== null && now < answered) return false
  if (!request.gapSeen && !isOverdue(peer, request, now)) return false
  request.gapSince ??= now
  return now - request.gapSince >= Math.max(MIN_REORDERING_MS, rtt / 4)
}

/**
 * The peer sends other pieces, and nothing of this request in twice the time that its queue and rate
 * made likely: the request itself was lost. A peer that sends nothing at all is another matter.
 */
function isOverdue(peer: Peer, request: PieceRequest, now: Millis): boolean {
  if (peer.lastDataAt === null || now - peer.lastDataAt >= MIN_ANSWER_TIMEOUT_MS) return false
  const patience = 2 * request.expectedMs + MIN_ANSWER_TIMEOUT_MS + peer.backlogMs(now)
  return request.received === 0 && now - request.lastAskedAt >= patience
}

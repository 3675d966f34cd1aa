import { type ByteSpan, type Data, encodeMessage, type Millis, NO_DEADLINE_MS } from '@shoal/protocol'
import type { Random } from '../ports/clock.js'
import type { EmitEffect } from './io.js'
import type { Peer } from './peer.js'
import { PieceRequest } from './piece-request.js'
import type { Segment } from './segment.js'
import { isLoading, missingPieces, type Want } from './want.js'

/** Pieces asked for and not here, over all peers, at most. */
const MAX_OUTSTANDING = 24

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
const SUSPECT_MS = 5_000

/** Late answers in a row after which the connection is given up. */
export const MAX_TIMEOUTS = 6

/**
 * A peer with a longer upload queue than this is not asked for more, in milliseconds: what it has and
 * is asked for soon comes from others that have got it meanwhile.
 */
const MAX_BACKLOG_MS = 400

/** A request that has waited this long may be moved to another peer, in milliseconds. */
const RECONSIDER_MS = 400

/** What the requests' owner hears. */
export interface PieceDownloadEvents {
  /** All chunks of a piece are here, not yet verified. */
  pieceArrived(peer: Peer, request: PieceRequest): void
  /** A message that no correct peer sends. */
  violation(peer: Peer): void
}

/** Asks peers for pieces, repairs what is lost, and takes back what does not come. */
export class PieceDownloads {
  /** Requests by segment key and piece, so that no piece is asked for twice. */
  private readonly inFlight = new Map<string, { peer: Peer; request: PieceRequest }>()
  private nextRequest = 1
  private readonly swarmTag: number
  private readonly random: Random
  private readonly emit: EmitEffect
  private readonly events: PieceDownloadEvents
  /** Payload bytes that came and were of no use. */
  wastedBytes = 0

  constructor(swarmTag: number, random: Random, emit: EmitEffect, events: PieceDownloadEvents) {
    this.swarmTag = swarmTag
    this.random = random
    this.emit = emit
    this.events = events
  }

  get outstanding(): number {
    return this.inFlight.size
  }

  /** True where pieces of the segment are asked for. */
  isAsking(segment: Segment): boolean {
    for (const { request } of this.inFlight.values()) if (request.segment === segment) return true
    return false
  }

  /** Asks for what is missing of one wanted segment, as far as windows allow. */
  schedule(want: Want, peers: readonly Peer[], now: Millis): void {
    const { segment } = want
    this.reconsider(segment, peers, now)
    if (this.inFlight.size >= MAX_OUTSTANDING) return
    const open = missingPieces(segment).filter(
      (piece) => !this.inFlight.has(pieceKey(segment, piece)) && !isLoading(segment, piece),
    )
    for (const { piece, holders } of this.rarestFirst(segment, open, peers, now)) {
      if (this.inFlight.size >= MAX_OUTSTANDING) return
      const span = segment.pieceSpan(piece)
      const peer = this.bestProvider(holders, span.end - span.start, now)
      if (peer === null) continue
      want.peersSince ??= now
      this.ask(peer, segment, piece, want.deadline, now)
    }
  }

  /** Takes a chunk. True where it completed a piece or was a violation. */
  data(peer: Peer, message: Data, now: Millis): boolean {
    peer.receivedBytes += message.payload.byteLength
    const request = peer.requests.get(message.requestId)
    const taken = request?.accept(message.chunk, message.payload, now)
    if (request === undefined || taken === 'duplicate') {
      // Cancelled too late, repaired too early, or never asked for.
      this.wastedBytes += message.payload.byteLength
      peer.wastedBytes += message.payload.byteLength
      return false
    }
    if (taken === false) {
      this.events.violation(peer)
      return true
    }
    if (request.received === message.payload.byteLength && request.repairs === 0) {
      peer.roundTrip.sample((now - request.askedAt) as Millis)
    }
    peer.lastDataAt = now
    if (!request.complete) return false
    this.release(peer, request)
    peer.pieceDone(request, now)
    this.events.pieceArrived(peer, request)
    return true
  }

  /** Repairs and gives up what is late. Returns peers that do not answer any more. */
  checkTimeouts(peers: Iterable<Peer>, now: Millis): Peer[] {
    const dead: Peer[] = []
    if (this.inFlight.size === 0) return dead
    for (const peer of peers) {
      let late = false
      for (const request of [...peer.requests.values()]) {
        if (this.checkRequest(peer, request, now)) late = true
      }
      // One silence makes all of its requests late: it counts once.
      if (late) peer.pieceLate()
      if (peer.timeouts >= MAX_TIMEOUTS) dead.push(peer)
    }
    return dead
  }

  /** Drops the requests for pieces of a segment, all or those that `which` names, and tells the peers. */
  cancel(segment: Segment, which: (piece: number) => boolean = () => true): void {
    const ids = new Map<Peer, number[]>()
    for (const { peer, request } of [...this.inFlight.values()]) {
      if (request.segment !== segment || !which(request.piece)) continue
      this.release(peer, request)
      ids.set(peer, [...(ids.get(peer) ?? []), request.id])
    }
    for (const [peer, requestIds] of ids) {
      const bytes = encodeMessage({ type: 'cancel', swarmTag: this.swarmTag, requestIds })
      this.sendLossy(peer, bytes)
    }
  }

  /** A connection is gone: what it owed is free to be asked of others. */
  closeLink(peer: Peer): void {
    for (const request of [...peer.requests.values()]) this.release(peer, request)
  }

  /**
   * Takes requests back that wait in a long queue when another peer, which has got the piece
   * meanwhile, would deliver in half the time: the piece is then asked for anew.
   */
  private reconsider(segment: Segment, peers: readonly Peer[], now: Millis): void {
    const back = new Set<number>()
    for (const { peer, request } of this.inFlight.values()) {
      const waited = now - request.lastAskedAt
      if (request.segment !== segment || request.received > 0 || waited < RECONSIDER_MS) continue
      const left = Math.max(request.expectedMs - waited, peer.backlogMs(now), peer.drainMs)
      const better = peers.some((other) => {
        if (other === peer || !other.usable(now) || !other.hasRoom(request.bytes)) return false
        if (other.have.piecesOf(segment.id)?.has(request.piece) !== true) return false
        return !segment.isAccused(request.piece, other.link) && other.eta(request.bytes, now) * 4 < left
      })
      if (better) back.add(request.piece)
    }
    if (back.size > 0) this.cancel(segment, (piece) => back.has(piece))
  }

  /** Pieces by how few peers hold them; those that nobody usable holds are left out. */
  private rarestFirst(
    segment: Segment,
    pieces: readonly number[],
    peers: readonly Peer[],
    now: Millis,
  ): { piece: number; holders: Peer[] }[] {
    for (const peer of peers) peer.restartWindow(now)
    const offers = peers.flatMap((peer) => {
      const held = peer.usable(now) ? peer.have.piecesOf(segment.id) : null
      return held === null ? [] : [{ peer, held }]
    })
    if (offers.length === 0) return []
    return pieces
      .map((piece) => ({
        piece,
        holders: offers
          .filter(({ peer, held }) => held.has(piece) && !segment.isAccused(piece, peer.link))
          .map(({ peer }) => peer),
        order: this.random(),
      }))
      .filter(({ holders }) => holders.length > 0)
      .sort((a, b) => a.holders.length - b.holders.length || a.order - b.order)
  }

  /** The holder that would deliver soonest, +-10 % so that equals share the load. */
  private bestProvider(holders: readonly Peer[], bytes: number, now: Millis): Peer | null {
    let best: Peer | null = null
    let bestEta = Number.POSITIVE_INFINITY
    for (const peer of holders) {
      if (!peer.hasRoom(bytes) || peer.backlogMs(now) > MAX_BACKLOG_MS) continue
      const eta = peer.eta(bytes, now) * (0.9 + 0.2 * this.random())
      if (eta < bestEta) {
        best = peer
        bestEta = eta
      }
    }
    return best
  }

  private ask(peer: Peer, segment: Segment, piece: number, deadline: Millis, now: Millis): void {
    const request = new PieceRequest(this.nextRequest++ >>> 0, segment, piece, deadline, now)
    request.expectedMs = peer.eta(request.bytes, now)
    peer.requests.set(request.id, request)
    this.inFlight.set(pieceKey(segment, piece), { peer, request })
    this.sendRequest(peer, request, request.missingRanges(), now)
  }

  private sendRequest(peer: Peer, request: PieceRequest, chunks: ByteSpan[], now: Millis): void {
    const left = Math.round(request.deadline - now)
    const bytes = encodeMessage({
      type: 'request',
      swarmTag: this.swarmTag,
      requestId: request.id,
      segment: request.segment.id,
      piece: request.piece,
      // Past its deadline a piece is still wanted: nobody else may have it, HTTP may be down.
      deadlineMs: left <= 0 || left >= NO_DEADLINE_MS ? NO_DEADLINE_MS : left,
      chunks,
    })
    this.sendLossy(peer, bytes)
  }

  private sendLossy(peer: Peer, bytes: Uint8Array): void {
    peer.lossyBuffered += bytes.byteLength
    this.emit({ type: 'send', link: peer.link, channel: 'lossy', bytes })
  }

  /** True where the request is late. */
  private checkRequest(peer: Peer, request: PieceRequest, now: Millis): boolean {
    const timeout = peer.roundTrip.timeout(MIN_ANSWER_TIMEOUT_MS, UNKNOWN_ANSWER_TIMEOUT_MS)
    if (this.lossProved(peer, request, now)) {
      this.repair(peer, request, now)
      return false
    }
    // While the peer sends other pieces, or said how many others it serves first, this one waits.
    const queued = peer.have.backlogMs
    const quiet = now - Math.max(request.lastActivity, peer.lastDataAt ?? 0)
    const silent = now - Math.max(request.askedAt, peer.lastDataAt ?? 0) >= queued + SILENCE_MS
    // Asked again twice before that: one lost packet must not look like a dead peer.
    const answer = Math.min(timeout * 2 ** request.vainRepairs, SILENCE_MS / 4)
    const late = quiet >= queued + Math.min(peer.drainMs, MAX_DRAIN_MS) + answer
    if (!silent && !late) return false
    if (!silent && request.vainRepairs < MAX_REPAIRS) {
      this.repair(peer, request, now)
      return true
    }
    if (silent) peer.suspectUntil = now + SUSPECT_MS
    this.release(peer, request)
    return true
  }

  private repair(peer: Peer, request: PieceRequest, now: Millis): void {
    request.repaired(now)
    this.sendRequest(peer, request, request.repairRanges(), now)
  }

  /**
   * A gap has lasted a reordering window, or the request itself must be lost, and a repair would have
   * been answered by now: one repair each round trip, since a storm of them is worse than the loss.
   */
  private lossProved(peer: Peer, request: PieceRequest, now: Millis): boolean {
    const rtt = peer.roundTrip.value ?? MIN_ANSWER_TIMEOUT_MS
    // A repair waits behind what the peer has queued for us.
    const answered = (request.lastRepairAt ?? 0) + rtt * 1.5 + peer.drainMs
    if (request.lastRepairAt !== null && now < answered) return false
    if (!request.gapSeen && !isOverdue(peer, request, now)) return false
    request.gapSince ??= now
    return now - request.gapSince >= Math.max(MIN_REORDERING_MS, rtt / 4)
  }

  private release(peer: Peer, request: PieceRequest): void {
    peer.requests.delete(request.id)
    this.inFlight.delete(pieceKey(request.segment, request.piece))
  }
}

/**
 * The peer sends other pieces, and nothing of this request in twice the time that its queue and rate
 * made likely: the request itself was lost. A peer that sends nothing at all is another matter.
 */
function isOverdue(peer: Peer, request: PieceRequest, now: Millis): boolean {
  if (peer.lastDataAt === null || now - peer.lastDataAt >= MIN_ANSWER_TIMEOUT_MS) return false
  const patience = 2 * request.expectedMs + MIN_ANSWER_TIMEOUT_MS
  return request.received === 0 && now - request.lastAskedAt >= patience
}

function pieceKey(segment: Segment, piece: number): string {
  return `${segment.key}/${piece}`
}

import {
  type ByteSpan,
  type Data,
  encodeMessage,
  type HaveEntry,
  MAX_PIECES_PER_SEGMENT,
  type Millis,
  NO_DEADLINE_MS,
} from '@shoal/protocol'
import type { Random } from '../ports/clock.js'
import type { EmitEffect } from './io.js'
import type { Peer } from './peer.js'
import { leastBytes, offersOf, onlyHeldOnce, openPieces, rarestFirst } from './piece-choice.js'
import { PieceRequest } from './piece-request.js'
import type { PieceRoom } from './piece-room.js'
import { PieceSet } from './piece-set.js'
import { bestProvider } from './provider-choice.js'
import { isComing, judge } from './request-timing.js'
import type { Segment } from './segment.js'
import { missingPieces, type Want } from './want.js'

/** Pieces asked for and not here, over all peers, at most. */
const MAX_OUTSTANDING = 24

/** A peer that did not answer is not asked for this long, in milliseconds. */
const SUSPECT_MS = 5_000

/** Late answers in a row after which the connection is given up. */
export const MAX_TIMEOUTS = 6

/**
 * A peer with a longer upload queue than this is not asked for more, in milliseconds: what it has and
 * is asked for soon comes from others that have got it meanwhile.
 */
const MAX_BACKLOG_MS = 800

/** A request that has waited this long may be moved to another peer, in milliseconds. */
const RECONSIDER_MS = 300
/** How much sooner the other must be likely to deliver: factors, in general and of a sole holder. */
const GAIN = 4
const SOLE_GAIN = 1.2

/** Requests are looked at this often at most, in milliseconds: nothing is late by less. */
const CHECK_INTERVAL_MS = 25

/**
 * While something is asked for, looks are 50 ms apart; one that comes later than this after the last one,
 * in milliseconds, was kept waiting by the host. Timers go before messages then: what has come meanwhile
 * is not read yet, and the time since says nothing of a peer.
 */
const STALLED_MS = 100

const ALL_PIECES = PieceSet.first(MAX_PIECES_PER_SEGMENT).bits

const NOBODY: ReadonlySet<Peer> = new Set()

/** A segment with less than this to its deadline is asked of whoever has it, in milliseconds. */
const NEAR_MS = 1_500

/** The last pieces of a segment that must be here in this time are asked of two peers, in milliseconds. */
const ENDGAME_PIECES = 2
const ENDGAME_MS = 1_500

/** What the requests' owner hears. */
export interface PieceDownloadEvents {
  /** All chunks of a piece are here, not yet verified. */
  pieceArrived(peer: Peer, request: PieceRequest): void
  /** A message that no correct peer sends. */
  violation(peer: Peer): void
}

/** Asks peers for pieces, repairs what is lost, and takes back what does not come. */
export class PieceDownloads {
  /** Requests that are under way, and of whom; `Segment.asked` sees to it that none is made twice. */
  private readonly inFlight = new Map<PieceRequest, Peer>()
  /** When timeouts were last looked at. */
  private checkedAt = 0
  private readonly sole = new Set<Peer>()
  private nextRequest = 1
  /** Pieces that came from all peers. */
  private samples = 0
  private readonly swarmTag: number
  private readonly random: Random
  private readonly room: PieceRoom
  private readonly emit: EmitEffect
  private readonly events: PieceDownloadEvents
  /** Payload bytes that came and were of no use. */
  wastedBytes = 0

  constructor(
    swarmTag: number,
    random: Random,
    room: PieceRoom,
    emit: EmitEffect,
    events: PieceDownloadEvents,
  ) {
    this.swarmTag = swarmTag
    this.random = random
    this.room = room
    this.emit = emit
    this.events = events
  }

  get outstanding(): number {
    return this.inFlight.size
  }

  /** True where pieces of the segment are asked for. */
  isAsking(segment: Segment): boolean {
    return !segment.asked.isEmpty
  }

  /** True where what a peer says that it holds of a wanted segment may be asked of it now. */
  mayAsk(segment: Segment, entry: HaveEntry): boolean {
    if (segment.httpOnly || entry.kind === 'dropped') return false
    // Before the manifest is here, word of who fetches it counts too.
    if (segment.manifest === null || entry.kind === 'claim') return true
    return openPieces(segment).intersects(entry.kind === 'segment' ? entry.pieces : ALL_PIECES)
  }

  /** Pieces of which peers have sent a part, and that will be whole by `by`. */
  coming(segment: Segment, by: number, now: Millis): PieceSet {
    const pieces = new PieceSet()
    for (const [request, peer] of this.inFlight) {
      if (request.segment === segment && isComing(peer, request, by, now)) pieces.add(request.piece)
    }
    return pieces
  }

  /** Looks which peers alone hold pieces of these segments: they are left to those. */
  reserve(segments: readonly Segment[], peers: readonly Peer[], now: Millis): void {
    this.sole.clear()
    for (const segment of segments) {
      if (segment.manifest === null || segment.httpOnly) continue
      const open = openPieces(segment)
      if (open.isEmpty) continue
      const offers = offersOf(segment, peers, now)
      const once = onlyHeldOnce(open, offers)
      if (once.isEmpty) continue
      for (const { peer, held } of offers) if (held.intersects(once.bits)) this.sole.add(peer)
    }
  }

  /**
   * Asks for what is missing of one wanted segment, as far as windows allow.
   *
   * @param horizon what comes later is of no use
   */
  schedule(want: Want, peers: readonly Peer[], horizon: number, now: Millis): void {
    const { segment } = want
    this.reconsider(segment, peers, now)
    if (this.inFlight.size >= MAX_OUTSTANDING) return
    const open = openPieces(segment)
    if (open.isEmpty) return this.endgame(want, peers, horizon, now)
    for (const peer of peers) peer.restartWindow(now)
    const least = leastBytes(segment, open)
    const from = segment.firstChoice(this.random)
    const isFree = (peer: Peer) => peer.backlogMs(now) <= MAX_BACKLOG_MS && peer.hasRoom(least)
    // Mostly all windows are full: what follows costs more than this look.
    if (!peers.some(isFree)) return
    const offers = offersOf(segment, peers, now)
    let takers = offers.filter(({ peer }) => isFree(peer))
    // Near its deadline a segment takes what it can get.
    const sole = want.deadline - now > NEAR_MS ? this.sole : NOBODY
    const { random, samples } = this
    const timeLeft = horizon - now
    for (const piece of rarestFirst(segment, open, offers, takers, from)) {
      if (this.inFlight.size >= MAX_OUTSTANDING || takers.length === 0) return
      const choice = { offers, takers, sole, now, timeLeft, samples, random }
      const peer = bestProvider(segment, piece, choice)
      if (peer === null) continue
      want.peersSince ??= now
      this.ask(peer, segment, piece, horizon, now)
      if (!peer.hasRoom(least)) takers = takers.filter((taker) => taker.peer !== peer)
    }
  }

  /** Takes a chunk. True where it completed a piece or was a violation. */
  data(peer: Peer, message: Data, now: Millis): boolean {
    const bytes = message.payload.byteLength
    peer.receivedBytes += bytes
    const request = peer.requests.get(message.requestId)
    const taken = request?.accept(message.chunk, message.payload, now)
    if (request === undefined || taken === 'duplicate') {
      // Cancelled too late, repaired too early, or never asked for.
      this.wastedBytes += bytes
      peer.wastedBytes += bytes
      return false
    }
    if (taken === false) {
      this.events.violation(peer)
      return true
    }
    peer.outstandingBytes -= bytes
    if (request.received === bytes && request.repairs === 0) {
      peer.roundTrip.sample((now - request.askedAt) as Millis)
    }
    peer.lastDataAt = now
    if (!request.complete) return false
    this.release(peer, request)
    peer.pieceDone(request, now)
    this.samples++
    const { segment, piece } = request
    // Another peer was asked for it as well.
    if (segment.asked.has(piece)) this.cancel(segment, (asked) => asked === piece)
    this.events.pieceArrived(peer, request)
    return true
  }

  /** Repairs and gives up what is late. Returns peers that do not answer any more. */
  checkTimeouts(peers: Iterable<Peer>, now: Millis): Peer[] {
    const dead: Peer[] = []
    if (now - this.checkedAt < CHECK_INTERVAL_MS) return dead
    const readUntil = Math.min(now, this.checkedAt + STALLED_MS) as Millis
    this.checkedAt = now
    if (this.inFlight.size === 0) return dead
    for (const peer of peers) {
      if (peer.requests.size === 0 && peer.timeouts < MAX_TIMEOUTS) continue
      let late = false
      const givenUp: number[] = []
      for (const request of [...peer.requests.values()]) {
        const verdict = judge(peer, request, readUntil)
        if (verdict === 'wait') continue
        if (verdict !== 'lost') late = true
        if (verdict === 'lost' || verdict === 'late') this.repair(peer, request, now)
        else givenUp.push(request.id)
        if (verdict === 'silent') peer.suspectUntil = now + SUSPECT_MS
      }
      this.giveUp(peer, givenUp)
      // One silence makes all of its requests late: it counts once.
      if (late) peer.pieceLate()
      if (peer.timeouts >= MAX_TIMEOUTS) dead.push(peer)
    }
    return dead
  }

  /** Drops the requests for pieces of a segment, all or those that `which` names, and tells the peers. */
  cancel(segment: Segment, which: (piece: number) => boolean = () => true): void {
    const ids = new Map<Peer, number[]>()
    for (const [request, peer] of [...this.inFlight]) {
      if (request.segment !== segment || !which(request.piece)) continue
      this.release(peer, request)
      ids.set(peer, [...(ids.get(peer) ?? []), request.id])
    }
    for (const [peer, requestIds] of ids) this.sendCancel(peer, requestIds)
  }

  /** A connection is gone: what it owed is free to be asked of others. */
  closeLink(peer: Peer): void {
    for (const request of [...peer.requests.values()]) this.release(peer, request)
  }

  /** The peer serves nothing for now: what it owes is asked of others. */
  withdraw(peer: Peer): void {
    this.giveUp(peer, [...peer.requests.keys()])
  }

  /** What a peer owes is free to be asked of others; it may only be slow, so it is told. */
  private giveUp(peer: Peer, requestIds: readonly number[]): void {
    for (const id of requestIds) {
      const request = peer.requests.get(id)
      if (request !== undefined) this.release(peer, request)
    }
    if (requestIds.length > 0) this.sendCancel(peer, requestIds)
  }

  /**
   * The last pieces of a segment, asked of a second peer where the first is later than it promised:
   * what comes first counts, and the other is taken back.
   */
  private endgame(want: Want, peers: readonly Peer[], horizon: number, now: Millis): void {
    const { segment } = want
    if (horizon - now > ENDGAME_MS) return
    const missing = missingPieces(segment)
    if (missing.length > ENDGAME_PIECES) return
    const { random, samples, inFlight } = this
    for (const piece of missing) {
      const asked = [...inFlight].filter(
        ([request]) => request.segment === segment && request.piece === piece,
      )
      const [first, second] = asked
      if (first === undefined || second !== undefined || inFlight.size >= MAX_OUTSTANDING) continue
      const [request, slow] = first
      if (now - request.askedAt <= request.expectedMs) continue
      const offers = offersOf(segment, peers, now).filter(({ peer }) => peer !== slow)
      const choice = { offers, takers: offers, sole: NOBODY, now, timeLeft: horizon - now, samples, random }
      const peer = bestProvider(segment, piece, choice)
      if (peer !== null) this.ask(peer, segment, piece, horizon, now)
    }
  }

  /**
   * Takes requests back that wait in a long queue when another peer, which has got the piece
   * meanwhile, would deliver much sooner: the piece is then asked for anew. Of a peer that alone holds
   * other pieces, where it would deliver any sooner: what waits there keeps us from asking for those.
   */
  private reconsider(segment: Segment, peers: readonly Peer[], now: Millis): void {
    const back = new Set<number>()
    for (const [request, peer] of this.inFlight) {
      if (request.segment !== segment || request.received > 0) continue
      const waited = now - request.lastAskedAt
      if (waited < RECONSIDER_MS) continue
      const left = Math.max(request.expectedMs - waited, peer.backlogMs(now), peer.drainMs)
      const gain = this.sole.has(peer) ? SOLE_GAIN : GAIN
      const better = peers.some((other) => {
        if (other === peer || !other.usable(now) || !other.hasRoom(request.bytes)) return false
        if (other.eta(request.bytes, now) * gain >= left) return false
        if (other.have.piecesOf(segment.id)?.has(request.piece) !== true) return false
        return !segment.isAccused(request.piece, other.link)
      })
      if (better) back.add(request.piece)
    }
    if (back.size > 0) this.cancel(segment, (piece) => back.has(piece))
  }

  private ask(peer: Peer, segment: Segment, piece: number, until: number, now: Millis): void {
    const request = new PieceRequest(
      this.nextRequest++ >>> 0,
      segment,
      piece,
      until as Millis,
      now,
      this.room,
    )
    request.expectedMs = peer.eta(request.bytes, now)
    peer.asked(request)
    this.inFlight.set(request, peer)
    segment.asked.add(piece)
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

  private sendCancel(peer: Peer, requestIds: readonly number[]): void {
    this.sendLossy(peer, encodeMessage({ type: 'cancel', swarmTag: this.swarmTag, requestIds }))
  }

  private sendLossy(peer: Peer, bytes: Uint8Array): void {
    peer.lossyBuffered += bytes.byteLength
    this.emit({ type: 'send', link: peer.link, channel: 'lossy', bytes })
  }

  private repair(peer: Peer, request: PieceRequest, now: Millis): void {
    request.repaired(now)
    this.sendRequest(peer, request, request.repairRanges(), now)
  }

  private release(peer: Peer, request: PieceRequest): void {
    peer.released(request)
    // A request that is over already must not free a piece that has been asked for anew.
    if (!this.inFlight.delete(request)) return
    // A whole one is being verified: its memory is free after that.
    if (!request.complete) this.room.give(request.data)
    const { segment, piece } = request
    for (const other of this.inFlight.keys()) if (other.segment === segment && other.piece === piece) return
    segment.asked.delete(piece)
  }
}

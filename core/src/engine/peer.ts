import type { ByteSpan, Introduction, Millis, PeerId, SegmentId } from '@shoal/protocol'
import type { LinkId } from './io.js'
import type { PieceRequest } from './piece-request.js'
import { RoundTrip, TokenBucket, TransferRate } from './rates.js'
import { RemoteHave } from './remote-have.js'
import type { PieceSource, Segment } from './segment.js'

/**
 * Bytes asked of one peer and not yet here, at first and at most, and after losses at least.
 *
 * Two pieces of 64 KiB to begin, four at most: a partially reliable channel collapses under more
 * (measured; 16 outstanding pieces stalled for 45 s), and one more source beats a bigger window.
 */
const FIRST_WINDOW_BYTES = 128 * 1024
const MAX_WINDOW_BYTES = 256 * 1024
const MIN_WINDOW_BYTES = 64 * 1024
const WINDOW_STEP_BYTES = 16 * 1024

/**
 * Haves of one peer that are taken: the batch time of 30 ms makes 33 a second, a summary of the
 * largest cache a hundred at once. More are ignored, since each may cost milliseconds: any Have may be
 * lost without harm.
 */
const MAX_HAVES_PER_SECOND = 50
const MAX_HAVE_BURST = 300

/**
 * What a peer delivers in this time is asked of it at once, at most, in seconds: more would wait in its
 * queue, where others that have got the piece meanwhile cannot help.
 */
const WINDOW_SECONDS = 0.2

/**
 * Requests that a slow peer may always have: with one alone it would be idle for a round trip between
 * two pieces, and while its answer waits for another's, nothing else of it could be asked for.
 */
const LEAST_REQUESTS = 2

/** A window holds for this long after the last answer, in milliseconds. */
const WINDOW_LIFE_MS = 500

/** Weight of what is not known of a peer's rate (swarm-algorithms, "Choosing a provider"). */
const OPTIMISM = 0.5

/** Cost of traffic with a peer of which the tracker says nothing. */
const UNKNOWN_COST = 50

/** Assumed until measured. */
const UNKNOWN_RTT_MS = 100
const UNKNOWN_RATE_BYTES_PER_SECOND = 500_000

/** A peer whose Hello has come. */
export interface Identity {
  readonly peerId: PeerId
  readonly role: 'viewer' | 'seeder'
  /** It takes Requests. */
  readonly uploads: boolean
}

/** What a peer has been told of one segment. */
export interface Told {
  pieces: number
  fetching: boolean
}

/** One connection and what is known of the peer at its other end. */
export class Peer {
  readonly link: LinkId
  readonly initiator: boolean
  readonly openedAt: Millis
  /** Whom the signalling named. */
  signalledId: PeerId | null = null
  identity: Identity | null = null
  readonly have = new RemoteHave()
  /** Haves that are still taken from it; see `MAX_HAVES_PER_SECOND`. */
  readonly haveBudget = new TokenBucket(MAX_HAVES_PER_SECOND, MAX_HAVE_BURST)
  readonly roundTrip = new RoundTrip()
  readonly rate = new TransferRate()
  /** Our requests, by id. */
  readonly requests: Map<number, PieceRequest> = new Map()
  /** Bytes of them that are not here yet. */
  outstandingBytes = 0
  /** Keys of segments whose manifest was asked of it, with the time. */
  readonly manifestAsked = new Map<string, Millis>()
  /** Of those, the ones without an answer yet. */
  readonly manifestAwaited = new Set<string>()
  /**
   * Keys of segments whose manifest it wants as soon as we have it, or more of it, with the hashes that
   * it has been told; the last ones.
   */
  readonly manifestWishes = new Map<string, number>()
  /** What it was told of segments that are not complete here. */
  readonly told = new Map<string, Told>()
  haveSerial = 0
  /** When everything held was last told to it. */
  summaryAt = 0
  dataSerial = 0
  /** Bytes in the lossy channel's send buffer, as far as known. */
  lossyBuffered = 0
  windowBytes = FIRST_WINDOW_BYTES
  /** When it last told how long its upload queue is. */
  backlogToldAt = 0
  /** When it was last told how long ours is, other than with news of segments. */
  backlogTellAt = 0
  /** Not asked before this time: it owed answers that did not come. */
  suspectUntil = 0
  lastDataAt: Millis | null = null
  /** When its last message of any kind came. */
  heardAt: Millis
  /** When it was last sent a Have. */
  haveSentAt = 0
  lastPieceAt = 0
  /** Pieces that came whole. */
  pieces = 0
  /** Opaque cost of traffic with it, 0 to 100, as the tracker says. */
  cost = UNKNOWN_COST
  /** How long it had been there when the connection opened, in milliseconds. */
  ageAtOpening = 0
  timeouts = 0
  /** Pieces whose bytes certainly were not the segment's. */
  corrupt = 0
  /** Pieces in a row that did not fit, and of which it is not known why. */
  suspicions = 0
  /** Nothing is taken from it before this time: a manifest of its was not of what the origin serves. */
  distrustedUntil = 0
  receivedBytes = 0
  /** Bytes of its pieces whose hash was right. */
  verifiedBytes = 0
  wastedBytes = 0
  sentBytes = 0

  constructor(link: LinkId, initiator: boolean, now: Millis) {
    this.link = link
    this.initiator = initiator
    this.openedAt = now
    this.heardAt = now
  }

  /** What the tracker told of it. */
  introduced(introduction: Introduction | null): void {
    this.cost = introduction?.cost ?? UNKNOWN_COST
    this.ageAtOpening = (introduction?.ageSeconds ?? 0) * 1000
  }

  get source(): PieceSource {
    return this.identity?.role === 'seeder' ? 'seeders' : 'peers'
  }

  /** Takes up a request of ours. */
  asked(request: PieceRequest): void {
    this.requests.set(request.id, request)
    this.outstandingBytes += request.bytes - request.received
  }

  /** A request of ours is over, whole or not. */
  released(request: PieceRequest): void {
    if (this.requests.delete(request.id)) this.outstandingBytes -= request.bytes - request.received
  }

  /** May be asked for pieces now. */
  usable(now: Millis): boolean {
    return this.identity?.uploads === true && now >= this.suspectUntil && now >= this.distrustedUntil
  }

  isDistrusted(now: Millis): boolean {
    return now < this.distrustedUntil
  }

  offers(id: SegmentId): boolean {
    return this.identity?.uploads === true && this.have.offers(id)
  }

  /** What is left of the queue that the peer told of, in milliseconds. */
  backlogMs(now: Millis): number {
    return Math.max(0, this.have.backlogMs - (now - this.backlogToldAt))
  }

  /** Room in the window for `bytes` more; two requests are always allowed. */
  hasRoom(bytes: number): boolean {
    if (this.requests.size < LEAST_REQUESTS) return true
    const rate = this.rate.value
    const window = rate === null ? this.windowBytes : Math.min(this.windowBytes, rate * WINDOW_SECONDS)
    return this.outstandingBytes + bytes <= window
  }

  /**
   * The window after a pause: the first one again. Many may turn to the same peer at the same moment,
   * and what each asks for before the first answer is a queue there.
   */
  restartWindow(now: Millis): void {
    const idle = this.requests.size === 0 && now - (this.lastDataAt ?? 0) > WINDOW_LIFE_MS
    if (idle) this.windowBytes = Math.min(this.windowBytes, FIRST_WINDOW_BYTES)
  }

  /** Expected milliseconds until all that was asked for is here, the round trip left aside. */
  get drainMs(): number {
    return (this.outstandingBytes * 1000) / (this.rate.value ?? UNKNOWN_RATE_BYTES_PER_SECOND)
  }

  /**
   * Expected milliseconds until `bytes` asked for now would be here.
   *
   * @param rate bytes per second to count on, in place of the measured ones
   */
  eta(bytes: number, now: Millis, rate: number = this.rate.value ?? UNKNOWN_RATE_BYTES_PER_SECOND): number {
    const rtt = this.roundTrip.value ?? UNKNOWN_RTT_MS
    return rtt / 2 + this.backlogMs(now) + ((this.outstandingBytes + bytes) * 1000) / rate
  }

  /**
   * The rate that it may have, in bytes per second: the less it was asked the more is hoped for, so that
   * a bad first impression is looked at again.
   *
   * @param samples pieces that came from all peers
   */
  hopedRate(samples: number): number {
    const rate = this.rate.value ?? UNKNOWN_RATE_BYTES_PER_SECOND
    const spread = this.rate.deviation ?? rate / 2
    return rate + OPTIMISM * spread * Math.sqrt(Math.log(samples + 1) / (this.pieces + 1))
  }

  /** A piece came whole. */
  pieceDone(request: PieceRequest, now: Millis): void {
    // Time in which it sent to us: what it spends on others before is its backlog, which it tells.
    const begun = request.firstDataAt ?? now
    const since = Math.max(begun, this.lastPieceAt)
    const bytes = since === begun ? request.bytes - request.firstBytes : request.bytes
    if (bytes > 0) this.rate.sample(bytes, (now - since) as Millis)
    this.pieces++
    this.lastPieceAt = now
    this.timeouts = 0
    if (request.repairs === 0) {
      this.windowBytes = Math.min(MAX_WINDOW_BYTES, this.windowBytes + WINDOW_STEP_BYTES)
    }
  }

  /** Answers are missing. */
  pieceLate(): void {
    this.timeouts++
    this.windowBytes = Math.max(MIN_WINDOW_BYTES, this.windowBytes / 2)
  }
}

/** A piece that a peer asked of us. */
export interface UploadRequest {
  readonly id: number
  /** Order of arrival among the requests of all peers. */
  readonly order: number
  readonly askedAt: Millis
  /** The asker serves others: what it gets it passes on. */
  readonly relayed: boolean
  readonly segment: Segment
  readonly piece: number
  /** Dropped, unanswered, after this. */
  readonly deadline: Millis
  /** Chunks still to send, ascending. */
  chunks: ByteSpan[]
  /** The piece's bytes; null until they have been read or verified. */
  bytes: Uint8Array | null
  /** They are on their way from the host's `PieceReader`. */
  reading: boolean
  /** Its first chunk has left. */
  started: boolean
}

import type { ByteSpan, Millis, SegmentManifest } from '@shoal/protocol'
import type { Random } from '../ports/clock.js'
import type { CheckLoads, Found } from './check-loads.js'
import { TokenBucket } from './rates.js'
import { type Segment, sameBytes } from './segment.js'
import type { Trust } from './trust.js'
import type { Want } from './want.js'

/** Share of the bytes of peers that is compared with the origin, in a small swarm. */
const SHARE = 0.02

/**
 * In a larger one less: all members' checks of a segment together load this much of it, but for the least
 * share, so that with them the origin serves no more than 1.1 copies. What one of them finds, all are told.
 */
const COPIES = 0.09
const MIN_SHARE = 0.002

/**
 * Bytes of one check: small beside a piece's load, and large enough that its request is not the most of
 * what it costs. A 4 s segment of 4 Mbit/s has one such check.
 */
const CHECK_BYTES = 32 * 1024

/** Bytes that may be checked in a row, after a while without an occasion. */
const MAX_BUDGET_BYTES = 4 * CHECK_BYTES

/** Segments that are looked at, the last wanted ones; and checks of one of them. */
const MAX_SEGMENTS = 8
const MAX_PER_SEGMENT = 8

/** Pieces whose senders are accused and that wait for the origin's word; and such loads: a minute's, and at once. */
const MAX_DOUBTS = 16
const DOUBTS_PER_SECOND = 0.5
const DOUBTS_AT_ONCE = 8

/** What checks find. */
export interface SpotCheckEvents {
  /** The origin has other bytes than those that fit the manifest. */
  disproved(segment: Segment): void
  /** The digest of a piece of the origin's. */
  digest(bytes: Uint8Array, then: (digest: Uint8Array) => void): void
  /** The origin's piece has this digest. */
  settled(segment: Segment, piece: number, digest: Uint8Array): void
}

interface Candidate {
  readonly segment: Segment
  /** The want that it is, or was, loaded for. */
  readonly wantId: number
  /** Which piece is next, drawn before any is here: whoever sends late ones is looked at as often. */
  draw: number
  checks: number
}

interface Doubt {
  readonly segment: Segment
  readonly manifest: SegmentManifest
  readonly piece: number
}

/**
 * Compares what came from peers under an unsigned manifest with the origin, a little of it: random places
 * at idle times, and what peers contradict each other about.
 */
export class SpotChecks {
  private readonly trust: Trust
  private readonly loads: CheckLoads
  private readonly random: Random
  private readonly events: SpotCheckEvents
  private readonly candidates = new Map<string, Candidate>()
  private doubts: Doubt[] = []
  private readonly doubtBudget = new TokenBucket(DOUBTS_PER_SECOND, DOUBTS_AT_ONCE)
  private budget = CHECK_BYTES
  /** Members of the whole swarm. */
  swarmSize: number | null = null
  /** Comparisons that were made, and those that found other bytes. */
  made = 0
  failed = 0

  constructor(trust: Trust, loads: CheckLoads, random: Random, events: SpotCheckEvents) {
    this.trust = trust
    this.loads = loads
    this.random = random
    this.events = events
  }

  /** The host wants a segment: there is a way to it at the origin. */
  wanted({ id: wantId, segment }: Want): void {
    if (!this.trust.checks) return
    const { draw = this.random(), checks = 0 } = this.candidates.get(segment.key) ?? {}
    this.candidates.delete(segment.key)
    this.candidates.set(segment.key, { segment, wantId, draw, checks })
    const oldest = this.candidates.keys().next().value
    if (this.candidates.size > MAX_SEGMENTS && oldest !== undefined) this.candidates.delete(oldest)
  }

  /** Bytes of a peer were found to be the manifest's. */
  earned(bytes: number): void {
    const share = Math.max(MIN_SHARE, Math.min(SHARE, COPIES / (this.swarmSize ?? 1)))
    this.budget = Math.min(MAX_BUDGET_BYTES, this.budget + bytes * share)
  }

  /** A peer's piece does not fit a manifest that nobody is known to have told the truth with. */
  doubt(segment: Segment, piece: number): void {
    const { manifest } = segment
    if (manifest === null || this.doubts.length >= MAX_DOUBTS) return
    if (this.doubts.some((doubt) => doubt.segment === segment && doubt.piece === piece)) return
    this.doubts.push({ segment, manifest, piece })
  }

  /** Checks where there is an occasion. @param idle no load of the player's is under way or due */
  look(idle: boolean, now: Millis): void {
    this.loads.expire(now)
    if (!this.trust.checks || this.loads.underWay > 0 || !this.loads.possible(now)) return
    if (this.resolve(now) || !idle || this.budget < CHECK_BYTES) return
    for (const candidate of this.candidates.values()) if (this.check(candidate, now)) return
  }

  /** True where something waits to be checked. */
  get pending(): boolean {
    return this.loads.underWay > 0 || this.doubts.length > 0
  }

  private check(candidate: Candidate, now: Millis): boolean {
    const { segment } = candidate
    const { manifest, buffer } = segment
    if (manifest === null || buffer === null || segment.certain || segment.httpOnly) return false
    const piece = Math.floor(candidate.draw * segment.pieceCount)
    if (candidate.checks >= MAX_PER_SEGMENT || !segment.verified.has(piece)) return false
    candidate.checks++
    candidate.draw = this.random()
    // What the origin brought anyway was compared then.
    if (segment.fromHttp.has(piece)) return false
    const span = this.placeIn(segment.pieceSpan(piece))
    this.budget -= span.end - span.start
    const expected = buffer.slice(span.start, span.end)
    this.loads.begin(candidate.wantId, span, now, (found) => {
      if (found === 'unknown') return
      this.made++
      if (found !== 'absent' && sameBytes(found, expected)) return
      this.failed++
      // Where one lied, others of its segments are looked at without delay.
      this.budget = MAX_BUDGET_BYTES
      if (segment.manifest === manifest) this.events.disproved(segment)
    })
    return true
  }

  private placeIn({ start, end }: ByteSpan): ByteSpan {
    const bytes = Math.min(CHECK_BYTES, end - start)
    const from = start + Math.floor(this.random() * (end - start - bytes + 1))
    return { start: from, end: from + bytes }
  }

  /** Asks the origin for a piece that peers contradict each other about. True where it did. */
  private resolve(now: Millis): boolean {
    this.doubts = this.doubts.filter(({ segment, manifest }) => segment.manifest === manifest)
    const doubt = this.doubts.find(({ segment }) => this.candidates.has(segment.key))
    const wantId = doubt === undefined ? undefined : this.candidates.get(doubt.segment.key)?.wantId
    if (doubt === undefined || wantId === undefined || !this.doubtBudget.take(1, now)) return false
    this.doubts = this.doubts.filter((other) => other !== doubt)
    const { segment, manifest, piece } = doubt
    this.loads.begin(wantId, segment.pieceSpan(piece), now, (found) =>
      this.resolved(segment, manifest, piece, found),
    )
    return true
  }

  private resolved(segment: Segment, manifest: SegmentManifest, piece: number, found: Found): void {
    if (found === 'unknown' || segment.manifest !== manifest) return
    this.made++
    if (found === 'absent') {
      this.failed++
      return this.events.disproved(segment)
    }
    this.events.digest(found, (digest) => {
      if (segment.manifest !== manifest || digest.byteLength === 0) return
      this.events.settled(segment, piece, digest)
      if (sameBytes(manifest.hashes[piece], digest)) return
      this.failed++
      this.events.disproved(segment)
    })
  }
}

import type { Millis } from '@shoal/protocol'
import type { DownloadParts } from './download-parts.js'
import { electionStage, type HttpSituation, isIdle, peersHorizon } from './http-rules.js'
import { lateFrom, randomSpan } from './origin-share.js'
import { noteOrphans } from './orphans.js'
import type { Peer } from './peer.js'
import { isLoading, type Want } from './want.js'
import { makeWant } from './want-list.js'
import type { WantOutcomes } from './want-outcomes.js'

/** Longest time between two looks at requests and deadlines while something is wanted, in milliseconds. */
const LOOK_INTERVAL_MS = 50

/** What a peer has begun to send may take until this long before the deadline, in milliseconds. */
const COMING_MARGIN_MS = 600

/** Does what is due for what is wanted: asks peers, loads from the origin, claims the fetch. */
export class Pursuit {
  private readonly parts: DownloadParts
  private readonly outcomes: WantOutcomes
  private nextAhead = -1

  constructor(parts: DownloadParts, outcomes: WantOutcomes) {
    this.parts = parts
    this.outcomes = outcomes
  }

  /** Asks, repairs, loads: whatever is due. Returns when to look again, or null. */
  pump(now: Millis): Millis | null {
    const silent = this.parts.pieces.checkTimeouts(this.parts.events.readyPeers(), now)
    for (const peer of silent) this.parts.events.unresponsive(peer)
    const peers = this.parts.events.readyPeers()
    this.fetchAhead(peers, now)
    const byDeadline = this.parts.wants.byDeadline()
    this.parts.pieces.reserve(
      byDeadline.map(({ segment }) => segment),
      peers,
      now,
    )
    let next = Number.POSITIVE_INFINITY
    for (const want of byDeadline) next = Math.min(next, this.pumpWant(want, peers, now))
    this.parts.lists.look(now)
    this.parts.checks.look(isIdle(byDeadline, this.parts.origin, now), now)
    if (this.parts.pieces.outstanding > 0) next = Math.min(next, now + LOOK_INTERVAL_MS)
    return next === Number.POSITIVE_INFINITY ? null : (Math.max(next, now + 1) as Millis)
  }

  /** Asks peers for what the host will want next, and forgets what it no longer will. */
  private fetchAhead(peers: readonly Peer[], now: Millis): void {
    for (const want of [...this.parts.wants.all()])
      if (want.ahead && now > want.deadline) this.outcomes.unwant(want)
    for (const wanted of this.parts.prefetch.next(peers, now)) {
      const segment = this.parts.options.store.open(wanted.segment)
      if (segment.complete || segment.external || segment.httpOnly || this.parts.wants.isWanted(segment))
        continue
      const expected = this.parts.tally.expectedBytes(wanted)
      this.parts.wants.add(makeWant(this.nextAhead--, wanted, segment, expected, now))
    }
  }

  private pumpWant(want: Want, peers: readonly Peer[], now: Millis): number {
    const { segment } = want
    if (want.ahead) {
      this.askPeers(want, peers, now)
      return now + LOOK_INTERVAL_MS
    }
    const hopeful = this.parts.hopeful || this.parts.events.helloAwaited()
    const { swarmSize, origin } = this.parts
    const { election } = this.parts.options
    const mode = this.parts.originSpared ? 'server-friendly' : this.parts.options.mode
    const coming = ({ deadline }: Want) => this.parts.pieces.coming(segment, deadline - COMING_MARGIN_MS, now)
    const signed = this.parts.trust.needsSignature
    const situation = { now, election, origin, peers, hopeful, swarmSize, mode, coming, signed }
    noteOrphans(want, peers, now)
    this.lead(want, situation)
    const idle = want.http === null
    const due = this.parts.origin.consider(want, situation)
    if (idle && want.http !== null) this.originBegun(want)
    this.advance(want, now)
    if (!segment.httpOnly) {
      const late = mode === 'peer-friendly' ? lateFrom(want, now) : Number.POSITIVE_INFINITY
      if (late < Number.POSITIVE_INFINITY) {
        if (segment.manifest === null || segment.growing) this.parts.requests.ensure(want, peers, now)
        this.parts.origin.shareFrom(want, late)
      }
    }
    this.askPeers(want, peers, now)
    return Math.min(due ?? Number.POSITIVE_INFINITY, now + LOOK_INTERVAL_MS)
  }

  private askPeers(want: Want, peers: readonly Peer[], now: Millis): void {
    const { segment } = want
    if (!segment.httpOnly) {
      if (segment.manifest !== null)
        this.parts.pieces.schedule(want, peers, peersHorizon(want, this.parts.origin, now), now)
      const unknown = segment.manifest === null || this.parts.manifests.isStuck(segment, now)
      if (unknown && want.http === null) this.parts.requests.ensure(want, peers, now)
    }
    this.outcomes.setReceiving(segment, this.parts.pieces.isAsking(segment))
  }

  /** Fetches the share of a live segment early that the swarm has no uplink for. */
  private advance(want: Want, now: Millis): void {
    const { segment, wanted } = want
    const share = this.parts.tally.deficitShare
    const fits = wanted.live && want.advanced === 0 && segment.manifest !== null && want.http === null
    if (!fits || share === 0 || segment.httpOnly) return
    const span = randomSpan(segment, share, this.parts.options.random)
    if (span === null || !this.parts.origin.loadSpan(want, span, now)) return
    want.advanced = span.end - span.start
    segment.beginAfter(span.end)
    this.originBegun(want)
  }

  /** Claims the fetch of a live segment where it is our turn, and gives way where it is not any more. */
  private lead(want: Want, situation: HttpSituation): void {
    const { segment } = want
    const stage = electionStage(want, situation)
    if (stage === 'led') want.claimedAt = null
    if (stage !== 'claim') return
    want.claimedAt = situation.now
    situation.election.leads(segment.id)
    this.parts.events.claimed(segment.id, situation.election.place(segment.key))
  }

  /** HTTP loads what is missing: peers are not asked for it any longer. */
  private originBegun(want: Want): void {
    const { segment, wanted } = want
    const { live, duration } = wanted
    if (segment.manifest === null && this.parts.trust.needsSignature) {
      this.parts.options.emit({ type: 'find-manifest', wantId: want.id })
    }
    if (live && !this.parts.events.readyPeers().some((peer) => peer.have.offers(segment.id))) {
      this.parts.events.leads((this.parts.now + duration) as Millis)
    }
    this.parts.pieces.cancel(segment, (piece) => isLoading(segment, piece))
    this.parts.events.segmentChanged(segment)
  }
}

import type { Millis, PeerId } from '@shoal/protocol'
import type { LinkId } from './io.js'
import type { Peer } from './peer.js'
import type { Segment } from './segment.js'
import type { Trust } from './trust.js'

/** Corrupt pieces of one peer after which it is dropped: one may be a broken network or memory. */
const MAX_CORRUPT_PIECES = 2

/** Without checks: peers whose bytes must not fit a peer's manifest before the manifest counts as wrong. */
const MIN_WITNESSES = 2

/** Whose piece did not fit is not asked until it is known why, for this long at most, in milliseconds; doubles. */
const SUSPECT_MS = 8_000

/** Whose manifest was not the origin's is asked for none for this long, in milliseconds; doubles. */
const DISTRUST_MS = 60_000
const MAX_DISTRUST_MS = 600_000

/** Peers whose wrong manifests are remembered at most, the newest. */
const MAX_REMEMBERED = 1_000

/** What follows for peers. */
export interface BlameEvents {
  /** The peer sent pieces that are not the manifest's. */
  corrupted(peer: Peer): void
  /** Peers whose Hello has come. */
  readyPeers(): readonly Peer[]
}

interface Record {
  readonly until: Millis
  readonly times: number
}

/**
 * Who is to blame where bytes and manifest do not fit: whoever sent the ones, or whoever made the other.
 *
 * Nobody is banned for what a manifest that somebody made up says: for corrupt bytes only, by a manifest
 * that is signed or the origin's, or by the origin's own bytes. Whoever passes a made-up manifest on may be
 * as deceived as we are: of such a peer no manifest is taken for a while, and its pieces are.
 */
export class Blame {
  private readonly trust: Trust
  private readonly events: BlameEvents
  private readonly records = new Map<PeerId, Record>()

  constructor(trust: Trust, events: BlameEvents) {
    this.trust = trust
    this.events = events
  }

  /**
   * A peer's piece, of this digest, does not fit the manifest. `settled`: what follows has followed.
   * `manifest-lies`: the manifest is wrong. `unsettled`: the origin must tell which is wrong.
   */
  corruptPiece(
    segment: Segment,
    piece: number,
    peer: Peer,
    digest: Uint8Array,
    now: Millis,
  ): 'settled' | 'manifest-lies' | 'unsettled' {
    const accused = segment.accuse(piece, peer.link, digest)
    const own = !this.trust.checks && segment.manifestAuthor === peer.link
    if (segment.certain || own) {
      const hash = segment.manifest?.hashes[piece]
      if (hash !== undefined) this.settle(segment, piece, hash)
      return 'settled'
    }
    if (!this.trust.checks) return accused >= MIN_WITNESSES ? 'manifest-lies' : 'settled'
    peer.suspectUntil = Math.max(peer.suspectUntil, now + SUSPECT_MS * 2 ** Math.min(6, peer.suspicions++))
    return 'unsettled'
  }

  /** A piece fits the manifest. @param fromHttp the origin's bytes do */
  fits(segment: Segment, piece: number, fromHttp: boolean): void {
    // Where it is made up, its author's accomplices have bytes that fit.
    if (this.trust.checks && !fromHttp && !segment.certain) return
    const hash = segment.manifest?.hashes[piece]
    if (hash !== undefined) this.settle(segment, piece, hash)
  }

  /** The piece certainly has this digest: whoever sent other bytes for it sent corrupt ones. */
  settle(segment: Segment, piece: number, digest: Uint8Array): void {
    const { convicted, cleared } = segment.convict(piece, digest)
    if (convicted.length + cleared.length === 0) return
    for (const peer of this.events.readyPeers()) {
      if (cleared.includes(peer.link)) {
        peer.suspicions = 0
        peer.suspectUntil = 0
      }
      if (!convicted.includes(peer.link)) continue
      // It has been found out: the next one tells whether it was an accident.
      peer.suspectUntil = 0
      if (++peer.corrupt >= MAX_CORRUPT_PIECES) this.events.corrupted(peer)
    }
  }

  /** What this connection said of a segment is not what the origin serves. */
  distrust(link: LinkId, now: Millis): Peer | null {
    const peer = this.events.readyPeers().find((one) => one.link === link)
    const peerId = peer?.identity?.peerId
    if (peer === undefined || peerId === undefined || peer.isDistrusted(now)) return null
    const times = this.records.get(peerId)?.times ?? 0
    const until = (now + Math.min(MAX_DISTRUST_MS, DISTRUST_MS * 2 ** times)) as Millis
    this.records.delete(peerId)
    this.records.set(peerId, { until, times: times + 1 })
    const oldest = this.records.keys().next().value
    if (this.records.size > MAX_REMEMBERED && oldest !== undefined) this.records.delete(oldest)
    peer.distrustedUntil = until
    return peer
  }

  /** A connection has got its name: what is remembered of the peer holds for it. */
  recall(peer: Peer): void {
    const record = peer.identity === null ? undefined : this.records.get(peer.identity.peerId)
    if (record !== undefined) peer.distrustedUntil = record.until
  }
}

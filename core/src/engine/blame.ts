import { type Millis, type PeerId, type SegmentId, type SegmentManifest, segmentKey } from '@shoal/protocol'
import type { LinkId } from './io.js'
import type { Peer } from './peer.js'
import { type Segment, sameBytes } from './segment.js'
import type { Trust } from './trust.js'

/** Corrupt pieces of one peer after which it is dropped: one may be a broken network or memory. */
const MAX_CORRUPT_PIECES = 2

/** Without checks: peers whose bytes must not fit a peer's manifest before the manifest counts as wrong. */
const MIN_WITNESSES = 2

/** Whose piece did not fit is not asked until it is known why, for this long at most, in milliseconds; doubles. */
const SUSPECT_MS = 8_000

/** Wrong pieces that wait for their senders' manifests at most. */
const MAX_PENDING = 64

/** Of whose manifest was not the origin's nothing is taken for this long, in milliseconds; doubles. */
const DISTRUST_MS = 60_000
const MAX_DISTRUST_MS = 600_000

/** Peers whose wrong manifests are remembered at most, the newest. */
const MAX_REMEMBERED = 1_000

/** What follows for peers. */
export interface BlameEvents {
  /** The peer sent pieces that are not the manifest's. */
  corrupted(peer: Peer): void
  /** The peer is asked what it holds of a segment: a manifest of it is to follow. */
  explain(peer: Peer, id: SegmentId): void
  /** What the peer says is not believed for a while. */
  distrusted(peer: Peer): void
  /** Peers whose Hello has come. */
  readyPeers(): readonly Peer[]
}

/** A peer's wrong piece, of which it is not known yet whether the peer was deceived itself. */
interface Pending {
  readonly piece: number
  /** Of the origin's bytes. */
  readonly digest: Uint8Array
}

interface Record {
  readonly until: Millis
  readonly times: number
}

/**
 * Who is to blame where bytes and manifest do not fit: whoever sent the ones, or whoever made the other.
 *
 * Nobody is banned for what a manifest that somebody made up says: for corrupt bytes only, by a manifest
 * that is signed, or by the origin's own bytes. Whoever passes a made-up segment on may be as deceived as
 * anybody: where manifests are not signed, the sender of wrong bytes is asked for its manifest. If they fit
 * that, nothing is taken from it for a while; if they do not, it has altered them.
 */
export class Blame {
  private readonly trust: Trust
  private readonly events: BlameEvents
  private readonly records = new Map<PeerId, Record>()
  private readonly pending = new Map<string, Pending>()

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
      if (hash !== undefined) this.settle(segment, piece, hash, now)
      return 'settled'
    }
    if (!this.trust.checks) return accused >= MIN_WITNESSES ? 'manifest-lies' : 'settled'
    this.suspect(peer, now)
    return 'unsettled'
  }

  /** A piece fits the manifest. @param fromHttp the origin's bytes do */
  fits(segment: Segment, piece: number, fromHttp: boolean, now: Millis): void {
    // Where it is made up, its author's accomplices have bytes that fit.
    if (this.trust.checks && !fromHttp && !segment.certain) return
    const hash = segment.manifest?.hashes[piece]
    if (hash !== undefined) this.settle(segment, piece, hash, now)
  }

  /** The piece certainly has this digest: whoever sent other bytes for it sent corrupt ones. */
  settle(segment: Segment, piece: number, digest: Uint8Array, now: Millis): void {
    const { convicted, cleared } = segment.convict(piece, digest)
    if (convicted.length + cleared.length === 0) return
    for (const peer of this.events.readyPeers()) {
      if (cleared.includes(peer.link)) {
        peer.suspicions = 0
        peer.suspectUntil = 0
      }
      if (!convicted.includes(peer.link)) continue
      if (!this.trust.checks) this.count(peer)
      else this.ask(peer, segment, { piece, digest }, now)
    }
  }

  /** Takes a manifest that explains a wrong piece; false where none was asked for. */
  explained(peer: Peer, { segment, hashes }: SegmentManifest, now: Millis): boolean {
    const name = `${peer.link} ${segmentKey(segment)}`
    const pending = this.pending.get(name)
    if (pending === undefined) return false
    this.pending.delete(name)
    const hash = hashes[pending.piece]
    if (hash === undefined) this.suspect(peer, now)
    else if (sameBytes(hash, pending.digest)) this.count(peer)
    else this.distrust(peer.link, now)
    return true
  }

  private ask(peer: Peer, segment: Segment, pending: Pending, now: Millis): void {
    const name = `${peer.link} ${segment.key}`
    if (this.pending.has(name)) return
    this.pending.set(name, pending)
    const oldest = this.pending.keys().next().value
    if (this.pending.size > MAX_PENDING && oldest !== undefined) this.pending.delete(oldest)
    // Whoever says nothing is not asked for pieces either.
    if (peer.suspectUntil <= now) this.suspect(peer, now)
    this.events.explain(peer, segment.id)
  }

  /** It has altered a piece: the next one tells whether that was an accident. */
  private count(peer: Peer): void {
    peer.suspectUntil = 0
    if (++peer.corrupt >= MAX_CORRUPT_PIECES) this.events.corrupted(peer)
  }

  private suspect(peer: Peer, now: Millis): void {
    peer.suspectUntil = Math.max(peer.suspectUntil, now + SUSPECT_MS * 2 ** Math.min(6, peer.suspicions++))
  }

  /** What this connection said of a segment is not what the origin serves. */
  distrust(link: LinkId, now: Millis): void {
    const peer = this.events.readyPeers().find((one) => one.link === link)
    const peerId = peer?.identity?.peerId
    if (peer === undefined || peerId === undefined || peer.isDistrusted(now)) return
    const times = this.records.get(peerId)?.times ?? 0
    const until = (now + Math.min(MAX_DISTRUST_MS, DISTRUST_MS * 2 ** times)) as Millis
    this.records.delete(peerId)
    this.records.set(peerId, { until, times: times + 1 })
    const oldest = this.records.keys().next().value
    if (this.records.size > MAX_REMEMBERED && oldest !== undefined) this.records.delete(oldest)
    peer.distrustedUntil = until
    this.events.distrusted(peer)
  }

  /** A connection has got its name: what is remembered of the peer holds for it. */
  recall(peer: Peer): void {
    const record = peer.identity === null ? undefined : this.records.get(peer.identity.peerId)
    if (record !== undefined) peer.distrustedUntil = record.until
  }
}

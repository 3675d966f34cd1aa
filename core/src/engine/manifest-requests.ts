import { encodeMessage, type Millis, type SegmentId } from '@shoal/protocol'
import type { EmitEffect } from './io.js'
import type { Peer } from './peer.js'
import type { Want } from './want.js'

/** A manifest that has not come after this long is asked of another peer, in milliseconds. */
const ANSWER_MS = 500

/** A peer that did not answer is asked again after this long. */
const ASK_AGAIN_MS = 3_000

/** Peers that only fetch a part and are asked for its manifest ahead of having it, at most. */
const MAX_AHEAD = 2

/** Asks, for one segment, one peer at a time for its manifest; a seeder first. */
export class ManifestRequests {
  private readonly askedAt = new Map<string, Millis>()
  private readonly swarmTag: number
  private readonly emit: EmitEffect

  constructor(swarmTag: number, emit: EmitEffect) {
    this.swarmTag = swarmTag
    this.emit = emit
  }

  /** Asks where nobody has been asked lately. */
  ensure(want: Want, peers: readonly Peer[], now: Millis): void {
    const { key, id } = want.segment
    const last = this.askedAt.get(key)
    if (last !== undefined && now - last < ANSWER_MS) return
    const holders = peers.filter((peer) => {
      const asked = peer.manifestAsked.get(key)
      // Who holds no piece yet, and only fetches, may not have the manifest either.
      const holds = peer.offers(id) && peer.have.piecesOf(id) !== null && !peer.isDistrusted(now)
      return holds && (asked === undefined || now - asked >= ASK_AGAIN_MS)
    })
    const peer = holders.find((holder) => holder.identity?.role === 'seeder') ?? holders[0]
    if (peer === undefined) return this.askAhead(want, peers, now)
    peer.manifestAsked.set(key, now)
    peer.manifestAwaited.add(key)
    this.askedAt.set(key, now)
    this.ask(peer, id)
  }

  /**
   * A low-latency part has no time for the way there and back: who fetches it is asked before it has
   * the manifest, and answers when it does.
   */
  private askAhead({ segment: { id, key } }: Want, peers: readonly Peer[], now: Millis): void {
    if (id.part === null) return
    const fetching = peers.filter(
      (peer) => peer.usable(now) && peer.have.isFetching(id) && !peer.isDistrusted(now),
    )
    for (const peer of fetching.slice(0, MAX_AHEAD)) {
      if (peer.manifestAwaited.has(key)) continue
      peer.manifestAwaited.add(key)
      this.ask(peer, id)
    }
  }

  private ask(peer: Peer, segment: SegmentId): void {
    const bytes = encodeMessage({ type: 'manifest-request', swarmTag: this.swarmTag, segment })
    this.emit({ type: 'send', link: peer.link, channel: 'control', bytes })
  }

  /** Asks a peer what it holds of a segment, whatever is known of it. */
  explain(peer: Peer, id: SegmentId): void {
    this.ask(peer, id)
  }

  /** True where the manifest was asked of this peer and nothing had come yet: one answer is taken. */
  takeAnswer(peer: Peer, key: string): boolean {
    return peer.manifestAwaited.delete(key)
  }

  /** The segment's manifest is here, or nobody waits for it any more. */
  settled(key: string, peers: Iterable<Peer>): void {
    this.askedAt.delete(key)
    for (const peer of peers) {
      peer.manifestAsked.delete(key)
      peer.manifestAwaited.delete(key)
    }
  }

  /** The answer was of no use: the next peer may be asked at once. */
  refused(key: string): void {
    this.askedAt.delete(key)
  }
}

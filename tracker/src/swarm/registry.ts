import type { InfoHash, Millis, PeerId } from '@shoal/protocol'
import { networkOf } from '../admission/addresses.js'
import type { Census } from '../stats/census.js'
import { Peer } from './peer.js'
import { FIELD, PeerTable } from './peer-table.js'
import type { Session } from './session.js'
import { Swarm } from './swarm.js'

/** Bounds of what the registry holds. */
export interface RegistryLimits {
  /** Peers of one socket, over all its swarms. */
  readonly maxPeersPerSocket: number
  readonly maxPeersPerSwarm: number
  readonly maxSwarms: number
}

export const DEFAULT_REGISTRY_LIMITS: RegistryLimits = {
  /** A stock client shares one socket among its torrents; a browser tab has few. */
  maxPeersPerSocket: 64,
  /** 1.5 KiB a peer: 150 MiB for one full swarm. */
  maxPeersPerSwarm: 100_000,
  maxSwarms: 100_000,
}

/** Why a peer id does not move to another socket. */
export const IN_USE = 'this peer id is in use in another network'

export type JoinRefusal =
  | 'too many swarms on this socket'
  | 'the swarm is full'
  | 'too many swarms'
  | typeof IN_USE

/**
 * A peer that was heard so many seconds ago is there: its id does not move to a socket from another
 * network, whose client knows the id as all neighbours do. Two of the reports of a Shoal peer.
 */
export const ALIVE_SECONDS = 20

/** What an announce says about its peer. */
export interface PeerProfile {
  readonly shoal: boolean
  readonly seeder: boolean
}

/** Called for every peer that left, after it left: by its own word, with its socket, or by age. */
export type OnLeave = (peer: Peer) => void

/**
 * All swarms and their peers. A peer is known by info hash and peer id and belongs to the socket
 * that announced it last. Nothing is kept for an empty swarm.
 */
export class Registry {
  private readonly limits: RegistryLimits
  private readonly onLeave: OnLeave
  private readonly table = new PeerTable()
  private readonly byHash = new Map<InfoHash, Swarm>()

  constructor(limits: RegistryLimits, onLeave: OnLeave) {
    this.limits = limits
    this.onLeave = onLeave
  }

  get swarmCount(): number {
    return this.byHash.size
  }

  /** How many there are of each kind. O(1). */
  census(): Census {
    const { viewers, seeders, others } = this.table.census
    return { viewers, seeders, others, swarms: this.byHash.size }
  }

  swarms(): IterableIterator<Swarm> {
    return this.byHash.values()
  }

  swarm(infoHash: InfoHash): Swarm | undefined {
    return this.byHash.get(infoHash)
  }

  /** The peer, if it is there and announced over this socket last. */
  peerOf(session: Session, infoHash: InfoHash, peerId: PeerId): Peer | undefined {
    const peer = this.byHash.get(infoHash)?.peers.get(peerId)
    return peer?.session === session ? peer : undefined
  }

  /**
   * Adds the peer, or updates it. A peer id that another socket announced before moves to this one:
   * a client that reconnects must not wait until its half-open old socket times out. Not so where that
   * one was heard a moment ago and is in another network.
   */
  join(
    session: Session,
    infoHash: InfoHash,
    peerId: PeerId,
    profile: PeerProfile,
    now: Millis,
  ): Peer | JoinRefusal {
    const swarm = this.byHash.get(infoHash)
    const known = swarm?.peers.get(peerId)
    if (known?.session !== session && session.peers.length >= this.limits.maxPeersPerSocket) {
      return 'too many swarms on this socket'
    }
    if (swarm !== undefined && known !== undefined) {
      if (known.session !== session) {
        if (isElsewhere(known, session, now)) return IN_USE
        this.takeOver(known, session)
      }
      swarm.reclassify(known, profile.shoal, profile.seeder, session.place)
      known.seen(now)
      this.table.set(known.slot, FIELD.seen, known.seenSeconds)
      return known
    }
    if (swarm !== undefined && swarm.peers.size >= this.limits.maxPeersPerSwarm) return 'the swarm is full'
    if (swarm === undefined && this.byHash.size >= this.limits.maxSwarms) return 'too many swarms'
    return this.admit(swarm ?? this.open(infoHash), session, peerId, profile, now)
  }

  leave(peer: Peer): void {
    if (peer.session === null) return
    peer.session.remove(peer)
    peer.session = null
    peer.swarm.remove(peer)
    if (peer.swarm.peers.size === 0) this.byHash.delete(peer.swarm.infoHash)
    this.onLeave(peer)
  }

  /** The socket is gone, and with it the peers that it still had. */
  leaveAll(session: Session): void {
    for (const peer of [...session.peers]) this.leave(peer)
  }

  /** Drops the peers that were last heard before `before`. O(peers): for a timer, not for messages. */
  expire(before: Millis): void {
    const seconds = Math.floor(before / 1000)
    for (const swarm of this.byHash.values()) {
      for (const peer of swarm.peers.values()) if (peer.seenSeconds < seconds) this.leave(peer)
    }
  }

  private open(infoHash: InfoHash): Swarm {
    const swarm = new Swarm(infoHash, this.table)
    this.byHash.set(infoHash, swarm)
    return swarm
  }

  private admit(swarm: Swarm, session: Session, id: PeerId, profile: PeerProfile, now: Millis): Peer {
    const { place } = session
    const { shoal, seeder } = profile
    const peer = new Peer({ id, swarm, session, place, shoal, seeder }, now)
    swarm.add(peer)
    session.add(peer)
    return peer
  }

  private takeOver(peer: Peer, session: Session): void {
    if (peer.session !== null) peer.session.remove(peer)
    peer.session = session
    session.add(peer)
  }
}

function isElsewhere({ session, seenSeconds }: Peer, other: Session, now: Millis): boolean {
  if (session === null || now / 1000 - seenSeconds >= ALIVE_SECONDS) return false
  return networkOf(session.address) !== networkOf(other.address)
}

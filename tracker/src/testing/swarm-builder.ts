import type { InfoHash, PeerId } from '@shoal/protocol'
import { millis } from '@shoal/protocol'
import type { Place } from '../locality/place.js'
import { UNKNOWN_PLACE } from '../locality/place.js'
import type { Peer } from '../swarm/peer.js'
import type { PeerProfile, RegistryLimits } from '../swarm/registry.js'
import { DEFAULT_REGISTRY_LIMITS, Registry } from '../swarm/registry.js'
import { Session } from '../swarm/session.js'
import { HASH, id } from './messages.js'

export const VIEWER: PeerProfile = { shoal: true, seeder: false }
export const SEEDER: PeerProfile = { shoal: true, seeder: true }
export const LEECHER: PeerProfile = { shoal: false, seeder: false }
export const FULL: PeerProfile = { shoal: false, seeder: true }

export function newSession(): Session {
  return new Session({ send() {} })
}

export function newRegistry(limits: Partial<RegistryLimits> = {}, onLeave = (_: Peer) => {}): Registry {
  return new Registry({ ...DEFAULT_REGISTRY_LIMITS, ...limits }, onLeave)
}

/** Joins a peer on a socket of its own. */
export function join(
  registry: Registry,
  name: string,
  profile = VIEWER,
  hash = HASH,
  place: Place = UNKNOWN_PLACE,
): Peer {
  const session = newSession()
  session.place = place
  const peer = registry.join(session, hash as InfoHash, id(name) as PeerId, profile, millis(0))
  if (typeof peer === 'string') throw new Error(peer)
  return peer
}

/** A viewer's place: its site is its own unless told, its city and provider are shared. */
export function placeOf(network: number, local: number, site = 0, country = network): Place {
  return { site, local: network * 1000 + local, network, country, continent: 1, pid: 0, known: true }
}

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

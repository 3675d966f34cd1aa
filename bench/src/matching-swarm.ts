import { millis, type PeerId } from '@shoal/protocol'
import type { Place } from '../../tracker/dist/locality/place.js'
import type { Peer } from '../../tracker/dist/swarm/peer.js'
import { DEFAULT_REGISTRY_LIMITS, Registry } from '../../tracker/dist/swarm/registry.js'
import { Session } from '../../tracker/dist/swarm/session.js'

export type Random = () => number

/** Internet providers, by size as Zipf's law has it (exponent 1), in as many countries as there are fives. */
const PROVIDERS = 40
const CITIES = 8
const CONTINENTS = 3

/** Uplinks: lognormal around 3 Mbit/s with sigma 1; one viewer in five serves nobody. */
const MEDIAN_UPLINK = 375_000
const LEECHERS = 0.2

/** Mean session, in seconds. */
const SESSION_SECONDS = 600

const HASH = 'matching-bench-swarm' as Parameters<Registry['join']>[1]

/** A swarm in the tracker's own registry, with places, ages and uplinks drawn from a seed. */
export class BenchSwarm {
  readonly registry = new Registry({ ...DEFAULT_REGISTRY_LIMITS, maxPeersPerSwarm: 1_000_000 }, () => {})
  readonly peers: Peer[] = []
  /** Time of the last arrival. */
  now = millis(0)
  private readonly random: Random
  private readonly viewers: number
  private arrivals = 0

  /** @param viewers present at once */
  constructor(viewers: number, random: Random) {
    this.viewers = viewers
    this.random = random
  }

  join(): Peer {
    const session = new Session({ send() {} })
    this.arrivals++
    session.place = drawPlace(this.random, this.arrivals)
    const id = `peer-${this.arrivals}`.padEnd(20, '-') as PeerId
    this.now = millis((this.arrivals * SESSION_SECONDS * 1000) / this.viewers)
    const peer = this.registry.join(session, HASH, id, { shoal: true, seeder: false }, this.now)
    if (typeof peer === 'string') throw new Error(peer)
    const uplink = MEDIAN_UPLINK * Math.exp(gaussian(this.random))
    peer.swarm.applyHints(peer, {
      uplink,
      uploads: this.random() >= LEECHERS,
      slots: 16,
      degree: 0,
      playhead: 4 + 8 * this.random(),
    })
    this.peers.push(peer)
    return peer
  }

  /** Somebody leaves, anybody with equal chances. */
  leave(): Peer {
    const at = Math.floor(this.random() * this.peers.length)
    const peer = this.peers[at]
    const last = this.peers.pop()
    if (peer === undefined || last === undefined) throw new Error('nobody is left')
    if (last !== peer) this.peers[at] = last
    this.registry.leave(peer)
    return peer
  }
}

/** Numbers of peers by provider. */
export function sizesOf(peers: readonly Peer[]): Map<number, number> {
  const sizes = new Map<number, number>()
  for (const { place } of peers) sizes.set(place.network, (sizes.get(place.network) ?? 0) + 1)
  return sizes
}

const WEIGHTS = Array.from({ length: PROVIDERS }, (_, rank) => 1 / (rank + 1))
const TOTAL_WEIGHT = WEIGHTS.reduce((sum, weight) => sum + weight, 0)

function drawPlace(random: Random, site: number): Place {
  let left = random() * TOTAL_WEIGHT
  const rank = WEIGHTS.findIndex((weight) => {
    left -= weight
    return left < 0
  })
  const network = Math.max(0, rank) + 1
  const country = 1 + Math.floor((network - 1) / 5)
  const local = network * 100 + Math.floor(random() * CITIES)
  return { site, local, network, country, continent: 1 + (country % CONTINENTS), pid: 0, known: true }
}

/** Box and Muller's transform. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

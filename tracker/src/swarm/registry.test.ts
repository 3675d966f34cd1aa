import type { InfoHash, PeerId } from '@shoal/protocol'
import { millis } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UNKNOWN_PLACE } from '../locality/place.js'
import { HASH, id } from '../testing/messages.js'
import {
  FULL,
  join,
  LEECHER,
  newRegistry,
  newSession,
  placeOf,
  SEEDER,
  VIEWER,
} from '../testing/swarm-builder.js'
import type { Peer } from './peer.js'
import type { PeerProfile } from './registry.js'
import { ALIVE_SECONDS, IN_USE } from './registry.js'
import { Session } from './session.js'
import type { Swarm } from './swarm.js'

const hash = HASH as InfoHash
const peerId = (name: string) => id(name) as PeerId

describe('registry', () => {
  it('counts seeders as complete, whatever they speak', () => {
    const registry = newRegistry()
    join(registry, 'a', VIEWER)
    join(registry, 'b', SEEDER)
    join(registry, 'c', LEECHER)
    join(registry, 'd', FULL)
    expect(registry.swarm(hash)).toMatchObject({ complete: 2, incomplete: 2 })
  })

  it('keeps nothing for an empty swarm', () => {
    const registry = newRegistry()
    const peer = join(registry, 'a')
    expect(registry.swarmCount).toBe(1)
    registry.leave(peer)
    expect(registry.swarmCount).toBe(0)
    expect(peer.session).toBeNull()
  })

  it('moves a peer id to the socket that announced it last', () => {
    const left: Peer[] = []
    const registry = newRegistry({}, (peer) => left.push(peer))
    const [older, newer] = [newSession(), newSession()]
    registry.join(older, hash, peerId('a'), VIEWER, millis(0))
    const peer = registry.join(newer, hash, peerId('a'), VIEWER, millis(1))
    expect(registry.swarm(hash)?.peers.size).toBe(1)
    expect(registry.peerOf(older, hash, peerId('a'))).toBeUndefined()
    expect(registry.peerOf(newer, hash, peerId('a'))).toBe(peer)
    registry.leaveAll(older)
    expect(registry.swarm(hash)?.peers.size).toBe(1)
    registry.leaveAll(newer)
    expect(registry.swarmCount).toBe(0)
    expect(left).toEqual([peer])
  })

  it('keeps several peers of one swarm on one socket apart', () => {
    const registry = newRegistry()
    const session = newSession()
    registry.join(session, hash, peerId('a'), VIEWER, millis(0))
    registry.join(session, hash, peerId('b'), VIEWER, millis(0))
    expect(registry.swarm(hash)?.incomplete).toBe(2)
    registry.leaveAll(session)
    expect(session.peers).toEqual([])
    expect(registry.swarmCount).toBe(0)
  })

  it('refuses beyond its limits, but not whom it knows', () => {
    const registry = newRegistry({ maxPeersPerSocket: 2, maxPeersPerSwarm: 2, maxSwarms: 2 })
    const session = newSession()
    const other = id('other') as InfoHash
    registry.join(session, hash, peerId('a'), VIEWER, millis(0))
    registry.join(session, other, peerId('a'), VIEWER, millis(0))
    expect(registry.join(session, hash, peerId('b'), VIEWER, millis(0))).toBe(
      'too many swarms on this socket',
    )
    expect(registry.join(session, hash, peerId('a'), VIEWER, millis(0))).toMatchObject({ id: id('a') })
    join(registry, 'b')
    expect(registry.join(newSession(), hash, peerId('c'), VIEWER, millis(0))).toBe('the swarm is full')
    const third = id('third') as InfoHash
    expect(registry.join(newSession(), third, peerId('c'), VIEWER, millis(0))).toBe('too many swarms')
  })

  it('moves a peer id to another socket, but not out of a network where it was just heard', () => {
    const registry = newRegistry()
    const at = (address: string) => new Session({ send: () => {} }, address)
    const joinFrom = (session: Session, now: number) =>
      registry.join(session, hash, peerId('a'), VIEWER, millis(now))
    const first = at('192.0.2.1')
    joinFrom(first, 0)
    const neighbour = at('198.51.100.1')
    expect(joinFrom(neighbour, 1000 * ALIVE_SECONDS - 1)).toBe(IN_USE)
    expect(registry.peerOf(first, hash, peerId('a'))).toBeDefined()
    expect(neighbour.peers).toEqual([])
    const again = at('192.0.2.77')
    expect(joinFrom(again, 1000 * ALIVE_SECONDS - 1)).toMatchObject({ session: again })
    expect(joinFrom(neighbour, 2000 * ALIVE_SECONDS)).toMatchObject({ session: neighbour })
    expect(registry.swarm(hash)?.peers.size).toBe(1)
  })

  it('drops who was not heard for long', () => {
    const registry = newRegistry()
    registry.join(newSession(), hash, peerId('old'), VIEWER, millis(1000))
    registry.join(newSession(), hash, peerId('new'), VIEWER, millis(2000))
    registry.expire(millis(2000))
    expect([...(registry.swarm(hash)?.peers.keys() ?? [])]).toEqual([id('new')])
    registry.expire(millis(3000))
    expect(registry.swarmCount).toBe(0)
  })
})

const profile = fc.constantFrom<PeerProfile>(VIEWER, SEEDER, LEECHER, FULL)
const step = fc.record({
  socket: fc.nat(3),
  swarm: fc.nat(2),
  peer: fc.nat(4),
  profile,
  kind: fc.constantFrom('join', 'join', 'join', 'leave', 'close'),
})

describe('after any sequence of joining, changing and leaving', () => {
  it('the pools hold each peer once, at its place, and sockets know their peers', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const registry = newRegistry()
        const sockets = [newSession(), newSession(), newSession(), newSession()]
        for (const { socket, swarm, peer, profile, kind } of steps) {
          const session = sockets[socket] ?? newSession()
          const infoHash = id(`swarm ${swarm}`) as InfoHash
          if (kind === 'join') registry.join(session, infoHash, peerId(`${peer}`), profile, millis(0))
          else if (kind === 'close') registry.leaveAll(session)
          else {
            const known = registry.peerOf(session, infoHash, peerId(`${peer}`))
            if (known !== undefined) registry.leave(known)
          }
        }
        const swarms = [...registry.swarms()]
        for (const swarm of swarms) checkPools(swarm)
        const owned = sockets.flatMap(({ peers }) => peers)
        expect(new Set(owned)).toEqual(new Set(swarms.flatMap(({ peers }) => [...peers.values()])))
        expect(owned.length).toBe(new Set(owned).size)
      }),
    )
  })
})

/** Places of a small world, nowhere among them. */
const PLACES = [UNKNOWN_PLACE, placeOf(1, 1, 1), placeOf(1, 1, 2), placeOf(1, 2), placeOf(2, 1, 3, 1)]

describe('the buckets of a large pool', () => {
  it('hold every peer once at each level, whoever comes, moves and goes', () => {
    const change = fc.record({ peer: fc.nat(99), place: fc.nat(PLACES.length - 1), leaves: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 150 }), fc.nat(99), (changes, gone) => {
        const registry = newRegistry()
        const names = Array.from({ length: 100 }, (_, i) => `viewer ${i}`)
        for (const [i, name] of names.entries()) join(registry, name, VIEWER, HASH, PLACES[i % PLACES.length])
        for (const { peer, place, leaves } of changes) {
          const known = registry.swarm(hash)?.peers.get(peerId(`viewer ${peer}`))
          if (leaves && known !== undefined) registry.leave(known)
          else if (!leaves) join(registry, `viewer ${peer}`, VIEWER, HASH, PLACES[place])
        }
        checkBuckets(registry.swarm(hash))
        // Down to where they are given up, and up again.
        for (const peer of [...(registry.swarm(hash)?.viewers ?? [])].slice(0, gone)) registry.leave(peer)
        checkBuckets(registry.swarm(hash))
        for (const [i, name] of names.entries()) join(registry, name, VIEWER, HASH, PLACES[i % PLACES.length])
        expect(checkBuckets(registry.swarm(hash))).toBe(true)
        registry.expire(millis(1000))
        expect(registry.swarmCount).toBe(0)
      }),
      { numRuns: 25 },
    )
  })
})

/** Compares the buckets with a walk over the pool; false where the pool has none. */
function checkBuckets(swarm: Swarm | undefined): boolean {
  const [any] = swarm?.viewers ?? []
  if (swarm === undefined || any === undefined) return false
  const { buckets, peers, slots } = swarm.poolsFor(any).leechers
  expect(slots).toEqual(peers.map(({ slot }) => slot))
  for (const { slot, id } of peers) expect(swarm.table.peer(slot)?.id).toBe(id)
  if (buckets === null) return false
  const keys = ['site', 'local', 'network', 'country'] as const
  for (const [level, key] of keys.entries()) {
    for (const place of PLACES) {
      const there = peers.filter((peer) => peer.place[key] === place[key] && place[key] !== 0)
      const bucket = buckets.at(level, place)
      if (there.length < 2) expect(bucket).toBeNull()
      else expect(new Set(bucket)).toEqual(new Set(there.map(({ slot }) => slot)))
      expect(new Set(bucket).size).toBe(bucket?.length ?? 0)
    }
  }
  return true
}

function checkPools({ peers, viewers, seeders, otherLeechers, otherSeeders }: Swarm): void {
  expect(peers.size).toBeGreaterThan(0)
  const pools = [
    [viewers, VIEWER],
    [seeders, SEEDER],
    [otherLeechers, LEECHER],
    [otherSeeders, FULL],
  ] as const
  for (const [pool, profile] of pools) {
    for (const [index, peer] of pool.entries()) expect(peer).toMatchObject({ ...profile, index })
  }
  const pooled = pools.flatMap(([pool]) => pool)
  expect(pooled.length).toBe(peers.size)
  expect(new Set(pooled)).toEqual(new Set(peers.values()))
}

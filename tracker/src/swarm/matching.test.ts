import type { InfoHash, PeerId } from '@shoal/protocol'
import { millis } from '@shoal/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Locality } from '../locality/place.js'
import { NO_LOCALITY } from '../locality/place.js'
import { HASH, id } from '../testing/messages.js'
import {
  FULL,
  join,
  LEECHER,
  newRegistry,
  newSession,
  placeOf,
  SEEDER,
  seededRandom,
  VIEWER,
} from '../testing/swarm-builder.js'

import { MAX_UNANSWERED_OFFERS, Matcher } from './matching.js'
import { OffersInFlight } from './offers-in-flight.js'
import type { Peer } from './peer.js'
import type { PeerProfile } from './registry.js'

/** A swarm with the given numbers of peers, and one more as the asker. */
function swarmOf(
  asker: PeerProfile,
  numbers: { [K in 'viewers' | 'seeders' | 'leechers' | 'full']?: number },
): Peer {
  const registry = newRegistry()
  const { viewers = 0, seeders = 0, leechers = 0, full = 0 } = numbers
  const add = (name: string, count: number, profile: PeerProfile) => {
    for (let i = 0; i < count; i++) join(registry, `${name} ${i}`, profile)
  }
  add('viewer', viewers, VIEWER)
  add('seeder', seeders, SEEDER)
  const peer = join(registry, 'asker', asker)
  add('leecher', leechers, LEECHER)
  add('full', full, FULL)
  return peer
}

const small = fc.nat(15)

function choices(random: () => number, locality: Locality = NO_LOCALITY, offers = new OffersInFlight()) {
  const matcher = new Matcher(locality, random, offers)
  return (asker: Peer, count: number, now = 0) => matcher.choose(asker, count, millis(now))
}

describe('receivers', () => {
  it('are different, not the asker, of its kind, and as many as there are', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(VIEWER, SEEDER, LEECHER, FULL),
        fc.record({ viewers: small, seeders: small, leechers: small, full: small }),
        fc.integer({ min: 0, max: 10 }),
        fc.integer(),
        (profile, numbers, count, seed) => {
          const asker = swarmOf(profile, numbers)
          const chosen = choices(seededRandom(seed))(asker, count)
          expect(new Set(chosen).size).toBe(chosen.length)
          expect(chosen).not.toContain(asker)
          for (const peer of chosen) expect(peer.shoal).toBe(asker.shoal)
          const leechers = asker.shoal ? numbers.viewers : numbers.leechers
          const seeders = asker.shoal ? numbers.seeders : numbers.full
          if (asker.seeder && leechers > 0) for (const peer of chosen) expect(peer.seeder).toBe(false)
          const fit = asker.seeder ? leechers || seeders : leechers + seeders
          expect(chosen.length).toBe(Math.min(count, fit))
        },
      ),
    )
  })

  it('of a viewer include one seeder of a large swarm', () => {
    const asker = swarmOf(VIEWER, { viewers: 500, seeders: 2 })
    const chosen = choices(seededRandom(1))(asker, 5)
    expect(chosen.filter(({ seeder }) => seeder)).toHaveLength(1)
    expect(chosen).toHaveLength(5)
  })

  it.each([
    [LEECHER, { leechers: 12, full: 4 }, 16],
    [LEECHER, { leechers: 80, full: 20 }, 100],
    [SEEDER, { viewers: 11 }, 11],
  ])('are equally likely', (profile, numbers, size) => {
    const asker = swarmOf(profile, numbers)
    const choose = choices(seededRandom(7))
    const hits = new Map<Peer, number>()
    const rounds = 20_000
    for (let i = 0; i < rounds; i++) {
      for (const peer of choose(asker, 5)) hits.set(peer, (hits.get(peer) ?? 0) + 1)
    }
    const expected = (rounds * 5) / size
    expect(hits.size).toBe(size)
    // Six standard deviations of a binomial count.
    for (const count of hits.values()) {
      expect(Math.abs(count - expected)).toBeLessThan(6 * Math.sqrt(expected))
    }
  })

  it('are not those with too many unanswered offers', () => {
    const asker = swarmOf(SEEDER, { viewers: 3 })
    const [busy] = asker.swarm.viewers
    if (busy !== undefined) busy.unanswered = MAX_UNANSWERED_OFFERS
    const chosen = choices(seededRandom(1))(asker, 5)
    expect(chosen).toHaveLength(2)
    expect(chosen).not.toContain(busy)
  })

  it('cost the same in a swarm of any size', () => {
    const draws = (viewers: number): number => {
      const asker = swarmOf(VIEWER, { viewers, seeders: 3 })
      let calls = 0
      const random = seededRandom(3)
      choices(() => {
        calls++
        return random()
      })(asker, 10)
      return calls
    }
    expect(draws(5000)).toBeLessThan(draws(200) + 10)
  })
})

/** Shares of what `rounds` choices of ten chose that satisfy a condition. */
function shareOf(asker: Peer, random: () => number, fits: (peer: Peer) => boolean, now = 0): number {
  const choose = choices(random)
  let chosen = 0
  let fitting = 0
  for (let i = 0; i < 300; i++) {
    for (const peer of choose(asker, 10, now)) {
      chosen++
      if (fits(peer)) fitting++
    }
  }
  return fitting / chosen
}

/** Viewers of ten providers in five countries, and one more of the first. */
function worldOf(viewers: number): Peer {
  const registry = newRegistry()
  for (let i = 0; i < viewers; i++) {
    const network = 1 + (i % 10)
    join(registry, `viewer ${i}`, VIEWER, HASH, placeOf(network, i % 3, 0, 1 + (network % 5)))
  }
  return join(registry, 'asker', VIEWER, HASH, placeOf(1, 1, 0, 2))
}

describe('what is known of peers', () => {
  it.each([300, 3000])('most receivers are near, some are far, in a swarm of %i', (viewers) => {
    const asker = worldOf(viewers)
    const near = shareOf(asker, seededRandom(5), ({ place }) => place.network === 1)
    // A tenth of the swarm.
    expect(near).toBeGreaterThan(0.65)
    expect(near).toBeLessThan(0.95)
    const city = shareOf(asker, seededRandom(6), ({ place }) => place.local === asker.place.local)
    expect(city).toBeGreaterThan(near / 3)
  })

  it('those of the same site come first', () => {
    const asker = worldOf(1000)
    const place = { ...asker.place, site: 77 }
    asker.swarm.reclassify(asker, true, false, place)
    const [a, b] = asker.swarm.viewers
    for (const peer of [a, b]) if (peer !== undefined) asker.swarm.reclassify(peer, true, false, place)
    const choose = choices(seededRandom(9))
    let hits = 0
    for (let i = 0; i < 100; i++) hits += choose(asker, 10).filter((peer) => peer === a || peer === b).length
    // Of 200; two of a thousand come up twice by chance.
    expect(hits).toBeGreaterThan(80)
  })

  it('uplinks and ages count', () => {
    const asker = swarmOf(VIEWER, { viewers: 200 })
    const { swarm } = asker
    for (const peer of swarm.viewers) swarm.applyHints(peer, { uplink: 2e5 })
    for (const peer of swarm.viewers.slice(0, 50)) swarm.applyHints(peer, { uplink: 2e6 })
    const fast = shareOf(asker, seededRandom(2), ({ hints }) => hints?.uplink === 2e6)
    // By chance a quarter.
    expect(fast).toBeGreaterThan(0.4)

    const registry = newRegistry()
    for (let i = 0; i < 100; i++) {
      const [old, young] = [id(`old ${i}`), id(`young ${i}`)] as PeerId[]
      registry.join(newSession(), HASH as InfoHash, old as PeerId, VIEWER, millis(0))
      registry.join(newSession(), HASH as InfoHash, young as PeerId, VIEWER, millis(3_600_000))
    }
    const newcomer = join(registry, 'asker')
    const stayed = shareOf(newcomer, seededRandom(3), ({ joinedSeconds }) => joinedSeconds === 0, 3_600_000)
    expect(stayed).toBeGreaterThan(0.6)
  })

  it('live viewers at the same distance from the edge go together', () => {
    const asker = swarmOf(VIEWER, { viewers: 200 })
    const { swarm } = asker
    for (const [i, peer] of swarm.viewers.entries())
      swarm.applyHints(peer, { playhead: i % 2 === 0 ? 8 : 600 })
    swarm.applyHints(asker, { playhead: 9 })
    expect(shareOf(asker, seededRandom(4), ({ hints }) => hints?.playhead === 8)).toBeGreaterThan(0.65)
  })

  it('viewers of a title on demand go together by their positions', () => {
    const asker = swarmOf(VIEWER, { viewers: 400 })
    const { swarm } = asker
    // Two hours, one viewer in four in the minutes around the asker.
    const positionOf = (i: number) => (i % 4 === 0 ? 1800 + (i % 120) - 60 : 4000 + 8 * i)
    for (const [i, peer] of swarm.viewers.entries()) swarm.applyHints(peer, { playhead: positionOf(i) })
    swarm.applyHints(asker, { playhead: 1800 })
    const near = ({ hints }: Peer) => Math.abs((hints?.playhead ?? 0) - 1800) <= 60
    expect(shareOf(asker, seededRandom(5), near)).toBeGreaterThan(0.4)
  })

  it('the full and those who serve nobody are asked where there is nobody else', () => {
    const asker = swarmOf(VIEWER, { viewers: 100 })
    const { swarm } = asker
    for (const [i, peer] of swarm.viewers.entries()) {
      if (peer !== asker && i % 2 === 0)
        swarm.applyHints(peer, i % 4 === 0 ? { slots: 0 } : { uploads: false })
    }
    const willing = ({ hints }: Peer) => hints === null
    expect(shareOf(asker, seededRandom(2), willing)).toBeGreaterThan(0.9)
    for (const peer of swarm.viewers) swarm.applyHints(peer, { slots: 0 })
    expect(choices(seededRandom(2))(asker, 10)).toHaveLength(10)
  })

  it('pairs that cannot connect or have nothing to give are never chosen', () => {
    for (const hints of [{ nat: 'symmetric' }, { uploads: false }] as const) {
      const asker = swarmOf(VIEWER, { viewers: 12, seeders: 1 })
      const { swarm } = asker
      for (const peer of swarm.viewers) if (peer !== swarm.viewers[0]) swarm.applyHints(peer, hints)
      const chosen = choices(seededRandom(1))(asker, 10)
      expect(new Set(chosen)).toEqual(new Set([swarm.viewers[0], swarm.seeders[0]]))
    }
  })

  it('whoever got an offer of the asker lately gets another only where there is nobody else', () => {
    const asker = swarmOf(VIEWER, { viewers: 8 })
    const offers = new OffersInFlight()
    const choose = choices(seededRandom(1), NO_LOCALITY, offers)
    const first = choose(asker, 5)
    for (const [i, peer] of first.entries()) offers.add(asker, peer, id(`offer ${i}`), millis(0))
    const second = choose(asker, 5)
    expect(second).toHaveLength(5)
    expect(second.filter((peer) => first.includes(peer))).toHaveLength(2)
  })

  it('a seeder gets one offer and is not the only one', () => {
    const asker = swarmOf(VIEWER, { viewers: 50, seeders: 4 })
    const choose = choices(seededRandom(8))
    const seeders = new Set<Peer>()
    for (let i = 0; i < 60; i++) {
      const chosen = choose(asker, 5)
      const [one, ...more] = chosen.filter(({ seeder }) => seeder)
      expect(more).toEqual([])
      if (one !== undefined) seeders.add(one)
    }
    expect(seeders.size).toBe(4)
  })

  it('a swarm of many providers stays in one piece', () => {
    const registry = newRegistry()
    // Nothing in common between providers, and enough peers of its own for everybody.
    const add = (i: number) => join(registry, `viewer ${i}`, VIEWER, HASH, placeOf(1 + (i % 8), 1))
    const peers = Array.from({ length: 800 }, (_, i) => add(i))
    const choose = choices(seededRandom(12))
    const links = new Map<Peer, Peer[]>(peers.map((peer) => [peer, []]))
    for (const peer of peers) {
      for (const other of choose(peer, 5)) {
        links.get(peer)?.push(other)
        links.get(other)?.push(peer)
      }
    }
    const reached = new Set(peers.slice(0, 1))
    for (const peer of reached) for (const other of links.get(peer) ?? []) reached.add(other)
    expect(reached.size).toBe(peers.length)
  })

  it('the same seed chooses the same', () => {
    const names = () => {
      const asker = worldOf(500)
      return choices(seededRandom(4))(asker, 10).map((peer) => peer.id)
    }
    expect(names()).toEqual(names())
  })
})

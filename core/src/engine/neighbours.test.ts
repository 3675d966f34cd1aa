import { millis } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { readyPeer } from '../testing/engine-fixtures.js'
import { seededRandom } from '../testing/random.js'
import { lowWaterOf, Neighbours } from './neighbours.js'
import type { Peer } from './peer.js'

const MAX_LINKS = 8
const LOW = 6
const SECOND = 1_000

/** Neighbours of one member, all heard of all the time. */
class Group {
  readonly peers: Peer[] = []
  readonly replaced: Peer[] = []
  readonly served = new Set<Peer>()
  replacing = false
  now = 0
  readonly neighbours: Neighbours

  constructor({ seed = 1, role = 'viewer' as 'viewer' | 'seeder', maxLinks = MAX_LINKS } = {}) {
    this.neighbours = new Neighbours({ role, maxLinks }, seededRandom(seed), {
      silent: () => expect.unreachable('all are heard of'),
      replaced: (peer) => {
        this.replaced.push(peer)
        this.peers.splice(this.peers.indexOf(peer), 1)
        this.neighbours.forget(peer)
      },
      replacing: (wanted) => {
        this.replacing = wanted
      },
      isServed: (peer) => this.served.has(peer),
    })
    this.neighbours.swarmSize = 100
  }

  /** Lets peers come without asking anybody. */
  add(count: number, options: Parameters<typeof readyPeer>[1] = {}): Peer[] {
    const added = Array.from({ length: count }, () => readyPeer(nextLink++, options, millis(this.now)))
    this.peers.push(...added)
    return added
  }

  /** A newcomer says Hello; whether it was let in. */
  hello(): boolean {
    const admitted = this.neighbours.admit([...this.peers], millis(this.now))
    if (admitted) this.add(1)
    return admitted
  }

  advance(ms: number): void {
    for (const until = this.now + ms; this.now < until; ) {
      this.now = Math.min(until, this.now + 250)
      for (const peer of this.peers) peer.heardAt = millis(this.now)
      this.neighbours.look([...this.peers], millis(this.now))
    }
  }
}
let nextLink = 1

/** Neighbours of which the one given is by far the least useful; all old enough to go. */
function judged(make: (group: Group) => void, seed = 1): Group {
  const group = new Group({ seed })
  make(group)
  for (let second = 0; second < 40; second++) {
    for (const peer of group.peers) if (!useless.has(peer)) peer.verifiedBytes += 100_000
    group.advance(SECOND)
  }
  return group
}
const useless = new WeakSet<Peer>()

/** Which of several goes for a newcomer, over seeds, since two at random never go. */
function whoGoes(make: (group: Group) => Peer): { named: number; others: number } {
  let named = 0
  let others = 0
  for (let seed = 1; seed <= 40; seed++) {
    let worst: Peer | null = null
    const group = judged((fresh) => {
      worst = make(fresh)
    }, seed)
    group.hello()
    group.advance(SECOND)
    for (const peer of group.replaced) peer === worst ? named++ : others++
  }
  return { named, others }
}

describe('the number of neighbours', () => {
  it('is sought up to three quarters of the most, and accepted beyond', () => {
    expect([1, 2, 8, 14, 16, 30].map(lowWaterOf)).toEqual([1, 2, 6, 11, 12, 23])
    const group = new Group()
    for (let count = 0; count < MAX_LINKS; count++) expect(group.hello()).toBe(true)
    expect(group.hello()).toBe(false)
  })
})

describe('a neighbour whose traffic is costly', () => {
  /** A full set of neighbours, of which `costly` are of another provider. */
  function groupWith(costly: number): Group {
    const group = new Group()
    const peers = group.add(MAX_LINKS)
    for (const peer of peers) peer.cost = 40
    for (const peer of peers.slice(0, costly)) peer.cost = 65
    return group
  }

  it('is replaced sooner, for as long as that makes costly ones fewer', () => {
    const group = groupWith(5)
    group.advance(14 * SECOND)
    expect(group.replacing).toBe(false)
    group.advance(SECOND)
    expect(group.replacing).toBe(true)
    expect(group.hello()).toBe(true)
    const [gone] = group.replaced
    expect(gone?.cost).toBe(65)
    // The newcomer is near: there are more of them to be had.
    for (const peer of group.peers.slice(-1)) peer.cost = 40
    group.advance(11 * SECOND)
    expect(group.replacing).toBe(true)
    expect(group.hello()).toBe(true)
    expect(group.replaced[1]?.cost).toBe(65)
    for (const peer of group.peers.slice(-1)) peer.cost = 65
    group.advance(28 * SECOND)
    expect(group.replacing).toBe(false)
    group.advance(3 * SECOND)
    expect(group.replacing).toBe(true)
  })

  it('is nobody where all cost alike', () => {
    const group = groupWith(MAX_LINKS)
    group.advance(29 * SECOND)
    expect(group.replacing).toBe(false)
  })
})

describe('when a neighbour is replaced', () => {
  it('is wanted from the low water on, once somebody has been here for 30 s', () => {
    const few = new Group()
    few.add(LOW - 1)
    few.advance(120 * SECOND)
    expect(few.replacing).toBe(false)
    const group = new Group()
    group.add(LOW)
    group.advance(29 * SECOND)
    expect(group.replacing).toBe(false)
    group.advance(SECOND)
    expect(group.replacing).toBe(true)
    expect(group.replaced).toEqual([])
  })

  it('is not wanted where everybody is a neighbour already, nor by a seeder', () => {
    const group = new Group()
    group.neighbours.swarmSize = LOW + 1
    group.add(LOW)
    const seeder = new Group({ role: 'seeder' })
    seeder.add(MAX_LINKS)
    for (const each of [group, seeder]) {
      each.advance(120 * SECOND)
      expect(each.replacing).toBe(false)
    }
    group.neighbours.swarmSize = LOW + 2
    group.advance(SECOND)
    expect(group.replacing).toBe(true)
  })

  it('is not wanted without a tracker, and nobody goes for who comes nevertheless', () => {
    const group = new Group()
    group.add(LOW)
    group.advance(40 * SECOND)
    expect(group.replacing).toBe(true)
    group.neighbours.swarmSize = null
    group.advance(SECOND)
    expect(group.replacing).toBe(false)
    for (let count = LOW; count < MAX_LINKS; count++) expect(group.hello()).toBe(true)
    expect(group.hello()).toBe(false)
    group.advance(120 * SECOND)
    expect(group.replaced).toEqual([])
  })

  it('lets nobody go before the newcomer is here, and never falls below the low water', () => {
    const group = new Group()
    group.add(LOW)
    group.advance(300 * SECOND)
    expect(group.peers).toHaveLength(LOW)
    expect(group.hello()).toBe(true)
    expect(group.replacing).toBe(false)
    group.advance(SECOND)
    expect(group.replaced).toHaveLength(1)
    expect(group.peers).toHaveLength(LOW)
  })

  it('lets nobody go where another has left by itself meanwhile', () => {
    const group = new Group()
    const peers = group.add(LOW)
    for (const peer of peers) group.served.add(peer)
    group.advance(40 * SECOND)
    group.hello()
    group.neighbours.forget(group.peers.pop() as Peer)
    group.served.clear()
    group.advance(SECOND)
    expect(group.replaced).toEqual([])
    expect(group.peers).toEqual(peers)
  })

  it('makes room at once where there is none, once in 30 s', () => {
    const group = new Group()
    group.add(MAX_LINKS)
    group.advance(40 * SECOND)
    expect(group.hello()).toBe(true)
    expect(group.peers).toHaveLength(MAX_LINKS)
    expect(group.replaced).toHaveLength(1)
    group.advance(29 * SECOND)
    expect(group.hello()).toBe(false)
    group.advance(SECOND)
    expect(group.hello()).toBe(true)
    expect(group.replaced).toHaveLength(2)
  })

  it('waits for what is under way, and gives the replacement up after ten seconds', () => {
    const group = new Group()
    for (const peer of group.add(LOW)) group.served.add(peer)
    group.advance(40 * SECOND)
    expect(group.hello()).toBe(true)
    group.advance(9 * SECOND)
    expect(group.replaced).toEqual([])
    group.served.clear()
    group.advance(250)
    expect(group.replaced).toHaveLength(1)

    const busy = new Group()
    for (const peer of busy.add(LOW)) busy.served.add(peer)
    busy.advance(40 * SECOND)
    busy.hello()
    busy.advance(10 * SECOND)
    busy.served.clear()
    busy.advance(10 * SECOND)
    expect(busy.replaced).toEqual([])
    expect(busy.peers).toHaveLength(LOW + 1)
  })

  it('refuses the newcomer where all places are taken and something is under way with everybody', () => {
    const group = new Group()
    for (const peer of group.add(MAX_LINKS)) group.served.add(peer)
    group.advance(40 * SECOND)
    expect(group.replacing).toBe(true)
    expect(group.hello()).toBe(false)
    expect(group.replaced).toEqual([])
  })
})

describe('who is replaced', () => {
  /** All but two of `MAX_LINKS` can go: the named one is kept in a quarter of the draws. */
  const expectMostly = ({ named, others }: { named: number; others: number }): void => {
    expect(named + others).toBe(40)
    expect(named).toBeGreaterThanOrEqual(22)
  }

  it('is who brought and took the least', () => {
    expectMostly(
      whoGoes((group) => {
        const worst = group.add(MAX_LINKS).at(-1) as Peer
        useless.add(worst)
        return worst
      }),
    )
  })

  it('is who is far away, or late, among equals', () => {
    for (const spoil of [
      (peer: Peer) => peer.roundTrip.sample(millis(800)),
      (peer: Peer) => {
        peer.timeouts = 3
      },
      (peer: Peer) => {
        peer.suspectUntil = Number.POSITIVE_INFINITY
      },
    ]) {
      expectMostly(
        whoGoes((group) => {
          const worst = group.add(MAX_LINKS).at(-1) as Peer
          spoil(worst)
          return worst
        }),
      )
    }
  })

  it('counts what was served, and forgets what was long ago', () => {
    expectMostly(
      whoGoes((group) => {
        const peers = group.add(MAX_LINKS)
        for (const peer of peers) useless.add(peer)
        // The last was worth more than all others, ten time constants ago; they are of use now.
        const last = peers.pop() as Peer
        last.sentBytes += 10_000_000
        group.advance(600 * SECOND)
        for (const peer of peers) peer.sentBytes += 1_000_000
        return last
      }),
    )
  })

  it.each<[string, (peer: Peer, group: Group) => void]>([
    ['a peer that we wait for', (peer) => peer.requests.set(1, {} as never)],
    ['a peer whose manifest we wait for', (peer) => peer.manifestAwaited.add('key')],
    ['a peer that waits for us', (peer, group) => group.served.add(peer)],
  ])('is never %s', (_name, busy) => {
    const { named, others } = whoGoes((group) => {
      const worst = group.add(MAX_LINKS).at(-1) as Peer
      useless.add(worst)
      busy(worst, group)
      return worst
    })
    expect({ named, others }).toEqual({ named: 0, others: 40 })
  })

  it('is never a seeder, nor somebody who came less than 30 s ago', () => {
    const group = new Group()
    const seeders = group.add(2, { role: 'seeder' })
    group.add(LOW - 2)
    // Two are kept, the others go one after the other while newcomers come.
    for (let round = 0; round < 30; round++) {
      group.advance(15 * SECOND)
      const before = new Set(group.replaced)
      group.hello()
      group.advance(SECOND)
      for (const peer of group.replaced) {
        if (!before.has(peer)) expect(group.now - peer.openedAt).toBeGreaterThanOrEqual(30 * SECOND)
      }
    }
    expect(group.replaced.length).toBeGreaterThan(8)
    for (const seeder of seeders) expect(group.peers).toContain(seeder)
  })

  it('is never one of two that chance has chosen, whom chance chooses anew when they leave', () => {
    const keptOf = (seed: number): Group & { kept: Peer[] } => {
      const group = new Group({ seed })
      const first = group.add(MAX_LINKS)
      for (const peer of first) useless.add(peer)
      for (let round = 0; round < 20; round++) {
        group.advance(40 * SECOND)
        group.hello()
      }
      return Object.assign(group, { kept: first.filter((peer) => group.peers.includes(peer)) })
    }
    const places = new Set<string>()
    for (let seed = 1; seed <= 12; seed++) {
      const group = keptOf(seed)
      expect(group.kept).toHaveLength(2)
      const lowest = Math.min(
        ...group.replaced.map(({ link }) => link),
        ...group.kept.map(({ link }) => link),
      )
      places.add(group.kept.map(({ link }) => link - lowest).join())
    }
    expect(places.size).toBeGreaterThan(4)

    const group = keptOf(1)
    for (const peer of group.kept) {
      group.peers.splice(group.peers.indexOf(peer), 1)
      group.neighbours.forget(peer)
    }
    const others = [...group.peers]
    for (let round = 0; round < 20; round++) {
      group.advance(40 * SECOND)
      group.hello()
    }
    expect(others.filter((peer) => group.peers.includes(peer))).toHaveLength(2)
  })
})

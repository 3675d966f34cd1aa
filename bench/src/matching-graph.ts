import type { Millis } from '@shoal/protocol'
import { ladderCost } from '../../tracker/dist/locality/place.js'
import type { Peer } from '../../tracker/dist/swarm/peer.js'
import { BenchSwarm, type Random, seeded, sizesOf } from './matching-swarm.js'

export type Choose = (asker: Peer, count: number, now: Millis) => readonly Peer[]

/** As the player has it: offers until 12 neighbours, accepts up to 16; pairs of which one in five fails. */
const OFFERS_UNTIL = 12
const MAX_LINKS = 16
const PAIR_FAILURE = 0.2

/** Offers of one announce at most. */
const OFFERS_PER_ANNOUNCE = 10

/** Viewers that come after the swarm is full, each for one that goes, by the size of the swarm. */
const GENERATIONS = 3

/** A provider with that many viewers could give each of them only neighbours of its own. */
const LARGE_ENOUGH = MAX_LINKS + 1

export interface GraphRow {
  readonly target: 'shoal' | 'random'
  readonly peers: number
  readonly seed: number
  /** Share of chosen receivers of the asker's provider, where it has viewers enough. */
  readonly chosenInProviderShare: number
  /** Share of open connections within a provider, seen from its viewers, where it has viewers enough. */
  readonly linksInProviderShare: number
  readonly meanCost: number
  readonly meanDegree: number
  readonly largestComponentShare: number
  /** Links to the uplinks above the median, which has half of the peers. */
  readonly linksToFastHalfShare: number
  /** Of all links, those of the most sought hundredth. */
  readonly topPercentShare: number
  /** Viewers whose provider has viewers enough. */
  readonly largeEnoughShare: number
}

/** Builds a swarm peer by peer with one way of choosing, and measures its graph. */
export function buildGraph(
  target: GraphRow['target'],
  total: number,
  seed: number,
  chooser: (random: Random) => Choose,
): GraphRow {
  const swarm = new BenchSwarm(total, seeded(seed))
  const graph = new Graph(swarm, chooser(seeded(seed + 1)), seeded(seed + 2))
  for (let i = 0; i < total; i++) graph.announce(swarm.join())
  for (let i = 0; i < total * GENERATIONS; i++) {
    graph.depart(swarm.leave())
    graph.announce(swarm.join())
  }
  const sizes = sizesOf(swarm.peers)
  const large = ({ place }: Peer) => (sizes.get(place.network) ?? 0) >= LARGE_ENOUGH
  return {
    target,
    peers: total,
    seed,
    chosenInProviderShare: round3(graph.chosenInProviderShare(large)),
    linksInProviderShare: round3(graph.inProviderShare(large)),
    meanCost: round3(graph.meanCost()),
    meanDegree: round3(graph.meanDegree()),
    largestComponentShare: graph.largestComponentShare(swarm.peers),
    linksToFastHalfShare: round3(graph.fastHalfShare(swarm.peers)),
    topPercentShare: round3(graph.topPercentShare()),
    largeEnoughShare: round3(swarm.peers.filter(large).length / total),
  }
}

class Graph {
  private readonly links = new Map<Peer, Set<Peer>>()
  private readonly swarm: BenchSwarm
  private readonly choose: Choose
  private readonly random: Random

  constructor(swarm: BenchSwarm, choose: Choose, random: Random) {
    this.swarm = swarm
    this.choose = choose
    this.random = random
  }

  /** Asks for as many neighbours as it lacks, like a player: twice at most. */
  announce(peer: Peer): void {
    for (let announce = 0; announce < 2; announce++) {
      const wanted = Math.min(OFFERS_PER_ANNOUNCE, OFFERS_UNTIL - this.of(peer).size)
      if (wanted <= 0) return
      for (const other of this.choose(peer, wanted, this.swarm.now)) this.connect(peer, other)
      this.tell(peer)
    }
  }

  /** Its neighbours have lost one and look for others, where they lack some. */
  depart(peer: Peer): void {
    const neighbours = this.of(peer)
    this.links.delete(peer)
    for (const other of neighbours) {
      this.of(other).delete(peer)
      this.tell(other)
    }
    for (const other of neighbours) this.announce(other)
  }

  /** Of what everybody would be told now. */
  chosenInProviderShare(large: (peer: Peer) => boolean): number {
    let chosen = 0
    let inside = 0
    for (const peer of this.swarm.peers) {
      if (!large(peer)) continue
      for (const other of this.choose(peer, OFFERS_PER_ANNOUNCE, this.swarm.now)) {
        chosen++
        if (other.place.network === peer.place.network) inside++
      }
    }
    return inside / chosen
  }

  inProviderShare(large: (peer: Peer) => boolean): number {
    let inside = 0
    let all = 0
    for (const [peer, others] of this.links) {
      if (!large(peer)) continue
      for (const other of others) {
        all++
        if (other.place.network === peer.place.network) inside++
      }
    }
    return inside / all
  }

  meanCost(): number {
    let sum = 0
    let all = 0
    for (const [peer, others] of this.links) {
      for (const other of others) {
        all++
        sum += ladderCost(peer.place, other.place)
      }
    }
    return sum / all
  }

  meanDegree(): number {
    let sum = 0
    for (const others of this.links.values()) sum += others.size
    return sum / this.links.size
  }

  largestComponentShare(peers: readonly Peer[]): number {
    const seen = new Set<Peer>()
    let largest = 0
    for (const start of peers) {
      if (seen.has(start)) continue
      const queue = [start]
      seen.add(start)
      for (let at = 0; at < queue.length; at++) {
        for (const other of this.links.get(queue[at] as Peer) ?? []) {
          if (seen.has(other)) continue
          seen.add(other)
          queue.push(other)
        }
      }
      largest = Math.max(largest, queue.length)
    }
    return largest / peers.length
  }

  fastHalfShare(peers: readonly Peer[]): number {
    const uplink = ({ hints }: Peer) => (hints?.uploads === false ? 0 : (hints?.uplink ?? 0))
    const median = peers.map(uplink).sort((a, b) => a - b)[Math.floor(peers.length / 2)] ?? 0
    let fast = 0
    let all = 0
    for (const others of this.links.values()) {
      for (const other of others) {
        all++
        if (uplink(other) >= median) fast++
      }
    }
    return fast / all
  }

  topPercentShare(): number {
    const degrees = [...this.links.values()].map(({ size }) => size).sort((a, b) => b - a)
    const sum = (list: readonly number[]) => list.reduce((total, degree) => total + degree, 0)
    return sum(degrees.slice(0, Math.ceil(degrees.length / 100))) / sum(degrees)
  }

  private connect(peer: Peer, other: Peer): void {
    const [own, theirs] = [this.of(peer), this.of(other)]
    if (own.has(other) || theirs.size >= MAX_LINKS || own.size >= MAX_LINKS) return
    if (this.random() < PAIR_FAILURE) return
    own.add(other)
    theirs.add(peer)
    this.tell(other)
  }

  /** What the tracker hears of it with the next report. */
  private tell(peer: Peer): void {
    const degree = this.of(peer).size
    peer.swarm.applyHints(peer, { degree, slots: Math.max(0, MAX_LINKS - degree) })
  }

  private of(peer: Peer): Set<Peer> {
    const links = this.links.get(peer) ?? new Set()
    this.links.set(peer, links)
    return links
  }
}

function round3(value: number): number {
  return Number(value.toFixed(3))
}

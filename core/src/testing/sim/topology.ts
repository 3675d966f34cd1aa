import { CLEAR_PATH, type PathConditions } from '../network/conditions.js'
import type { MemoryHost } from '../network/memory-host.js'
import { drawOf, normalOf } from './draw.js'
import type { Person } from './population.js'
import type { SimOptions } from './sim-options.js'

/** One-way delay between two viewers in one place, and across the whole map, in milliseconds. */
const NEAR_MS = 5
const FAR_MS = 60
/** Extra delay of each packet, uniform from 0 to this, in milliseconds. */
const JITTER_MS = 4
/** Time for a connection to open (ICE and DTLS): median in milliseconds, and sigma. */
const OPENING_MEDIAN_MS = 800
const OPENING_SIGMA = 0.5

/** Who reaches whom, and how. */
export class Topology {
  private readonly options: SimOptions
  private readonly people = new Map<MemoryHost, Person>()
  /** While set, the two halves of the viewers do not reach each other. */
  partitioned = false

  constructor(options: SimOptions) {
    this.options = options
  }

  place(host: MemoryHost, person: Person): void {
    this.people.set(host, person)
  }

  /** Who sits at a host; null where that viewer has gone. */
  personAt(host: MemoryHost): Person | null {
    return this.people.get(host) ?? null
  }

  remove(host: MemoryHost): void {
    this.people.delete(host)
  }

  readonly pathBetween = (from: MemoryHost, to: MemoryHost): PathConditions => {
    const a = this.people.get(from)
    const b = this.people.get(to)
    if (a === undefined || b === undefined) return CLEAR_PATH
    const distance = Math.hypot(a.x - b.x, a.y - b.y) / Math.SQRT2
    return {
      delayMs: NEAR_MS + (FAR_MS - NEAR_MS) * distance,
      jitterMs: JITTER_MS,
      loss: this.options.loss,
      bytesPerSecond: Number.POSITIVE_INFINITY,
      cut: this.pairDraw(a, b, 1) < this.options.natFailure || this.isApart(a, b),
    }
  }

  readonly openingMs = (from: MemoryHost, to: MemoryHost): number => {
    const a = this.people.get(from)
    const b = this.people.get(to)
    if (a === undefined || b === undefined) return 0
    return (
      OPENING_MEDIAN_MS * Math.exp(OPENING_SIGMA * normalOf(this.pairDraw(a, b, 2), this.pairDraw(a, b, 3)))
    )
  }

  /** Takes up a changed partition for connections that are there. */
  refresh(hosts: Iterable<MemoryHost>): void {
    for (const host of hosts) {
      for (const link of host.links) {
        const peer = link.peerHost
        if (peer !== null) host.network.setPath(host, peer, this.pathBetween(host, peer))
      }
    }
  }

  private isApart(a: Person, b: Person): boolean {
    return this.partitioned && a.index % 2 !== b.index % 2
  }

  private pairDraw(a: Person, b: Person, purpose: number): number {
    const low = Math.min(a.index, b.index)
    const high = Math.max(a.index, b.index)
    return drawOf(this.options.seed, 23, low, high, purpose)
  }
}

import type { Clock, Random } from '../../ports/clock.js'
import type { PeerLinkEvents } from '../../ports/link.js'
import { seededRandom } from '../random.js'
import { CLEAR_PATH, type HostOptions, type PathConditions } from './conditions.js'
import { MemoryHost } from './memory-host.js'
import { MemoryLink } from './memory-link.js'

export interface MemoryNetworkOptions {
  readonly clock: Clock
  /** Loss and jitter are drawn from it; `seededRandom(1)` unless given. */
  readonly random?: Random
  /** Conditions of every path that `setPath` has not been called for. */
  readonly path?: Partial<PathConditions>
  /** Conditions of paths that `setPath` has not been called for, in place of `path`. */
  readonly pathBetween?: (from: MemoryHost, to: MemoryHost) => PathConditions
  /**
   * Milliseconds from the last signal to open channels, between these hosts; never less than the
   * round trips of ICE, DTLS and SCTP, which it is unless given.
   */
  readonly openingMs?: (from: MemoryHost, to: MemoryHost) => number
  /**
   * The receiver is handed the sender's own bytes, and a message that finds the download line idle is
   * there at once, its own time on that line left out. For simulations of many hosts whose owners
   * change no message.
   */
  readonly light?: boolean
  /** Messages may stand for many packets each: lines are shared as those would share them. */
  readonly fluid?: boolean
  /** Off: links send as fast as lines and paths let them. On unless given. */
  readonly congestionControl?: boolean
  /**
   * Told what owners' callbacks throw. Without it the error comes out of the clock's `advance`, so
   * that a test fails on it.
   */
  readonly onError?: (error: unknown) => void
}

/** An emulated network: hosts with access lines, and paths between them, on the clock given. */
export class MemoryNetwork {
  readonly clock: Clock
  readonly random: Random
  readonly congestionControl: boolean
  readonly light: boolean
  readonly fluid: boolean
  readonly #defaultPath: (from: MemoryHost, to: MemoryHost) => PathConditions
  readonly openingMs: (from: MemoryHost, to: MemoryHost) => number
  readonly #paths = new Map<string, PathConditions>()
  readonly #linksByToken = new Map<string, MemoryLink>()
  readonly onError: ((error: unknown) => void) | undefined
  #hosts = 0
  #links = 0

  constructor(options: MemoryNetworkOptions) {
    this.clock = options.clock
    this.random = options.random ?? seededRandom(1)
    this.congestionControl = options.congestionControl ?? true
    this.light = options.light ?? false
    this.fluid = options.fluid ?? false
    const path = { ...CLEAR_PATH, ...options.path }
    this.#defaultPath = options.pathBetween ?? (() => path)
    this.openingMs = options.openingMs ?? (() => 0)
    this.onError = options.onError
  }

  createHost(options: HostOptions = {}): MemoryHost {
    const number = ++this.#hosts
    return new MemoryHost(this, `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`, options)
  }

  /** Changes one direction, at once and for links that are open too. */
  setPath(from: MemoryHost, to: MemoryHost, change: Partial<PathConditions>): void {
    const path = { ...this.pathOf(from, to), ...change }
    this.#paths.set(keyOf(from, to), path)
    for (const link of from.links) if (link.peerHost === to) link.setOutgoing(path)
    for (const link of [...from.links, ...to.links]) link.checkSilence()
  }

  /** Changes both directions. */
  setPaths(a: MemoryHost, b: MemoryHost, change: Partial<PathConditions>): void {
    this.setPath(a, b, change)
    this.setPath(b, a, change)
  }

  pathOf(from: MemoryHost, to: MemoryHost): PathConditions {
    if (this.#paths.size === 0) return this.#defaultPath(from, to)
    return this.#paths.get(keyOf(from, to)) ?? this.#defaultPath(from, to)
  }

  /** Links that are not closed, over all hosts. */
  get linkCount(): number {
    return this.#linksByToken.size
  }

  register(host: MemoryHost, role: 'offerer' | 'answerer', events: PeerLinkEvents): MemoryLink {
    const link = new MemoryLink(host, role, events, ++this.#links)
    this.#linksByToken.set(link.token, link)
    return link
  }

  unregister(link: MemoryLink): void {
    this.#linksByToken.delete(link.token)
  }

  linkOf(token: string): MemoryLink | undefined {
    return this.#linksByToken.get(token)
  }
}

function keyOf(from: MemoryHost, to: MemoryHost): string {
  return `${from.address}>${to.address}`
}

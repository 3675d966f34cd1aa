import {
  type DialAddress,
  dialAddressText,
  dialPeerId,
  MAX_DIAL_ADDRESSES,
  millis,
  type PeerId,
} from '@shoal/protocol'
import type { Clock, Random } from '../ports/clock.js'
import type { DialMemory } from '../ports/dial-memory.js'
import type { MeshLink, MeshLinks } from './mesh-links.js'

/** Wait after a connection that failed or ended, doubling with each failure, in milliseconds; half to one and a half of it. */
const FIRST_RETRY_MS = 2_000
const LAST_RETRY_MS = 120_000

/**
 * A connection that ended sooner counts as failed, in milliseconds: who does not want us, for a token or
 * another title, is not asked every few seconds.
 */
const BRIEF_MS = 30_000

/** Time between looks at a seeder that is not dialled for now, in milliseconds. */
const LOOK_MS = 30_000

/**
 * Seeders of the tracker and of memory that are dialled at once: one to be served by, and one for when it
 * goes. More would fill the seeders with viewers that want nothing of them. Those of the page are all
 * dialled: the site knows what it says.
 */
const TOLD_WANTED = 2

/** Failures in a row after which an address that nobody but memory knows is forgotten. */
const MEMORY_FAILURES = 3

type Source = 'page' | 'tracker' | 'memory'

interface Dial {
  readonly address: DialAddress
  readonly peerId: PeerId
  source: Source
  failures: number
  link: MeshLink | null
  cancelTimer: () => void
}

export interface MeshDialsPorts {
  readonly clock: Clock
  readonly random: Random
  readonly links: MeshLinks
  readonly memory: DialMemory | null
  /** Our own peer id. */
  readonly self: PeerId
  /** There is room for this peer, and it has not just been given up. */
  readonly welcome: (peer: PeerId) => boolean
  /** A connection is on its way. */
  readonly dialling: () => void
}

/** Connects to seeders by their addresses, without a tracker's help. */
export class MeshDials {
  private readonly ports: MeshDialsPorts
  private readonly dials = new Map<string, Dial>()

  constructor(ports: MeshDialsPorts) {
    this.ports = ports
  }

  /** Nobody is dialled before `start`. @param page addresses that the site gives */
  know(page: readonly DialAddress[]): void {
    for (const address of page.slice(0, MAX_DIAL_ADDRESSES)) this.add(address, 'page')
  }

  /** A page's first look into its storage may take a while: memory is asked no earlier. */
  start(): void {
    const remembered = this.ports.memory?.recall() ?? []
    for (const address of remembered.slice(0, MAX_DIAL_ADDRESSES)) this.add(address, 'memory')
    this.lookAtAll()
  }

  /** Somebody may be reached without a tracker. */
  get any(): boolean {
    return this.dials.size > 0
  }

  /** What the tracker knows now; what it knew before and has no connection is left alone. */
  told(addresses: readonly DialAddress[]): void {
    const texts = new Set(addresses.map(dialAddressText))
    for (const [text, dial] of this.dials) {
      if (dial.source === 'tracker' && dial.link === null && !texts.has(text)) this.remove(text, dial)
    }
    const before = this.dials.size
    for (const address of addresses.slice(0, MAX_DIAL_ADDRESSES)) this.add(address, 'tracker')
    if (this.dials.size > before) this.lookAtAll()
  }

  /** A connection has opened, dialled or not. */
  opened(entry: MeshLink): void {
    for (const dial of this.dials.values()) {
      if (dial.peerId !== entry.remote) continue
      this.ports.memory?.worked(dial.address)
      const { link } = dial
      if (link === null || link.open) continue
      // The tracker's way was quicker, and who was reached by it does not hear the dial.
      dial.link = null
      this.ports.links.close(link)
      this.later(dial, LOOK_MS)
    }
  }

  /** A connection has ended, or is about to be closed. */
  ended(entry: MeshLink): void {
    for (const [text, dial] of this.dials) {
      if (dial.link !== entry) continue
      dial.link = null
      const lasted = entry.open && this.ports.clock.now() - entry.createdAt >= BRIEF_MS
      if (lasted) dial.failures = 0
      else this.failed(text, dial)
      if (this.dials.has(text)) this.later(dial, this.retryMs(dial.failures))
    }
  }

  close(): void {
    for (const dial of this.dials.values()) dial.cancelTimer()
    this.dials.clear()
  }

  private add(address: DialAddress, source: Source): void {
    const text = dialAddressText(address)
    const known = this.dials.get(text)
    if (known !== undefined) {
      if (known.source === 'memory') known.source = source
      return
    }
    if (this.dials.size >= 3 * MAX_DIAL_ADDRESSES) return
    const peerId = dialPeerId(address)
    this.dials.set(text, { address, peerId, source, failures: 0, link: null, cancelTimer: () => undefined })
  }

  private remove(text: string, dial: Dial): void {
    dial.cancelTimer()
    this.dials.delete(text)
  }

  private lookAtAll(): void {
    for (const dial of [...this.dials.values()])
      if (dial.link === null && dial.failures === 0) this.look(dial)
  }

  private look(dial: Dial): void {
    const { links, memory, self, welcome, dialling } = this.ports
    dial.cancelTimer()
    const connected = links.reaches(dial.peerId)
    if (connected) memory?.worked(dial.address)
    const wanted = dial.source === 'page' || this.underWay < TOLD_WANTED
    if (connected || !wanted || !welcome(dial.peerId)) return this.later(dial, LOOK_MS)
    dial.link = links.dial(dial.address, dial.peerId, self)
    if (dial.link === null) return this.later(dial, LOOK_MS)
    // Who did not answer the last time is nobody to keep a segment waiting for.
    dial.link.hoped = dial.failures === 0
    dialling()
  }

  private later(dial: Dial, ms: number): void {
    const { clock, random } = this.ports
    dial.cancelTimer()
    dial.cancelTimer = clock.setTimer(millis(ms * (0.5 + random())), () => this.look(dial))
  }

  private failed(text: string, dial: Dial): void {
    dial.failures++
    if (dial.failures < MEMORY_FAILURES) return
    this.ports.memory?.failed(dial.address)
    if (dial.source === 'memory') this.remove(text, dial)
  }

  private retryMs(failures: number): number {
    return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures)
  }

  private get underWay(): number {
    let count = 0
    for (const { link } of this.dials.values()) if (link !== null) count++
    return count
  }
}

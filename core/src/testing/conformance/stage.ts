import type { ChannelKind, Signal } from '@shoal/protocol'
import type { LinkCloseReason } from '../../ports/link.js'
import type { CreateOptions, LinkHarness, RawPeer, Role, Side, SignallingEnd, TestPeer } from './harness.js'

/** A rule of the port that does not hold. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError'
}

export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new ConformanceError(what)
}

/** Real links open within 0.1 to 1.5 s, on a busy machine later. */
export const OPEN_LIMIT_MS = 15_000
const CLOSE_LIMIT_MS = 10_000

export interface ConnectOptions {
  readonly a?: Omit<CreateOptions, 'role'>
  readonly b?: Omit<CreateOptions, 'role'>
  readonly offerer?: Side
  /** What the other side is given in place of a signal. */
  readonly relay?: (signal: Signal, from: Role) => readonly unknown[]
}

/** One case's peers, and the relay between them. Ends all of them when the case is over. */
export class Stage {
  readonly harness: LinkHarness
  readonly #peers: TestPeer[] = []
  readonly #ends: SignallingEnd[] = []
  #pump: () => void = () => undefined
  /** Why a signal could not be handed over, the first time. */
  #undelivered: string | null = null

  constructor(harness: LinkHarness) {
    this.harness = harness
  }

  async create(side: Side, options: CreateOptions): Promise<TestPeer> {
    const peer = await this.harness.create(side, options)
    this.#peers.push(peer)
    this.#ends.push(peer)
    return peer
  }

  async createRaw(role: Role): Promise<RawPeer> {
    if (this.harness.createRaw === undefined) throw new ConformanceError('this harness has no raw peer')
    const peer = await this.harness.createRaw(role)
    this.#ends.push(peer)
    return peer
  }

  /** Two links of the harness that tell each other their signals from now on. */
  async pair(options: ConnectOptions = {}): Promise<{ a: TestPeer; b: TestPeer }> {
    const offerer = options.offerer ?? 'a'
    const a = await this.create('a', { ...options.a, role: offerer === 'a' ? 'offerer' : 'answerer' })
    const b = await this.create('b', { ...options.b, role: offerer === 'b' ? 'offerer' : 'answerer' })
    this.relay(offerer === 'a' ? a : b, offerer === 'a' ? b : a, options.relay)
    return { a, b }
  }

  /** As `pair`, and waits until both are open. */
  async connect(options: ConnectOptions = {}): Promise<{ a: TestPeer; b: TestPeer }> {
    const pair = await this.pair(options)
    await this.until(() => isOpen(pair.a) && isOpen(pair.b), OPEN_LIMIT_MS, 'both sides open')
    return pair
  }

  /**
   * Hands signals to and fro as docs/protocol.md says: the offerer's candidates wait for the answer.
   * Works while `until` waits.
   */
  relay(offerer: SignallingEnd, answerer: SignallingEnd, change: ConnectOptions['relay']): void {
    const before = this.#pump
    let fromOfferer = 0
    let fromAnswerer = 0
    let answered = false
    let held: unknown[] = []
    let last: Promise<void> = Promise.resolve()
    const hand = (to: SignallingEnd, signals: readonly unknown[]) => {
      for (const signal of signals) {
        // A signal still on its way when the case is over finds nobody: only a wait that fails tells it.
        last = last
          .then(() => to.signal(signal))
          .catch((error: unknown) => {
            this.#undelivered ??= String(error)
          })
      }
    }
    this.#pump = () => {
      before()
      for (; fromAnswerer < answerer.events.length; fromAnswerer++) {
        const event = answerer.events[fromAnswerer]
        if (event?.type !== 'signal') continue
        if (event.signal.kind === 'description') answered = true
        hand(offerer, change?.(event.signal, 'answerer') ?? [event.signal])
      }
      for (; fromOfferer < offerer.events.length; fromOfferer++) {
        const event = offerer.events[fromOfferer]
        if (event?.type !== 'signal') continue
        const changed = change?.(event.signal, 'offerer') ?? [event.signal]
        if (event.signal.kind === 'description') hand(answerer, changed)
        else held = [...held, ...changed]
      }
      if (answered && held.length > 0) {
        hand(answerer, held)
        held = []
      }
    }
  }

  async until(condition: () => boolean, limitMs: number, what: string): Promise<void> {
    const held = await this.harness.until(() => {
      this.#pump()
      return condition()
    }, limitMs)
    if (!held) throw new ConformanceError(`not within ${limitMs} ms: ${what}; ${this.#describe()}`)
  }

  async pass(ms: number): Promise<void> {
    await this.harness.until(() => {
      this.#pump()
      return false
    }, ms)
  }

  /** Closes what is open, and checks what every case checks: one close each, no rule broken. */
  async end(): Promise<void> {
    await Promise.all(this.#ends.map((end) => end.close()))
    const closed = () => this.#peers.every((peer) => closeReasonOf(peer) !== null)
    await this.until(closed, CLOSE_LIMIT_MS, 'every link tells its close')
    for (const { faults } of this.#peers) check(faults.length === 0, faults.join('; '))
  }

  /** Ends what a failed case left, without further checks. */
  async abandon(): Promise<void> {
    await Promise.all(this.#ends.map((end) => end.close()))
  }

  #describe(): string {
    const lines = this.#ends.map((end) => end.events.map((event) => describe(event)).join(' '))
    if (this.#undelivered !== null) lines.push(this.#undelivered)
    return lines.join(' | ')
  }
}

function describe(event: SignallingEnd['events'][number]): string {
  if (event.type === 'signal') return event.signal.kind
  if (event.type === 'message') return `${event.channel}(${event.bytes.length})`
  return event.type === 'close' ? event.reason : event.type
}

export function isOpen(end: SignallingEnd): boolean {
  return end.events.some((event) => event.type === 'open')
}

export function closeReasonOf(end: SignallingEnd): LinkCloseReason | null {
  for (const event of end.events) if (event.type === 'close') return event.reason
  return null
}

export function messagesOf(end: SignallingEnd, channel: ChannelKind): Uint8Array[] {
  return end.events.flatMap((event) =>
    event.type === 'message' && event.channel === channel ? [event.bytes] : [],
  )
}

export function signalsOf(end: SignallingEnd): Signal[] {
  return end.events.flatMap((event) => (event.type === 'signal' ? [event.signal] : []))
}

export function countOf(end: SignallingEnd, type: SignallingEnd['events'][number]['type']): number {
  return end.events.filter((event) => event.type === type).length
}

/** Bytes that tell one message from another and show where they were cut or shifted. */
export function patterned(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let index = 0; index < size; index++) bytes[index] = (seed * 31 + index * 7 + (index >> 8)) & 255
  return bytes
}

export function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && a.every((byte, index) => byte === b[index])
}

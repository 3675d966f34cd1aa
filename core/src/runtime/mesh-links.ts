import type {
  ChannelKind,
  DialAddress,
  IceCandidate,
  Introduced,
  Introduction,
  PeerId,
  Signal,
} from '@shoal/protocol'
import type { LinkId } from '../engine/io.js'
import type { Clock } from '../ports/clock.js'
import type { LinkCloseReason, PeerLink, PeerLinkEvents, PeerLinkFactory } from '../ports/link.js'

/** One connection of the mesh, from the offer on. */
export interface MeshLink {
  readonly id: LinkId
  readonly link: PeerLink
  readonly initiator: boolean
  /** Empty where nothing is signalled. */
  readonly offerId: string
  readonly createdAt: number
  /** Known to an answerer and to who dials at once, to an offerer when the answer comes. */
  remote: PeerId | null
  /** Whom the tracker named for our offer; undefined where it chooses. */
  target: Introduced | undefined
  /** What the tracker told of it. */
  introduction: Introduction | null
  /** Our offer's text, until it has been announced. */
  offerSdp: string | null
  /** Candidates that wait: for the answer to our offer, or for the next batch. */
  candidates: IceCandidate[]
  open: boolean
  /** It may be waited for: a first try, or an offer that somebody took up. */
  hoped: boolean
  /** Takes back the timer at work: the offer's end, then the next batch of candidates. */
  cancelTimer: () => void
}

/** What links of the table tell. Nothing follows once a link has left the table. */
export interface MeshLinkEvents {
  signal(entry: MeshLink, signal: Signal): void
  open(entry: MeshLink): void
  message(id: LinkId, channel: ChannelKind, bytes: Uint8Array): void
  drained(id: LinkId): void
  /** It ended by itself, and has left the table. */
  ended(entry: MeshLink, reason: LinkCloseReason): void
}

/** Connections that are open or on their way, and offers that wait for an answer. */
export class MeshLinks {
  private readonly entries = new Map<LinkId, MeshLink>()
  private readonly factory: PeerLinkFactory | null
  private readonly clock: Clock
  private readonly events: MeshLinkEvents
  private nextId = 1

  constructor(factory: PeerLinkFactory | null, clock: Clock, events: MeshLinkEvents) {
    this.factory = factory
    this.clock = clock
    this.events = events
  }

  /** False where there is no WebRTC: no link can be made. */
  get possible(): boolean {
    return this.factory !== null
  }

  get all(): readonly MeshLink[] {
    return [...this.entries.values()]
  }

  get(id: LinkId): MeshLink | null {
    return this.entries.get(id) ?? null
  }

  byOffer(offerId: string): MeshLink | null {
    for (const entry of this.entries.values()) if (entry.offerId === offerId) return entry
    return null
  }

  /** True where a connection to this peer is there or on its way. */
  reaches(remote: PeerId): boolean {
    for (const entry of this.entries.values()) if (entry.remote === remote) return true
    return false
  }

  get openCount(): number {
    let open = 0
    for (const entry of this.entries.values()) if (entry.open) open++
    return open
  }

  /** Connections that are open or on their way; an offer that nobody has answered is none. */
  get boundCount(): number {
    let bound = 0
    for (const entry of this.entries.values()) if (!isUnanswered(entry)) bound++
    return bound
  }

  /** True where a connection to this peer is there or on its way, or an offer to it by name. */
  courts(peer: PeerId): boolean {
    return this.all.some(
      // A dial may fail where an offer does not.
      ({ remote, target, open, offerId }) => target === peer || (remote === peer && (open || offerId !== '')),
    )
  }

  /** @param remote null for an offer: whoever answers it */
  create(offerId: string, remote: PeerId | null): MeshLink {
    const { factory } = this
    if (factory === null) throw new Error('a link is made only where there is WebRTC')
    const initiator = remote === null
    return this.add(offerId, remote, initiator, (events) =>
      factory.create(initiator ? 'offerer' : 'answerer', events),
    )
  }

  /** Dials a seeder; null where links cannot be made so. @param self our peer id */
  dial(address: DialAddress, remote: PeerId, self: PeerId): MeshLink | null {
    const { factory } = this
    const dial = factory?.dial?.bind(factory)
    return dial === undefined ? null : this.add('', remote, true, (events) => dial(address, self, events))
  }

  /** A connection that is made without signalling. */
  accept(remote: PeerId, make: (events: PeerLinkEvents) => PeerLink): MeshLink {
    return this.add('', remote, false, make)
  }

  private add(
    offerId: string,
    remote: PeerId | null,
    initiator: boolean,
    make: (events: PeerLinkEvents) => PeerLink,
  ): MeshLink {
    const id = this.nextId++
    const whileKnown = (call: (entry: MeshLink) => void): void => {
      const known = this.entries.get(id)
      if (known !== undefined) call(known)
    }
    const link = make({
      onSignal: (signal) => whileKnown((entry) => this.events.signal(entry, signal)),
      onOpen: () =>
        whileKnown((entry) => {
          entry.open = true
          this.events.open(entry)
        }),
      onMessage: (channel, bytes) => {
        if (this.entries.has(id)) this.events.message(id, channel, bytes)
      },
      onDrain: () => whileKnown(() => this.events.drained(id)),
      onClose: (reason) =>
        whileKnown((entry) => {
          this.take(entry)
          this.events.ended(entry, reason)
        }),
    })
    const entry: MeshLink = {
      id,
      link,
      initiator,
      offerId,
      createdAt: this.clock.now(),
      remote,
      target: undefined,
      introduction: null,
      offerSdp: null,
      candidates: [],
      open: false,
      hoped: true,
      cancelTimer: () => undefined,
    }
    this.entries.set(id, entry)
    return entry
  }

  /** Ends a connection, or withdraws an offer; nothing is told. */
  close(entry: MeshLink): void {
    if (!this.entries.has(entry.id)) return
    this.take(entry)
    entry.link.close()
  }

  private take(entry: MeshLink): void {
    this.entries.delete(entry.id)
    entry.cancelTimer()
  }
}

/** An offer of ours that nobody has taken up. */
export function isUnanswered(entry: MeshLink): boolean {
  return entry.initiator && entry.remote === null
}

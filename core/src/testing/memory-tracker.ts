import {
  type Announce,
  type ClientMessage,
  hexOf,
  type InfoHash,
  millis,
  type PeerId,
  type TrackerMessage,
} from '@shoal/protocol'
import type { Clock, Random } from '../ports/clock.js'
import type { OpenTrackerSocket, TrackerSocketEvents } from '../ports/socket.js'

/** One way, in milliseconds. */
const DELAY_MS = 20

interface Member {
  readonly peerId: PeerId
  readonly deliver: (message: object) => void
  seeder: boolean
}

/**
 * A tracker in memory: counts, relays offers to random members, relays answers and candidates. It
 * keeps to docs/protocol.md as far as a correct client can tell, and trusts its clients.
 */
export class MemoryTracker {
  private readonly clock: Clock
  private readonly random: Random
  private readonly swarms = new Map<InfoHash, Map<PeerId, Member>>()
  private readonly sockets = new Set<() => void>()
  private up = true
  /** Announces taken, by info hash in hexadecimal. */
  readonly announces = new Map<string, number>()

  constructor(clock: Clock, random: Random) {
    this.clock = clock
    this.random = random
  }

  /** Stops or starts answering; stopping closes every socket. */
  setUp(up: boolean): void {
    this.up = up
    if (!up) for (const drop of [...this.sockets]) drop()
  }

  readonly openSocket: OpenTrackerSocket = (_url, events) => {
    let open = false
    const joined: { infoHash: InfoHash; peerId: PeerId }[] = []
    const later = (call: () => void): void => {
      this.clock.setTimer(millis(DELAY_MS), call)
    }
    const drop = (): void => {
      if (!this.sockets.delete(drop)) return
      open = false
      for (const { infoHash, peerId } of joined) this.swarms.get(infoHash)?.delete(peerId)
      events.onClose('closed')
    }
    this.sockets.add(drop)
    later(() => {
      if (!this.up) return drop()
      if (!this.sockets.has(drop)) return
      open = true
      events.onOpen()
    })
    return {
      send: (text) => {
        if (!open) return false
        later(() => {
          if (!open) return
          const message = JSON.parse(text) as ClientMessage
          joined.push({ infoHash: message.info_hash, peerId: message.peer_id })
          this.take(message, (reply) => later(() => deliver(events, reply, () => open)))
        })
        return true
      },
      close: () => later(drop),
    }
  }

  private take(message: ClientMessage, deliver: Member['deliver']): void {
    const swarm = this.swarms.get(message.info_hash) ?? new Map<PeerId, Member>()
    this.swarms.set(message.info_hash, swarm)
    const { info_hash, peer_id } = message
    if ('to_peer_id' in message) {
      const { to_peer_id, ...rest } = message
      swarm.get(to_peer_id)?.deliver(rest)
      return
    }
    this.announce(message, swarm, deliver)
    const key = hexOf(info_hash)
    this.announces.set(key, (this.announces.get(key) ?? 0) + 1)
    if (message.event === 'stopped') swarm.delete(peer_id)
  }

  private announce(message: Announce, swarm: Map<PeerId, Member>, deliver: Member['deliver']): void {
    const { info_hash, peer_id } = message
    swarm.set(peer_id, { peerId: peer_id, deliver, seeder: message.shoal.role === 'seeder' })
    const complete = [...swarm.values()].filter((member) => member.seeder).length
    const incomplete = swarm.size - complete
    const extension = { v: 1, report_interval: 10 }
    deliver({ action: 'announce', info_hash, interval: 120, complete, incomplete, shoal: extension })
    const others = [...swarm.values()].filter((member) => member.peerId !== peer_id)
    for (const { offer, offer_id } of message.offers ?? []) {
      const index = Math.floor(this.random() * others.length)
      const [target] = others.splice(index, 1)
      target?.deliver({ action: 'announce', info_hash, peer_id, offer_id, offer })
    }
  }
}

function deliver(events: TrackerSocketEvents, message: object, isOpen: () => boolean): void {
  if (isOpen()) events.onMessage(JSON.stringify(message satisfies object as TrackerMessage | object))
}

import {
  type ChannelKind,
  decodeMessage,
  encodeMessage,
  type GoodbyeReason,
  MessageType,
  millis,
  type PeerId,
  type TokenFault,
} from '@shoal/protocol'
import type { LinkId } from '../engine/io.js'
import type { Door, DoorPorts } from '../ports/door.js'

/** A peer that has not shown a token by then has none, in milliseconds: its page may have to fetch one. */
const SHOW_TIMEOUT_MS = 15_000

/** Messages kept of a peer whose token has not come: its Hello, its summary and a few more. */
const MAX_HELD = 16

interface Newcomer {
  readonly remote: PeerId
  readonly letIn: () => void
  readonly held: [ChannelKind, Uint8Array][]
  readonly cancelTimer: () => void
}

/**
 * Asks each newcomer for its join token, and hears nothing else of it before a good one came
 * (docs/protocol.md, "Join tokens").
 */
export class TokenDoor implements Door {
  private readonly admit: (token: string, peer: PeerId) => TokenFault | null
  private readonly ports: DoorPorts
  private readonly newcomers = new Map<LinkId, Newcomer>()

  /** @param admit null for a good token, or what is amiss; called once for each connection at most */
  constructor(admit: (token: string, peer: PeerId) => TokenFault | null, ports: DoorPorts) {
    this.admit = admit
    this.ports = ports
  }

  opened(link: LinkId, remote: PeerId | null, letIn: () => void): void {
    const { clock, send, swarmTag } = this.ports
    // Only who takes up an offer of ours is not named: there are none where tokens are asked for.
    if (remote === null) return this.refuse(link, 'token-required')
    const cancelTimer = clock.setTimer(millis(SHOW_TIMEOUT_MS), () => this.refuse(link, 'token-required'))
    this.newcomers.set(link, { remote, letIn, held: [], cancelTimer })
    send(link, encodeMessage({ type: 'token', swarmTag, token: '' }))
  }

  holds(link: LinkId, channel: ChannelKind, bytes: Uint8Array): boolean {
    const newcomer = this.newcomers.get(link)
    if (newcomer === undefined) return bytes[0] === MessageType.token
    if (channel === 'lossy') return true
    if (bytes[0] === MessageType.token) this.judge(link, newcomer, bytes)
    else if (newcomer.held.length >= MAX_HELD) this.refuse(link, 'violation')
    else newcomer.held.push([channel, bytes])
    return true
  }

  closed(link: LinkId): void {
    this.newcomers.get(link)?.cancelTimer()
    this.newcomers.delete(link)
  }

  close(): void {
    for (const link of [...this.newcomers.keys()]) this.closed(link)
  }

  private judge(link: LinkId, newcomer: Newcomer, bytes: Uint8Array): void {
    const token = tokenOf(bytes)
    if (token === null) return this.refuse(link, 'violation')
    const fault = token === '' ? 'token-required' : this.admit(token, newcomer.remote)
    if (fault !== null) return this.refuse(link, fault)
    this.closed(link)
    newcomer.letIn()
    for (const [channel, held] of newcomer.held) this.ports.message(link, channel, held)
  }

  private refuse(link: LinkId, reason: GoodbyeReason): void {
    const { send, swarmTag, refused } = this.ports
    this.closed(link)
    send(link, encodeMessage({ type: 'goodbye', swarmTag, reason }))
    refused(link)
  }
}

/** Null where the message is out of form. */
function tokenOf(bytes: Uint8Array): string | null {
  try {
    const message = decodeMessage(bytes, 'control')
    return message.type === 'token' ? message.token : null
  } catch {
    return null
  }
}

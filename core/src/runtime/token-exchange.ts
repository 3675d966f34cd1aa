import {
  type ChannelKind,
  DecodeError,
  decodeMessage,
  encodeMessage,
  type GoodbyeReason,
  MessageType,
  millis,
  type PeerId,
  type Token,
  type TokenFault,
} from '@shoal/protocol'
import type { LinkId } from '../engine/io.js'
import type { Clock } from '../ports/clock.js'
import type { JoinToken } from './join-token.js'

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

export interface TokenExchangePorts {
  readonly clock: Clock
  readonly swarmTag: number
  /** Our own token, for those who ask. */
  readonly token: JoinToken
  /** Null: everybody is let in. */
  readonly admit: ((token: string, peer: PeerId) => TokenFault | null) | null
  readonly send: (link: LinkId, bytes: Uint8Array) => void
  /** A message of somebody who was let in. */
  readonly message: (link: LinkId, channel: ChannelKind, bytes: Uint8Array) => void
  /** We have said Goodbye to somebody who was not let in. */
  readonly refused: (link: LinkId) => void
  /** The other end did not let us in. */
  readonly turnedAway: (link: LinkId, fault: TokenFault) => void
}

/** Asks newcomers for their join tokens before anything else is heard of them, and shows ours. */
export class TokenExchange {
  private readonly ports: TokenExchangePorts
  private readonly newcomers = new Map<LinkId, Newcomer>()
  /** Links whose other end has been shown our token: once each. */
  private readonly shown = new Set<LinkId>()

  constructor(ports: TokenExchangePorts) {
    this.ports = ports
  }

  /** A connection has opened. `letIn` is called at once, or when a good token came. */
  opened(link: LinkId, remote: PeerId | null, letIn: () => void): void {
    const { admit, clock } = this.ports
    if (admit === null) return letIn()
    // Only an offer of ours has nobody named, and who asks for tokens makes none.
    if (remote === null) return this.refuse(link, 'token-required')
    const cancelTimer = clock.setTimer(millis(SHOW_TIMEOUT_MS), () => this.refuse(link, 'token-required'))
    this.newcomers.set(link, { remote, letIn, held: [], cancelTimer })
    this.say(link, '')
  }

  message(link: LinkId, channel: ChannelKind, bytes: Uint8Array): void {
    // Data above all: nothing of ours is on the lossy channel.
    if (channel === 'lossy' && this.newcomers.size === 0) return this.ports.message(link, channel, bytes)
    const newcomer = this.newcomers.get(link)
    const token = channel === 'control' ? readToken(bytes) : null
    if (token !== null) {
      if (newcomer !== undefined) this.judge(link, newcomer, token)
      else if (this.ports.admit === null && token.token === '') this.show(link)
      return
    }
    const fault = newcomer === undefined && channel === 'control' ? readFault(bytes) : null
    if (fault !== null) return this.ports.turnedAway(link, fault)
    if (newcomer === undefined) return this.ports.message(link, channel, bytes)
    if (channel === 'lossy') return
    if (newcomer.held.length >= MAX_HELD) return this.refuse(link, 'violation')
    newcomer.held.push([channel, bytes])
  }

  closed(link: LinkId): void {
    this.shown.delete(link)
    this.newcomers.get(link)?.cancelTimer()
    this.newcomers.delete(link)
  }

  close(): void {
    for (const link of [...this.newcomers.keys()]) this.closed(link)
    this.shown.clear()
  }

  private judge(link: LinkId, newcomer: Newcomer, { token }: Token): void {
    const { admit, message } = this.ports
    const fault = token === '' ? 'token-required' : (admit?.(token, newcomer.remote) ?? null)
    if (fault !== null) return this.refuse(link, fault)
    this.closed(link)
    newcomer.letIn()
    for (const [channel, bytes] of newcomer.held) message(link, channel, bytes)
  }

  private refuse(link: LinkId, reason: GoodbyeReason): void {
    const { send, swarmTag, refused } = this.ports
    this.closed(link)
    send(link, encodeMessage({ type: 'goodbye', swarmTag, reason }))
    refused(link)
  }

  private show(link: LinkId): void {
    if (this.shown.has(link)) return
    this.shown.add(link)
    const { token } = this.ports
    token.ready(() => {
      const { value = '' } = token
      if (this.shown.has(link)) this.say(link, /^[!-~]*$/.test(value) ? value : '')
    })
  }

  private say(link: LinkId, token: string): void {
    const { send, swarmTag } = this.ports
    send(link, encodeMessage({ type: 'token', swarmTag, token }))
  }
}

/** Null for every other message, and for one out of form, which the engine looks at. */
function readToken(bytes: Uint8Array): Token | null {
  if (bytes[0] !== MessageType.token) return null
  const message = decoded(bytes)
  return message?.type === 'token' ? message : null
}

function readFault(bytes: Uint8Array): TokenFault | null {
  if (bytes[0] !== MessageType.goodbye) return null
  const message = decoded(bytes)
  const reason = message?.type === 'goodbye' ? message.reason : ''
  return reason === 'token-required' || reason === 'token-invalid' || reason === 'token-expired'
    ? reason
    : null
}

function decoded(bytes: Uint8Array) {
  try {
    return decodeMessage(bytes, 'control')
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
}

import {
  type ChannelKind,
  decodeMessage,
  encodeMessage,
  MessageType,
  millis,
  type PeerId,
  type TokenFault,
} from '@shoal/protocol'
import type { LinkId } from '../engine/io.js'
import type { Clock } from '../ports/clock.js'
import type { Door, DoorPorts } from '../ports/door.js'
import type { JoinToken } from './join-token.js'

/** Time for a Goodbye to leave before its connection is closed, in milliseconds. */
export const GOODBYE_MS = 100

/** What is done about a connection. */
export interface GateActions {
  /** On the control channel. */
  send(link: LinkId, bytes: Uint8Array): void
  /** The peer at the other end is not connected to again for a while. */
  avoid(link: LinkId): void
  close(link: LinkId): void
}

/** What the engine hears. */
export interface GateEvents {
  linkMessage(link: LinkId, channel: ChannelKind, bytes: Uint8Array): void
  linkClosed(link: LinkId): void
}

/** Stands between connections and the engine: shows our join token to peers that ask, asks for theirs. */
export class MeshGate {
  /** Why a peer that asks for tokens did not let us in; null where none has. */
  fault: TokenFault | null = null
  private readonly swarmTag: number
  private readonly token: JoinToken
  private readonly events: GateEvents
  private readonly actions: GateActions
  /** Null where everybody is let in. */
  private readonly door: Door | null
  /** Links whose other end has been shown our token: once each. */
  private readonly shown = new Set<LinkId>()

  constructor(
    swarmTag: number,
    { clock, door }: { readonly clock: Clock; readonly door?: (ports: DoorPorts) => Door },
    token: JoinToken,
    events: GateEvents,
    actions: GateActions,
  ) {
    this.swarmTag = swarmTag
    this.token = token
    this.events = events
    this.actions = actions
    const { send } = actions
    const refused = (link: LinkId): void => {
      actions.avoid(link)
      clock.setTimer(millis(GOODBYE_MS), () => actions.close(link))
    }
    this.door = door?.({ clock, swarmTag, send, message: events.linkMessage, refused }) ?? null
  }

  /** A connection has opened. `letIn` is called when the engine may hear of it. */
  opened(link: LinkId, remote: PeerId | null, letIn: () => void): void {
    const { door } = this
    if (door === null) letIn()
    else door.opened(link, remote, letIn)
  }

  message(link: LinkId, channel: ChannelKind, bytes: Uint8Array): void {
    if (this.door?.holds(link, channel, bytes) === true) return
    if (channel === 'lossy' || !this.takes(link, bytes)) this.events.linkMessage(link, channel, bytes)
  }

  closed(link: LinkId): void {
    this.shown.delete(link)
    this.door?.closed(link)
  }

  /** True for what is not for the engine. */
  private takes(link: LinkId, bytes: Uint8Array): boolean {
    const [type] = bytes
    if (type !== MessageType.token && type !== MessageType.goodbye) return false
    try {
      const message = decodeMessage(bytes, 'control')
      if (message.type === 'token') {
        if (message.token === '') this.show(link)
        return true
      }
      const fault = message.type === 'goodbye' ? message.reason : ''
      if (fault !== 'token-required' && fault !== 'token-invalid' && fault !== 'token-expired') return false
      this.turnedAway(link, fault)
      return true
    } catch {
      // Out of form: the engine says what follows.
      return false
    }
  }

  /** Not again before another token, or a while. */
  private turnedAway(link: LinkId, fault: TokenFault): void {
    this.fault = fault
    this.token.refused()
    this.actions.avoid(link)
    this.actions.close(link)
    this.events.linkClosed(link)
  }

  private show(link: LinkId): void {
    if (this.shown.has(link)) return
    this.shown.add(link)
    const { token, actions, swarmTag } = this
    token.ready(() => {
      const { value = '' } = token
      // The page may give anything; what could not be a token is none.
      const shown = /^[!-~]*$/.test(value) ? value : ''
      if (this.shown.has(link)) actions.send(link, encodeMessage({ type: 'token', swarmTag, token: shown }))
    })
  }
}

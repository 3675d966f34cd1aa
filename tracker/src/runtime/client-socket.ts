import type { InfoHash, Millis } from '@shoal/protocol'
import { isBinaryString20 } from '@shoal/protocol'
import type { Log } from '../adapters/log.js'
import type { Connection, ConnectionHandler } from '../adapters/server-port.js'
import type { Refusal } from '../admission/refusal.js'
import type { SocketGuard } from '../admission/socket-guard.js'
import { Strikes } from '../signalling/strikes.js'
import type { Tracker } from '../signalling/tracker.js'
import type { Outlet } from '../swarm/session.js'
import { Session } from '../swarm/session.js'
import { MessageError } from '../wire/message-error.js'
import { failureText } from '../wire/server-message.js'
import type { WireText } from '../wire/wire-text.js'
import type { Outbox, Receiver } from './outbox.js'

/** Close code 1008, "policy violation". */
const POLICY_VIOLATION = 1008

const NOTHING = '' as WireText

/** What all sockets of a tracker share. */
export interface SocketOwner {
  readonly tracker: Tracker
  readonly now: () => Millis
  readonly log: Log
  readonly outbox: Outbox
  /** The socket is gone. */
  closed(connection: Connection): void
}

/** One client's socket, in as few objects as can be: there are many, and most are idle. */
export class ClientSocket implements ConnectionHandler, Outlet, Receiver {
  readonly connection: Connection
  lastWaiting = -1
  private readonly owner: SocketOwner
  private readonly session: Session
  private readonly guard: SocketGuard
  private strikes: Strikes | null = null
  /** What still comes after that is on its way already, or from a client that does not care. */
  private thrownOut = false

  constructor(owner: SocketOwner, connection: Connection, address: string | null, guard: SocketGuard) {
    this.owner = owner
    this.connection = connection
    this.session = new Session(this, address, guard)
    this.guard = guard
  }

  send(head: WireText, body: WireText = NOTHING, tail: WireText = NOTHING): void {
    this.owner.outbox.send(this, head, body, tail)
  }

  message(data: Uint8Array): void {
    if (this.thrownOut) return
    const { owner, session, guard } = this
    const now = owner.now()
    try {
      const refusal = guard.checkBytes(data.byteLength, now)
      if (refusal !== null) this.drop(data, refusal)
      else if (owner.tracker.message(session, data, now)) return
    } catch (error) {
      // A fault of the tracker's own: it costs this message, not the process with all its swarms.
      owner.log.error({ err: error }, 'message not handled')
      return
    }
    this.strikes ??= new Strikes()
    if (!this.strikes.add(now)) return
    this.thrownOut = true
    owner.tracker.counters.socketsAbusive++
    this.connection.close(POLICY_VIOLATION, 'too many messages out of form')
  }

  closed(): void {
    const { owner } = this
    const now = owner.now()
    owner.closed(this.connection)
    owner.tracker.closed(this.session, now)
    this.guard.close(now)
  }

  /** Refuses a message unread, but for whose it is. */
  private drop(data: Uint8Array, { code, reason }: Refusal): void {
    const { counters } = this.owner.tracker
    counters.failures++
    counters.refusals[code]++
    this.send(failureText(new MessageError(reason, 'announce', hashIn(data), code)))
  }
}

/** Bytes of a message in which its info hash stands: clients write it second, after the action. */
const HEAD_BYTES = 300

/** The info hash of a message that is not read, where it is easy to find; null where it is not. */
function hashIn(data: Uint8Array): InfoHash | null {
  const head = Buffer.from(data.buffer, data.byteOffset, Math.min(data.byteLength, HEAD_BYTES)).toString()
  const [, json = 'null'] = /"info_hash"\s{0,4}:\s{0,4}("(?:[^"\\]|\\.){1,120}")/.exec(head) ?? []
  try {
    const hash: unknown = JSON.parse(json)
    return isBinaryString20(hash) ? (hash as InfoHash) : null
  } catch {
    return null
  }
}

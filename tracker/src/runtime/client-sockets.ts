import type { InfoHash, Millis } from '@shoal/protocol'
import { isBinaryString20 } from '@shoal/protocol'
import type { Log } from '../adapters/log.js'
import type { Connection, ConnectionHandler } from '../adapters/server-port.js'
import type { Admission, Client } from '../admission/admission.js'
import type { Refusal } from '../admission/refusal.js'
import { Strikes } from '../signalling/strikes.js'
import type { Tracker } from '../signalling/tracker.js'
import { Session } from '../swarm/session.js'
import { MessageError } from '../wire/message-error.js'
import { failureText } from '../wire/server-message.js'
import { Outbox } from './outbox.js'

/** Close code 1008, "policy violation". */
const POLICY_VIOLATION = 1008

const FULL: Refusal = { code: 'full', reason: 'the tracker is full' }

/** The WebSockets of clients: messages to the tracker, what it says back to the sockets. */
export class ClientSockets {
  private readonly tracker: Tracker
  private readonly admission: Admission
  private readonly maxConnections: number
  private readonly now: () => Millis
  private readonly log: Log
  private readonly outbox: Outbox
  private readonly connections = new Set<Connection>()

  constructor(tracker: Tracker, admission: Admission, maxConnections: number, now: () => Millis, log: Log) {
    this.tracker = tracker
    this.admission = admission
    this.maxConnections = maxConnections
    this.now = now
    this.log = log
    this.outbox = new Outbox(() => {
      tracker.counters.socketsSlow++
    })
  }

  get size(): number {
    return this.connections.size
  }

  /** Why this client gets no socket, or null. */
  refuse(client: Client): Refusal | null {
    const full = this.connections.size >= this.maxConnections
    const refusal = full ? FULL : this.admission.refuseSocket(client, this.now())
    if (refusal === null) return null
    const { counters } = this.tracker
    counters.socketsRefused++
    counters.refusals[refusal.code]++
    return refusal
  }

  open(connection: Connection, client: Client): ConnectionHandler {
    const { tracker } = this
    const guard = this.admission.guard(client)
    const session = new Session(this.outbox.outletFor(connection), client.address, guard)
    let strikes: Strikes | null = null
    // What still comes after that is on its way already, or from a client that does not care.
    let thrownOut = false
    this.connections.add(connection)
    tracker.counters.socketsOpened++
    return {
      message: (data) => {
        if (thrownOut) return
        const now = this.now()
        try {
          const refusal = guard.checkBytes(data.byteLength, now)
          if (refusal !== null) this.drop(session, data, refusal)
          else if (tracker.message(session, data, now)) return
        } catch (error) {
          // A fault of the tracker's own: it costs this message, not the process with all its swarms.
          this.log.error({ err: error }, 'message not handled')
          return
        }
        strikes ??= new Strikes()
        if (!strikes.add(now)) return
        thrownOut = true
        tracker.counters.socketsAbusive++
        connection.close(POLICY_VIOLATION, 'too many messages out of form')
      },
      closed: () => {
        const now = this.now()
        this.connections.delete(connection)
        tracker.closed(session, now)
        guard.close(now)
      },
    }
  }

  /** The sockets that are open now. */
  all(): Connection[] {
    return [...this.connections]
  }

  /** Refuses a message unread, but for whose it is. */
  private drop(session: Session, data: Uint8Array, { code, reason }: Refusal): void {
    const { counters } = this.tracker
    counters.failures++
    counters.refusals[code]++
    session.outlet.send(failureText(new MessageError(reason, 'announce', hashIn(data), code)))
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

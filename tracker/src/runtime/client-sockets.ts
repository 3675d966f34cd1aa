import type { Millis } from '@shoal/protocol'
import type { Log } from '../adapters/log.js'
import type { Connection, ConnectionHandler } from '../adapters/server-port.js'
import type { Admission, Client } from '../admission/admission.js'
import type { Refusal } from '../admission/refusal.js'
import type { Tracker } from '../signalling/tracker.js'
import { ClientSocket } from './client-socket.js'
import { Outbox } from './outbox.js'

const FULL: Refusal = { code: 'full', reason: 'the tracker is full' }

/** The WebSockets of clients: messages to the tracker, what it says back to the sockets. */
export class ClientSockets {
  readonly tracker: Tracker
  readonly now: () => Millis
  readonly log: Log
  readonly outbox: Outbox
  private readonly admission: Admission
  private readonly maxConnections: number
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
    const guard = this.admission.guard(client)
    this.connections.add(connection)
    this.tracker.counters.socketsOpened++
    return new ClientSocket(this, connection, client.address, guard)
  }

  /** The sockets that are open now. */
  all(): Connection[] {
    return [...this.connections]
  }

  /** The socket is gone. */
  closed(connection: Connection): void {
    this.connections.delete(connection)
  }
}

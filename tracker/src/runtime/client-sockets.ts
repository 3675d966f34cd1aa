import type { Millis } from '@shoal/protocol'
import type { Log } from '../adapters/log.js'
import type { Connection, ConnectionHandler } from '../adapters/server-port.js'
import { Strikes } from '../signalling/strikes.js'
import type { Tracker } from '../signalling/tracker.js'
import { Session } from '../swarm/session.js'
import { Outbox } from './outbox.js'

/** Close code 1008, "policy violation". */
const POLICY_VIOLATION = 1008

/** The WebSockets of clients: bytes to texts, texts to the tracker, what it says back to the sockets. */
export class ClientSockets {
  private readonly tracker: Tracker
  private readonly maxConnections: number
  private readonly now: () => Millis
  private readonly log: Log
  private readonly outbox: Outbox
  private open_ = 0

  constructor(tracker: Tracker, maxConnections: number, now: () => Millis, log: Log) {
    this.tracker = tracker
    this.maxConnections = maxConnections
    this.now = now
    this.log = log
    this.outbox = new Outbox(() => {
      tracker.counters.socketsSlow++
    })
  }

  get size(): number {
    return this.open_
  }

  /** True when one more would be too many. */
  refuse(): boolean {
    if (this.open_ < this.maxConnections) return false
    this.tracker.counters.socketsRefused++
    return true
  }

  open(connection: Connection): ConnectionHandler {
    const { tracker } = this
    const session = new Session(this.outbox.outletFor(connection))
    let strikes: Strikes | null = null
    this.open_++
    tracker.counters.socketsOpened++
    return {
      message: (data) => {
        const now = this.now()
        try {
          if (tracker.message(session, textOf(data), now)) return
        } catch (error) {
          // A fault of the tracker's own: it costs this message, not the process with all its swarms.
          this.log.error({ err: error }, 'message not handled')
          return
        }
        strikes ??= new Strikes()
        if (!strikes.add(now)) return
        tracker.counters.socketsAbusive++
        connection.close(POLICY_VIOLATION, 'too many messages out of form')
      },
      closed: () => {
        this.open_--
        tracker.closed(session, this.now())
      },
    }
  }
}

function textOf(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')
}

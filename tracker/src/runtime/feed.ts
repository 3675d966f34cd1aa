import type { FeedFrame, StatsSample, TrackerStats } from '@shoal/protocol'
import { pack } from 'msgpackr'
import type { Connection, ConnectionHandler } from '../adapters/server-port.js'

/** Dashboards that are served at once: each gets up to 20 kB a second. */
export const MAX_FEEDS = 50

/** Of those for one network (/24, /48): nobody shuts the operator's out. */
export const MAX_FEEDS_OF_A_NETWORK = 10

/** The dashboard's feed: the last ten minutes at first, then the statistics each second. */
export class DashboardFeed {
  /** And the network that each goes to; null for this machine. */
  private readonly connections = new Map<Connection, string | null>()

  get size(): number {
    return this.connections.size
  }

  /** Whether there is room for one more dashboard in this network. @param network null for this machine */
  mayOpen(network: string | null): boolean {
    if (this.connections.size >= MAX_FEEDS) return false
    if (network === null) return true
    let others = 0
    for (const one of this.connections.values()) if (one === network) others++
    return others < MAX_FEEDS_OF_A_NETWORK
  }

  open(connection: Connection, network: string | null, samples: readonly StatsSample[]): ConnectionHandler {
    this.connections.set(connection, network)
    connection.send([encode({ type: 'history', samples })], 'binary')
    return {
      message() {},
      closed: () => {
        this.connections.delete(connection)
      },
    }
  }

  /** Sends a second to every dashboard; returns how many were ended as too slow. */
  publish(stats: TrackerStats, sample: StatsSample): number {
    const frame = encode({ type: 'stats', stats, sample })
    let slow = 0
    for (const connection of [...this.connections.keys()]) if (!connection.send([frame], 'binary')) slow++
    return slow
  }
}

function encode(frame: FeedFrame): Uint8Array {
  return pack(frame)
}

import type { FeedFrame, StatsSample, TrackerStats } from '@shoal/protocol'
import { pack } from 'msgpackr'
import type { Connection, ConnectionHandler } from '../adapters/server-port.js'

/** Dashboards that are served at once: each gets up to 20 kB a second. */
export const MAX_FEEDS = 50

/** The dashboard's feed: the last ten minutes at first, then the statistics each second. */
export class DashboardFeed {
  private readonly connections = new Set<Connection>()

  get size(): number {
    return this.connections.size
  }

  get full(): boolean {
    return this.connections.size >= MAX_FEEDS
  }

  open(connection: Connection, samples: readonly StatsSample[]): ConnectionHandler {
    this.connections.add(connection)
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
    for (const connection of [...this.connections]) if (!connection.send([frame], 'binary')) slow++
    return slow
  }
}

function encode(frame: FeedFrame): Uint8Array {
  return pack(frame)
}

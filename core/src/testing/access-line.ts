import { millis } from '@shoal/protocol'
import type { Clock } from '../ports/clock.js'
import type { PeerLink } from '../ports/link.js'

export interface AccessLineOptions {
  readonly bytesPerSecond: number
  /** What would wait longer is dropped, in milliseconds: home routers buffer a second and more. */
  readonly depthMs: number
  /** Round trip of the paths beyond it, in milliseconds. */
  readonly roundTripMs: number
  /** Time between two checks of a connection's round trip, in milliseconds; null: none is measured. */
  readonly checkMs: number | null
}

/**
 * A home's upload line: one deep queue in the router, first in, first out, shared by all connections of a
 * viewer and by its other traffic. What has left a send buffer waits here, unseen by the sender.
 */
export class AccessLine {
  private readonly clock: Clock
  private readonly options: AccessLineOptions
  private freeAt = 0
  /** Bytes of connections that went through. */
  passedBytes = 0

  constructor(clock: Clock, options: AccessLineOptions) {
    this.clock = clock
    this.options = options
  }

  /** Time that the next packet would wait, in milliseconds. */
  get queueMs(): number {
    return Math.max(0, this.freeAt - this.clock.now())
  }

  /** A packet of other traffic. */
  occupy(bytes: number): void {
    this.enqueue(bytes)
  }

  /** The link with its upload behind this line. */
  behind(link: PeerLink): PeerLink {
    const { roundTripMs, checkMs } = this.options
    let checkedAt = this.clock.now()
    const roundTrip = async (): Promise<number | null> => {
      const now = this.clock.now()
      if (checkMs === null || now - checkedAt < checkMs) return null
      checkedAt = now
      return roundTripMs + this.queueMs
    }
    return {
      signal: (signal) => link.signal(signal),
      bufferedAmount: (channel) => link.bufferedAmount(channel),
      close: () => link.close(),
      send: (channel, bytes) => {
        const wait = this.enqueue(bytes.byteLength)
        // Lost in the router; control would be sent again, which is left out.
        if (wait === null && channel === 'lossy') return 'sent'
        this.passedBytes += bytes.byteLength
        this.clock.setTimer(millis(wait ?? 0), () => void link.send(channel, bytes))
        return 'sent'
      },
      ...(checkMs === null ? {} : { roundTrip }),
    }
  }

  /** Milliseconds until the packet is through; null where it is dropped. */
  private enqueue(bytes: number): number | null {
    const { bytesPerSecond, depthMs } = this.options
    if (this.queueMs > depthMs) return null
    const now = this.clock.now()
    this.freeAt = Math.max(now, this.freeAt) + (bytes * 1000) / bytesPerSecond
    return this.freeAt - now
  }
}

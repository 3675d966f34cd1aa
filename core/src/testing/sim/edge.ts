import { type ByteSpan, millis } from '@shoal/protocol'
import type { Clock } from '../../ports/clock.js'
import type { OriginError, OriginFetchEvents } from '../../ports/origin.js'
import { drawOf } from './draw.js'
import type { EdgeOptions } from './sim-options.js'

/** How much longer a slow request takes to its first byte. */
const SLOW_FACTOR = 10

/** What the edge does with requests: serves them, answers all with 503, or is not to be reached. */
export type EdgeState = 'serving' | 'unavailable' | 'away'

/** One viewer's line to the edge. */
export interface EdgeClient {
  readonly viewer: number
  readonly downloadBytesPerSecond: number
}

/** One load of a segment, or of a span of it. */
export interface EdgeRequest {
  readonly client: EdgeClient
  readonly sequence: number
  /** How often this viewer has asked for this segment before. */
  readonly attempt: number
  readonly span: ByteSpan | null
}

export interface EdgePorts {
  readonly clock: Clock
  readonly seed: number
  /** The bytes of a segment. */
  content(sequence: number): Uint8Array
  /** Called before anything is told to who asked. */
  beforeEvent(): void
}

/**
 * The HTTP edge: first byte after a while, then as fast as the connection, the viewer's line and the
 * edge's own capacity let it. What happens to a request is drawn from (seed, viewer, segment,
 * attempt): a twin that asks for the same fares the same.
 */
export class HttpEdge {
  private readonly options: EdgeOptions
  private readonly ports: EdgePorts
  private readonly blockBytes: number
  /** Viewers whose requests are under way, by request, the oldest first. */
  private readonly asking = new Map<number, number>()
  state: EdgeState = 'serving'
  requests = 0
  bytesServed = 0

  /** @param blockBytes size of the blocks in which responses arrive */
  constructor(options: EdgeOptions, blockBytes: number, ports: EdgePorts) {
    this.options = options
    this.blockBytes = blockBytes
    this.ports = ports
  }

  /** The viewer whose request has been under way longest, or null. */
  get longestAsking(): number | null {
    return this.asking.values().next().value ?? null
  }

  /** Asks for a segment; the result cancels. */
  fetch(request: EdgeRequest, events: OriginFetchEvents): () => void {
    const id = this.requests++
    const { client, sequence, attempt, span } = request
    const { seed, clock } = this.ports
    const draw = (purpose: number): number => drawOf(seed, 11, client.viewer, sequence, attempt, purpose)
    let cancelTimer = (): void => undefined
    let running = true
    const end = (): void => {
      running = false
      this.asking.delete(id)
      cancelTimer()
    }
    const after = (delay: number, call: () => void): void => {
      cancelTimer = clock.setTimer(millis(delay), () => {
        this.ports.beforeEvent()
        const error = this.failure()
        if (error === null) return call()
        end()
        events.onError(error)
      })
    }
    this.asking.set(id, client.viewer)
    const slow = draw(1) < this.options.slowShare ? SLOW_FACTOR : 1
    after(this.options.firstByteMs * slow, () => {
      if (draw(2) < this.options.errorShare) {
        end()
        events.onError(statusError(500))
        return
      }
      const content = this.ports.content(sequence)
      const asked = span ?? { start: 0, end: content.length }
      events.onResponse(content.length)
      const next = (at: number): void => {
        if (!running) return
        const upTo = Math.min(asked.end, at + this.blockBytes)
        after(((upTo - at) * 1000) / this.rateOf(client), () => {
          this.bytesServed += upTo - at
          events.onData(at, content.subarray(at, upTo))
          if (upTo < asked.end) return next(upTo)
          end()
          events.onDone()
        })
      }
      next(asked.start)
    })
    return end
  }

  private rateOf(client: EdgeClient): number {
    const { connectionBytesPerSecond, totalBytesPerSecond } = this.options
    return Math.min(
      connectionBytesPerSecond,
      client.downloadBytesPerSecond,
      totalBytesPerSecond / this.asking.size,
    )
  }

  private failure(): OriginError | null {
    if (this.state === 'serving') return null
    return this.state === 'unavailable' ? statusError(503) : { kind: 'network', status: 0, message: 'away' }
  }
}

function statusError(status: number): OriginError {
  return { kind: 'http-status', status, message: `status ${status}` }
}

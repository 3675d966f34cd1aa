import {
  type ClientMessage,
  DecodeError,
  millis,
  readTrackerMessage,
  type TrackerMessage,
} from '@shoal/protocol'
import type { Clock, Random } from '../ports/clock.js'
import type { OpenTrackerSocket, TrackerSocket } from '../ports/socket.js'

/** Wait before the next try: from the first to the last, doubling, in milliseconds. */
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 60_000

/** A socket that has not opened by then is given up, in milliseconds. */
const OPEN_TIMEOUT_MS = 10_000

/** Messages of a tracker that cannot be read, after which its socket is given up. */
const MAX_BAD_MESSAGES = 20

export interface TrackerClientEvents {
  onUp(): void
  onDown(reason: string): void
  onMessage(message: TrackerMessage): void
}

/**
 * A lasting connection to one of several trackers: the next in the list is tried where one does not
 * answer, with growing, jittered waits, for ever.
 */
export class TrackerClient {
  private readonly urls: readonly string[]
  private readonly clock: Clock
  private readonly random: Random
  private readonly openSocket: OpenTrackerSocket
  private readonly events: TrackerClientEvents
  private socket: TrackerSocket | null = null
  private cancelTimer: () => void = () => undefined
  private failures = 0
  private bad = 0
  private closed = false
  state: 'connecting' | 'connected' | 'unreachable' | 'none'

  constructor(
    urls: readonly string[],
    ports: { readonly clock: Clock; readonly random: Random; readonly openSocket: OpenTrackerSocket },
    events: TrackerClientEvents,
  ) {
    this.urls = urls
    this.clock = ports.clock
    this.random = ports.random
    this.openSocket = ports.openSocket
    this.events = events
    this.state = urls.length === 0 ? 'none' : 'connecting'
  }

  start(): void {
    if (this.urls.length > 0) this.open()
  }

  /** Queues a message; false where there is no open socket. */
  send(message: ClientMessage): boolean {
    return this.state === 'connected' && this.socket?.send(JSON.stringify(message)) === true
  }

  close(): void {
    this.closed = true
    this.cancelTimer()
    this.socket?.close()
    this.socket = null
  }

  private open(): void {
    const url = this.urls[this.failures % this.urls.length] ?? ''
    let over = false
    const down = (reason: string): void => {
      if (over) return
      over = true
      this.down(reason)
    }
    this.bad = 0
    const socket = this.openSocket(url, {
      onOpen: () => {
        if (over || this.closed) return
        this.cancelTimer()
        this.failures = 0
        this.state = 'connected'
        this.events.onUp()
      },
      onMessage: (text) => {
        if (!over && !this.closed) this.message(text)
      },
      onClose: down,
    })
    this.socket = socket
    this.cancelTimer = this.clock.setTimer(millis(OPEN_TIMEOUT_MS), () => {
      socket.close()
      down('no answer')
    })
  }

  private message(text: string): void {
    let message: TrackerMessage
    try {
      message = readTrackerMessage(text)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.bad++
      if (this.bad > MAX_BAD_MESSAGES) this.socket?.close()
      return
    }
    this.events.onMessage(message)
  }

  private down(reason: string): void {
    this.cancelTimer()
    this.socket = null
    if (this.closed) return
    this.failures++
    // With several trackers, one failure says nothing of the others.
    this.state = this.failures >= this.urls.length ? 'unreachable' : 'connecting'
    const wait = Math.min(
      LAST_RETRY_MS,
      FIRST_RETRY_MS * 2 ** Math.floor((this.failures - 1) / this.urls.length),
    )
    this.cancelTimer = this.clock.setTimer(millis(wait * (0.5 + this.random())), () => this.open())
    this.events.onDown(reason)
  }
}

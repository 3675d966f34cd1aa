import type { Connection } from '../adapters/server-port.js'
import type { WireText } from '../wire/wire-text.js'
import { MessageArena } from './message-arena.js'

/**
 * Longest time between two flushes, in ms: what a client waits for it at a busy tracker is small
 * beside a round trip over the internet.
 */
const MAX_INTERVAL_MS = 20

/**
 * Time to the next flush for each socket that the last one wrote to, in ms. Above 10,000 writes a
 * second the intervals grow to the longest, and each write holds more messages; below, everything is
 * sent at once.
 */
const INTERVAL_MS_PER_SOCKET = 0.1

/** Shorter waits are none: what timers can do. */
const MIN_INTERVAL_MS = 1

/** Where messages go. */
export interface Receiver {
  readonly connection: Connection
  /** Its last message that waits in the outbox; -1 for none. */
  lastWaiting: number
}

/**
 * Collects what is sent in one turn of the event loop and hands each socket its messages at once.
 *
 * One announce of ten offers writes to eleven sockets; with a system call for each message the
 * system calls are what the tracker does. A busy turn holds many announces, and each socket then
 * gets all that is for it in one call.
 */
export class Outbox {
  private readonly arena = new MessageArena()
  private readonly waiting: Receiver[] = []
  private readonly onSlow: () => void
  private scheduled = false
  private flushedAt = Number.NEGATIVE_INFINITY
  private interval = 0

  /** @param onSlow a socket was ended because its reader is too slow */
  constructor(onSlow: () => void) {
    this.onSlow = onSlow
  }

  /** Sends a message of three parts, one after the other. */
  send(to: Receiver, head: WireText, body: WireText, tail: WireText): void {
    // A full arena goes out within the turn.
    if (!this.arena.hasRoom(head.length + body.length + tail.length)) this.flush()
    if (to.lastWaiting < 0) {
      this.waiting.push(to)
      this.schedule()
    }
    to.lastWaiting = this.arena.add(head, body, tail, to.lastWaiting)
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    const wait = this.flushedAt + this.interval - performance.now()
    // Immediates run when all sockets that were readable in this turn have been read.
    if (wait < MIN_INTERVAL_MS) setImmediate(this.run)
    else setTimeout(this.run, wait)
  }

  private readonly run = (): void => {
    this.scheduled = false
    this.flushedAt = performance.now()
    this.interval = Math.min(MAX_INTERVAL_MS, INTERVAL_MS_PER_SOCKET * this.waiting.length)
    this.flush()
  }

  private flush(): void {
    for (const receiver of this.waiting) {
      const messages = this.arena.chain(receiver.lastWaiting)
      receiver.lastWaiting = -1
      if (!receiver.connection.send(messages, 'text')) this.onSlow()
    }
    this.waiting.length = 0
    this.arena.clear()
  }
}

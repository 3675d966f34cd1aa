import type { Connection } from '../adapters/server-port.js'
import type { WireText } from '../wire/wire-text.js'
import { MessageArena } from './message-arena.js'

/**
 * Time between two flushes at least, in ms. An idle tracker sends at once; a busy one sends larger
 * pieces, and what a client waits for it is small beside a round trip over the internet.
 */
const FLUSH_INTERVAL_MS = 20

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
    const wait = this.flushedAt + FLUSH_INTERVAL_MS - performance.now()
    // Immediates run when all sockets that were readable in this turn have been read.
    if (wait <= 0) setImmediate(this.run)
    else setTimeout(this.run, wait)
  }

  private readonly run = (): void => {
    this.scheduled = false
    this.flushedAt = performance.now()
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

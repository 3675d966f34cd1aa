import type { Connection } from '../adapters/server-port.js'
import type { Outlet } from '../swarm/session.js'
import type { WireText } from '../wire/wire-text.js'
import { MessageArena } from './message-arena.js'

/**
 * Time between two flushes at least, in ms. An idle tracker sends at once; a busy one sends larger
 * pieces, and what a client waits for it is small beside a round trip over the internet.
 */
const FLUSH_INTERVAL_MS = 20

const NOTHING = '' as WireText

/**
 * Collects what is sent in one turn of the event loop and hands each socket its messages at once.
 *
 * One announce of ten offers writes to eleven sockets; with a system call for each message the
 * system calls are what the tracker does. A busy turn holds many announces, and each socket then
 * gets all that is for it in one call.
 */
export class Outbox {
  private readonly arena = new MessageArena()
  private readonly waiting: SocketOutlet[] = []
  private readonly onSlow: () => void
  private scheduled = false
  private flushedAt = Number.NEGATIVE_INFINITY

  /** @param onSlow a socket was ended because its reader is too slow */
  constructor(onSlow: () => void) {
    this.onSlow = onSlow
  }

  outletFor(connection: Connection): Outlet {
    return new SocketOutlet(this, connection)
  }

  send(outlet: SocketOutlet, head: WireText, body: WireText, tail: WireText): void {
    // A full arena goes out within the turn.
    if (!this.arena.hasRoom(head.length + body.length + tail.length)) this.flush()
    if (outlet.last < 0) {
      this.waiting.push(outlet)
      this.schedule()
    }
    outlet.last = this.arena.add(head, body, tail, outlet.last)
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
    for (const outlet of this.waiting) {
      const messages = this.arena.chain(outlet.last)
      outlet.last = -1
      if (!outlet.connection.send(messages, 'text')) this.onSlow()
    }
    this.waiting.length = 0
    this.arena.clear()
  }
}

class SocketOutlet implements Outlet {
  readonly connection: Connection
  /** Its last message in the arena; -1 while none waits. */
  last = -1
  private readonly outbox: Outbox

  constructor(outbox: Outbox, connection: Connection) {
    this.outbox = outbox
    this.connection = connection
  }

  send(head: WireText, body: WireText = NOTHING, tail: WireText = NOTHING): void {
    this.outbox.send(this, head, body, tail)
  }
}

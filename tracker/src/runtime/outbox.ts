import type { Connection } from '../adapters/server-port.js'
import type { Outlet } from '../swarm/session.js'
import type { WireText } from '../wire/wire-text.js'

/**
 * Time between two flushes at least, in ms. An idle tracker sends at once; a busy one sends larger
 * pieces, and what a client waits for it is small beside a round trip over the internet.
 */
const FLUSH_INTERVAL_MS = 5

/**
 * Collects what is sent in one turn of the event loop and hands each socket its messages at once.
 *
 * One announce of ten offers writes to eleven sockets; with a system call for each message the
 * system calls are what the tracker does. A busy turn holds many announces, and each socket then
 * gets all that is for it in one call.
 */
export class Outbox {
  private waiting: SocketOutlet[] = []
  private readonly onSlow: () => void
  private flushedAt = Number.NEGATIVE_INFINITY

  /** @param onSlow a socket was ended because its reader is too slow */
  constructor(onSlow: () => void) {
    this.onSlow = onSlow
  }

  outletFor(connection: Connection): Outlet {
    return new SocketOutlet(this, connection)
  }

  /** The outlet has got its first message of this turn. */
  schedule(outlet: SocketOutlet): void {
    if (this.waiting.push(outlet) > 1) return
    const wait = this.flushedAt + FLUSH_INTERVAL_MS - performance.now()
    // Immediates run when all sockets that were readable in this turn have been read.
    if (wait <= 0) setImmediate(() => this.flush())
    else setTimeout(() => this.flush(), wait)
  }

  private flush(): void {
    this.flushedAt = performance.now()
    const outlets = this.waiting
    this.waiting = []
    for (const outlet of outlets) if (!outlet.flush()) this.onSlow()
  }
}

class SocketOutlet implements Outlet {
  private readonly outbox: Outbox
  private readonly connection: Connection
  private queue: WireText[] = []

  constructor(outbox: Outbox, connection: Connection) {
    this.outbox = outbox
    this.connection = connection
  }

  send(text: WireText): void {
    if (this.queue.push(text) === 1) this.outbox.schedule(this)
  }

  /** False when the reader is too slow. */
  flush(): boolean {
    const messages = this.queue
    this.queue = []
    return this.connection.send(messages)
  }
}

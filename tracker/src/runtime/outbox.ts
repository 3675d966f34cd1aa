import type { Connection } from '../adapters/server-port.js'
import type { Outlet } from '../swarm/session.js'

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

  /** @param onSlow a socket was ended because its reader is too slow */
  constructor(onSlow: () => void) {
    this.onSlow = onSlow
  }

  outletFor(connection: Connection): Outlet {
    return new SocketOutlet(this, connection)
  }

  /** The outlet has got its first message of this turn. */
  schedule(outlet: SocketOutlet): void {
    // Immediates run when all sockets that were readable in this turn have been read.
    if (this.waiting.push(outlet) === 1) setImmediate(() => this.flush())
  }

  private flush(): void {
    const outlets = this.waiting
    this.waiting = []
    for (const outlet of outlets) if (!outlet.flush()) this.onSlow()
  }
}

class SocketOutlet implements Outlet {
  private readonly outbox: Outbox
  private readonly connection: Connection
  private queue: string[] = []

  constructor(outbox: Outbox, connection: Connection) {
    this.outbox = outbox
    this.connection = connection
  }

  send(text: string): void {
    if (this.queue.push(text) === 1) this.outbox.schedule(this)
  }

  /** False when the reader is too slow. */
  flush(): boolean {
    const messages = this.queue
    this.queue = []
    return this.connection.send(messages)
  }
}

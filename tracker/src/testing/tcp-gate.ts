import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'

/** Passes connections on to a port until it is shut or frozen: a network that can be cut. */
export class TcpGate {
  private readonly server: Server
  private readonly sockets = new Set<Socket>()
  private open = true
  private frozen = false

  private constructor(target: number) {
    this.server = createServer((near) => {
      if (!this.open) {
        near.destroy()
        return
      }
      const far = connect({ port: target, host: '127.0.0.1' })
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          this.sockets.delete(socket)
          other.destroy()
        })
        socket.on('data', (bytes) => other.write(bytes))
        if (this.frozen) socket.pause()
      }
    })
  }

  static async start(target: number): Promise<TcpGate> {
    const gate = new TcpGate(target)
    gate.server.listen(0, '127.0.0.1')
    await once(gate.server, 'listening')
    return gate
  }

  get port(): number {
    const address = this.server.address()
    if (typeof address !== 'object' || address === null) throw new Error('the gate does not listen')
    return address.port
  }

  shut(): void {
    this.open = false
    for (const socket of this.sockets) socket.destroy()
  }

  reopen(): void {
    this.open = true
  }

  /** From now on nothing arrives and nobody is told: what a network does that loses every packet. */
  freeze(): void {
    this.frozen = true
    for (const socket of this.sockets) socket.pause()
  }

  /** What was on its way arrives now, as after retransmission. */
  thaw(): void {
    this.frozen = false
    for (const socket of this.sockets) socket.resume()
  }

  close(): void {
    this.shut()
    this.server.close()
  }
}

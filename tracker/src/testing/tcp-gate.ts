import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'

/** Passes connections on to a port until it is shut: a network that can be cut. */
export class TcpGate {
  private readonly server: Server
  private readonly sockets = new Set<Socket>()
  private open = true

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
        socket.pipe(other)
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

  close(): void {
    this.shut()
    this.server.close()
  }
}

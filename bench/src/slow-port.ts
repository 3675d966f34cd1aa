import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP port of this machine that is as far away as the delay says. */
export interface SlowPort {
  readonly port: number
  close(): Promise<void>
}

/**
 * Passes connections on to another port of 127.0.0.1, each byte half a round trip later.
 *
 * @param roundTripMs added to what the machine takes
 */
export async function slowPort(target: number, roundTripMs: number): Promise<SlowPort> {
  const open = new Set<Socket>()
  const pass = (from: Socket, to: Socket): void => {
    open.add(from)
    from.on('data', (bytes) => setTimeout(() => to.write(bytes), roundTripMs / 2))
    from.on('end', () => setTimeout(() => to.end(), roundTripMs / 2))
    from.on('error', () => to.destroy())
    from.on('close', () => open.delete(from))
  }
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const upstream = connect({ host: '127.0.0.1', port: target, noDelay: true, allowHalfOpen: true })
    pass(client, upstream)
    pass(upstream, client)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return {
    port: address.port,
    async close() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

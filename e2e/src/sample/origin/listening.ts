import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The origin cannot listen. `code` is `port-in-use` or `cannot-listen`; the message is one line. */
export class ListenError extends Error {
  constructor(
    readonly code: 'port-in-use' | 'cannot-listen',
    message: string,
  ) {
    super(message)
    this.name = 'ListenError'
  }
}

/**
 * Starts listening.
 *
 * @param port 0 takes a free one
 * @returns the port
 * @throws {ListenError}
 */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(listenError(error, port, host))
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** Cuts all connections and stops listening. */
export async function stopListening(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}

function listenError(error: NodeJS.ErrnoException, port: number, host: string): ListenError {
  if (error.code === 'EADDRINUSE') {
    return new ListenError(
      'port-in-use',
      `port ${port} on ${host} is in use: stop the program that has it, or choose another port`,
    )
  }
  return new ListenError('cannot-listen', `cannot listen on ${host}, port ${port}: ${error.message}`)
}

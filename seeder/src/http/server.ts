import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { SeederError } from '../errors.js'
import type { Logger } from '../log.js'

export interface HttpServer {
  /** Without a slash at the end. */
  readonly url: string
  close(): Promise<void>
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Longer than players and proxies pause between two segments, so that connections are used again. */
const KEEP_ALIVE_MS = 75_000

/** Above the one before, or a request could meet a closing connection. */
const HEADERS_TIMEOUT_MS = 80_000

/** Connections at most: each costs a descriptor, and the usual limit of a service is 65,536. */
const MAX_CONNECTIONS = 10_000

/**
 * Listens on a port; 0 takes a free one.
 *
 * @throws SeederError (`port-in-use`, `listen-failed`)
 */
export async function listen(port: number, host: string, handler: Handler, log: Logger): Promise<HttpServer> {
  const timeouts = { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_TIMEOUT_MS }
  const server = createServer(timeouts, (request, response) => {
    handler(request, response).catch((error: unknown) => {
      log.error({ error: String(error), url: request.url }, 'a request failed')
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end()
    })
  })
  server.maxConnections = MAX_CONNECTIONS
  await listening(server, port, host)
  return {
    url: urlOf(server, host),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', (error: Error & { readonly code?: string }) => {
      const place = `port ${port} of ${host}`
      if (error.code === 'EADDRINUSE') {
        const mend = 'choose another with --http-port, or 0 for any free one'
        reject(new SeederError('port-in-use', `${place} is in use: ${mend}.`))
      } else {
        reject(new SeederError('listen-failed', `cannot listen on ${place}: ${reasonOf(error)}.`))
      }
    })
    server.listen(port, host, resolve)
  })
}

function reasonOf({ code, message }: Error & { readonly code?: string }): string {
  switch (code) {
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'this machine has no such address; choose another --host'
    case 'EACCES':
      return 'it needs more rights; choose an --http-port from 1024'
    default:
      return code ?? message
  }
}

function urlOf(server: Server, host: string): string {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  // "All interfaces" is no address to connect to.
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

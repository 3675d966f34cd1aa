import type { HttpRequest, HttpResponse, us_listen_socket, WebSocket } from 'uWebSockets.js'
import { createServer } from 'node:net'
import type {
  Connection,
  ConnectionHandler,
  HttpReply,
  OpenHandler,
  Server,
  ServerAddress,
  ServerHandlers,
  StartServer,
  UpgradeRequest,
} from './server-port.js'
import {
  IDLE_TIMEOUT_SECONDS,
  listenErrorOf,
  MAX_BACKLOG_BYTES,
  MAX_MESSAGE_BYTES,
  METHOD_NOT_ALLOWED,
  STATUS_TEXTS,
} from './server-port.js'

/** The declarations call it a member of an enum that does not exist at run time. */
type Uws = typeof import('uWebSockets.js') & { readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number }

/** Result of `ws.send`: dropped, because the backlog is over its limit. */
const DROPPED = 2

/** LIBUS_LISTEN_DEFAULT: with SO_REUSEPORT, which the library sets for any port but 0. */
const LISTEN_SHARED = 0

/** Close code 1001, "going away": the server stops. */
const GOING_AWAY = 1001

interface SocketData {
  /** Null once the socket is open. */
  opened: OpenHandler | null
  connection: UwsConnection | null
  handler: ConnectionHandler | null
}

/**
 * Loads uWebSockets.js, which is optional: it is not on npm and has native builds for some systems only.
 *
 * @returns the starter, or why there is none
 */
export async function loadUwsServer(): Promise<StartServer | { readonly missing: string }> {
  try {
    const loaded = (await import('uWebSockets.js')) as unknown as Uws & { readonly default?: Uws }
    const uws = loaded.default ?? loaded
    // The replacement in JavaScript that a repack falls back to has no such constant; `ws` is better.
    if (uws.LIBUS_LISTEN_EXCLUSIVE_PORT === undefined) {
      return { missing: 'uWebSockets.js has no native build for this system' }
    }
    return (address, handlers) => startUwsServer(uws, address, handlers)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ERR_MODULE_NOT_FOUND') return { missing: 'uWebSockets.js is not installed' }
    return { missing: `uWebSockets.js does not load: ${error instanceof Error ? error.message : error}` }
  }
}

async function startUwsServer(uws: Uws, address: ServerAddress, handlers: ServerHandlers): Promise<Server> {
  const open = new Set<UwsConnection>()
  const app = uws.App()
  app.ws<SocketData>('/*', {
    maxPayloadLength: MAX_MESSAGE_BYTES,
    maxBackpressure: MAX_BACKLOG_BYTES,
    idleTimeout: IDLE_TIMEOUT_SECONDS,
    sendPingsAutomatically: true,
    compression: uws.DISABLED,
    upgrade(response, request, context) {
      const opened = handlers.upgrade(upgradeRequestOf(request, response))
      if (typeof opened !== 'function') {
        end(response, opened, false)
        return
      }
      response.upgrade<SocketData>(
        { opened, connection: null, handler: null },
        request.getHeader('sec-websocket-key'),
        // No subprotocol means anything here; a client that offers some wants one of them back.
        request.getHeader('sec-websocket-protocol').split(',', 1)[0]?.trim() ?? '',
        request.getHeader('sec-websocket-extensions'),
        context,
      )
    },
    open(ws) {
      const data = ws.getUserData()
      const connection = new UwsConnection(ws)
      open.add(connection)
      data.connection = connection
      data.handler = data.opened?.(connection) ?? null
      data.opened = null
    },
    message(ws, message) {
      ws.getUserData().handler?.message(new Uint8Array(message))
    },
    close(ws) {
      const { connection, handler } = ws.getUserData()
      if (connection !== null) {
        connection.ended()
        open.delete(connection)
      }
      handler?.closed()
    },
  })
  app.any('/*', (response, request) => answer(response, request, handlers))
  const token = await listen(uws, app, address)
  let listening = true
  const stopListening = (): void => {
    if (listening) uws.us_listen_socket_close(token)
    listening = false
  }
  return {
    port: uws.us_socket_local_port(token as unknown as Parameters<Uws['us_socket_local_port']>[0]),
    setTls() {
      throw new Error('uWebSockets.js is started without TLS')
    },
    stopListening,
    async close() {
      stopListening()
      for (const connection of [...open]) connection.close(GOING_AWAY, 'tracker stops')
    },
  }
}

function upgradeRequestOf(request: HttpRequest, response: HttpResponse): UpgradeRequest {
  const forwarded: string[] = []
  // Not `getHeader`: it finds the first line only, and some proxies add one of their own.
  request.forEach((name, value) => {
    if (name === 'x-forwarded-for') forwarded.push(value)
  })
  return {
    path: request.getUrl(),
    // Undefined where there is none, whatever its declaration says.
    query: (request.getQuery() as string | undefined) ?? '',
    origin: request.getHeader('origin'),
    forwardedFor: forwarded.join(','),
    remoteAddress: Buffer.from(response.getRemoteAddressAsText()).toString('latin1'),
  }
}

class UwsConnection implements Connection {
  /** Null once the socket is gone: the library ends the process over a use after that. */
  private ws: WebSocket<SocketData> | null
  private slow = false

  constructor(ws: WebSocket<SocketData>) {
    this.ws = ws
  }

  send(messages: readonly Uint8Array[], kind: 'text' | 'binary'): boolean {
    const { ws } = this
    if (ws === null || this.slow) return true
    const binary = kind === 'binary'
    const [first] = messages
    if (first !== undefined && messages.length === 1) {
      // The library collects a lone message by itself.
      this.slow = ws.send(first, binary) === DROPPED
    } else {
      ws.cork(() => {
        for (const message of messages) if (ws.send(message, binary) === DROPPED) this.slow = true
      })
    }
    if (!this.slow) return true
    // Later: the handler is told of the end at once.
    setImmediate(() => this.ws?.close())
    return false
  }

  close(code: number, reason: string): void {
    this.ws?.end(code, reason)
  }

  ended(): void {
    this.ws = null
  }
}

function answer(response: HttpResponse, request: HttpRequest, handlers: ServerHandlers): void {
  const method = request.getMethod()
  const head = method === 'head'
  if (!head && method !== 'get') {
    end(response, METHOD_NOT_ALLOWED, false)
    return
  }
  const reply = handlers.get(request.getUrl())
  if (!(reply instanceof Promise)) {
    end(response, reply, head)
    return
  }
  let aborted = false
  response.onAborted(() => {
    aborted = true
  })
  void reply.then((late) => {
    if (!aborted) response.cork(() => end(response, late, head))
  })
}

function end(response: HttpResponse, { status, headers, body }: HttpReply, head: boolean): void {
  response.writeStatus(`${status} ${STATUS_TEXTS[status]}`)
  for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value)
  // Not `endWithoutBody`: after it, 20.30 ends the process over a HEAD request.
  response.end(head ? '' : body)
}

/**
 * Listens without SO_REUSEPORT unless the port is to be shared: a second tracker by mistake must fail
 * and not take half the clients.
 */
async function listen(
  uws: Uws,
  app: ReturnType<Uws['App']>,
  address: ServerAddress,
): Promise<us_listen_socket> {
  // The type declarations leave out the form (host, port, options, callback), which the library has.
  const start = app.listen as unknown as (
    host: string,
    port: number,
    options: number,
    done: (token: us_listen_socket | false) => void,
  ) => void
  const options = address.shared ? LISTEN_SHARED : uws.LIBUS_LISTEN_EXCLUSIVE_PORT
  const token = await new Promise<us_listen_socket | false>((resolve) => {
    start.call(app, address.host, address.port, options, resolve)
  })
  if (token === false) throw listenErrorOf(await whyNot(address), address)
  return token
}

/** The library does not say why it cannot listen: Node's own attempt does. */
function whyNot({ host, port }: ServerAddress): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)))
  })
}

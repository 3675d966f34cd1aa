import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { WebSocketServer } from 'ws'
import type {
  Connection,
  ConnectionHandler,
  HttpReply,
  Server,
  ServerAddress,
  ServerHandlers,
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

/** Close code 1001, "going away": the server stops. */
const GOING_AWAY = 1001

/** UTF-8 in a buffer would be sent as a binary frame. */
const TEXT_FRAME = { binary: false }
const BINARY_FRAME = { binary: true }

/** Time that clients have to answer the close frame when the server stops, in ms. */
const CLOSE_GRACE_MS = 200

/** Time in which a request has to have come, in ms: who sends it byte by byte is cut off. */
const REQUEST_TIMEOUT_MS = 10_000

const PATIENCE = {
  headersTimeout: REQUEST_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: 5000,
}

/** Server on `ws` and `node:http`. */
export async function startWsServer(address: ServerAddress, handlers: ServerHandlers): Promise<Server> {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  })
  const open = new Set<WsConnection>()
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(request, response, handlers)
  }
  const http =
    address.tls === null
      ? createServer(PATIENCE, onRequest)
      : createTlsServer({ ...PATIENCE, ...address.tls, handshakeTimeout: REQUEST_TIMEOUT_MS }, onRequest)
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', ignore)
    const opened = handlers.upgrade(upgradeRequestOf(request))
    if (typeof opened !== 'function') {
      refuseUpgrade(socket, opened)
      return
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      socket.off('error', ignore)
      const connection = new WsConnection(ws, request.socket, (self) => open.delete(self))
      open.add(connection)
      connection.attach(opened(connection))
    })
  })
  await listen(http, address)
  const pings = setInterval(
    () => {
      for (const connection of open) connection.ping()
    },
    (IDLE_TIMEOUT_SECONDS * 1000) / 2,
  )
  const bound = http.address()
  const stopped = new Promise<void>((resolve) => http.once('close', resolve))
  const stopListening = (): void => {
    if (http.listening) http.close()
  }
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
    setTls(pair) {
      if (http instanceof TlsServer) http.setSecureContext(pair)
    },
    stopListening,
    async close() {
      clearInterval(pings)
      stopListening()
      for (const connection of open) connection.close(GOING_AWAY, 'tracker stops')
      http.closeIdleConnections()
      const timer = setTimeout(() => {
        for (const connection of open) connection.terminate()
        http.closeAllConnections()
      }, CLOSE_GRACE_MS)
      await stopped
      clearTimeout(timer)
    },
  }
}

function upgradeRequestOf(request: IncomingMessage): UpgradeRequest {
  const url = request.url ?? '/'
  const { origin = '', 'x-forwarded-for': forwarded = '' } = request.headers
  return {
    path: pathOf(request),
    query: /\?([^#]*)/.exec(url)?.[1] ?? '',
    origin,
    forwardedFor: Array.isArray(forwarded) ? forwarded.join(',') : forwarded,
    remoteAddress: request.socket.remoteAddress ?? '',
  }
}

class WsConnection implements Connection {
  private readonly ws: WebSocket
  private readonly socket: Socket
  private readonly ended: (self: WsConnection) => void
  /** Something came from the client since the last ping. */
  private alive = true

  constructor(ws: WebSocket, socket: Socket, ended: (self: WsConnection) => void) {
    this.ws = ws
    this.socket = socket
    this.ended = ended
  }

  attach(handler: ConnectionHandler): void {
    this.ws.on('message', (data: RawData) => {
      this.alive = true
      handler.message(bytesOf(data))
    })
    this.ws.on('pong', () => {
      this.alive = true
    })
    // `close` follows every error and is what counts.
    this.ws.on('error', ignore)
    this.ws.on('close', () => {
      this.ended(this)
      handler.closed()
    })
  }

  send(messages: readonly Uint8Array[], kind: 'text' | 'binary'): boolean {
    if (this.ws.readyState !== this.ws.OPEN) return true
    this.socket.cork()
    const frame = kind === 'text' ? TEXT_FRAME : BINARY_FRAME
    // Copies: the library keeps what it cannot send at once.
    for (const message of messages) this.ws.send(Buffer.from(message), frame)
    this.socket.uncork()
    if (this.ws.bufferedAmount <= MAX_BACKLOG_BYTES) return true
    this.ws.terminate()
    return false
  }

  close(code: number, reason: string): void {
    this.ws.close(code, reason)
  }

  terminate(): void {
    this.ws.terminate()
  }

  /** Twice per idle timeout: a socket that was silent since the last one is dead. */
  ping(): void {
    if (!this.alive) {
      this.ws.terminate()
      return
    }
    this.alive = false
    if (this.ws.readyState === this.ws.OPEN) this.ws.ping()
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: ServerHandlers,
): Promise<void> {
  request.resume()
  const head = request.method === 'HEAD'
  const { status, headers, body } =
    head || request.method === 'GET' ? await handlers.get(pathOf(request)) : METHOD_NOT_ALLOWED
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
  response.writeHead(status, { ...headers, 'content-length': length })
  response.end(head ? undefined : body)
}

function refuseUpgrade(socket: Duplex, { status, headers, body }: HttpReply): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_TEXTS[status]}\r\n${lines.join('')}connection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
}

function listen(http: HttpServer, address: ServerAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => reject(listenErrorOf(error.code, address)))
    http.listen({ host: address.host, port: address.port, exclusive: true }, () => {
      http.removeAllListeners('error')
      resolve()
    })
  })
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').replace(/[?#].*$/s, '')
}

function ignore(): void {}

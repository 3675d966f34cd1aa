/**
 * The port between the tracker and a socket library: HTTP GET and WebSockets on one address.
 *
 * Two adapters fulfil it alike (one conformance suite runs against both): `uws-server.ts` and
 * `ws-server.ts`.
 */

/**
 * Largest message taken from a client, in bytes; a longer one ends the socket. Ten offers of 4 kB
 * fit; uWebSockets' own default of 16 KiB would cut off announces of stock clients.
 */
export const MAX_MESSAGE_BYTES = 64 * 1024

/**
 * Bytes that may wait for a slow reader before its socket is ended. A client that is served normally
 * has a few kB waiting; a stalled one must not cost more memory than this.
 */
export const MAX_BACKLOG_BYTES = 512 * 1024

/**
 * Seconds without traffic after which a silent socket counts as dead. Sockets are pinged before;
 * proxies cut idle ones at about 100 s while announces are 120 s apart.
 */
export const IDLE_TIMEOUT_SECONDS = 60

/** One open WebSocket. After the end (`closed` of its handler) every method does nothing. */
export interface Connection {
  /**
   * Sends the messages as frames of their own, in one system call where the library can. Calls nothing
   * of its handler.
   *
   * @param messages valid during the call only; UTF-8 where they are texts
   * @returns false when the reader is too slow; the socket is being ended then
   */
  send(messages: readonly Uint8Array[], kind: 'text' | 'binary'): boolean
  /** Ends the socket with a close frame. @param code as in RFC 6455 section 7.4 */
  close(code: number, reason: string): void
}

/** What becomes of one WebSocket. The methods must not throw. */
export interface ConnectionHandler {
  /** @param data UTF-8 of a text frame, or the bytes of a binary one; valid during the call only */
  message(data: Uint8Array): void
  /** The socket is gone, whoever ended it. Called once. */
  closed(): void
}

export interface HttpReply {
  readonly status: 200 | 308 | 403 | 404 | 405 | 429 | 500 | 503
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** A request for a WebSocket. Headers and query are empty where they are missing. */
export interface UpgradeRequest {
  /** Without the query. */
  readonly path: string
  /** Without the question mark. */
  readonly query: string
  readonly origin: string
  /** All X-Forwarded-For lines in their order, joined by commas. */
  readonly forwardedFor: string
  /** Address at the other end of the connection, as text. */
  readonly remoteAddress: string
}

/** Takes a WebSocket that has just been opened. Called once, or never where the upgrade fails. */
export type OpenHandler = (connection: Connection) => ConnectionHandler

export interface ServerHandlers {
  /** A refusal for an upgrade, or what takes the socket. */
  upgrade(request: UpgradeRequest): HttpReply | OpenHandler
  /** Answers a GET or HEAD request (the adapter leaves the body out for HEAD). Must not fail. */
  get(path: string): HttpReply | Promise<HttpReply>
}

export interface ServerAddress {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Null for none. */
  readonly tls: TlsPair | null
  /** Other processes may listen on the same port, and the system spreads clients among them: uws only. */
  readonly shared: boolean
}

/** Certificate chain and private key, PEM. */
export interface TlsPair {
  readonly cert: string
  readonly key: string
}

export interface Server {
  /** The port that is listened on. */
  readonly port: number
  /** A new certificate for connections from now on. For servers that were started with one. */
  setTls(pair: TlsPair): void
  /** Connections that have not been answered stay; no new ones are taken. */
  stopListening(): void
  /** Stops listening and ends all sockets. */
  close(): Promise<void>
}

/** Starts listening. Rejects with `ListenError`. */
export type StartServer = (address: ServerAddress, handlers: ServerHandlers) => Promise<Server>

/** For any method but GET and HEAD. */
export const METHOD_NOT_ALLOWED: HttpReply = {
  status: 405,
  headers: { 'content-type': 'text/plain; charset=utf-8', allow: 'GET, HEAD' },
  body: 'Only GET and HEAD here.\n',
}

export const STATUS_TEXTS: Readonly<Record<HttpReply['status'], string>> = {
  200: 'OK',
  308: 'Permanent Redirect',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

export type ListenErrorCode = 'in-use' | 'not-allowed' | 'no-such-address' | 'other'

/** The address cannot be listened on. The message is one line for an operator. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: ListenErrorCode

  constructor(code: ListenErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Translates the system's error code of a failed `listen`. */
export function listenErrorOf(errno: string | undefined, { host, port }: ServerAddress): ListenError {
  switch (errno) {
    case 'EADDRINUSE':
      return new ListenError(
        'in-use',
        `Port ${port} on ${host} is in use: stop the other program or choose another --port.`,
      )
    case 'EACCES':
      return new ListenError(
        'not-allowed',
        `Port ${port} on ${host} needs more rights: choose a --port from 1024.`,
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ListenError('no-such-address', `This machine has no address ${host}: choose another --host.`)
    default:
      return new ListenError(
        'other',
        `Cannot listen on port ${port} of ${host}${errno ? ` (${errno})` : ''}.`,
      )
  }
}

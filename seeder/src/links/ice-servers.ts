import type { IceServer, RelayType } from 'node-datachannel'

/** A STUN or TURN server, as browsers' `RTCIceServer` describes it. */
export interface IceServerOptions {
  /** `stun:host[:port]`, `turn:host[:port][?transport=udp|tcp]` or `turns:host[:port]`. */
  readonly urls: string | readonly string[]
  readonly username?: string
  readonly credential?: string
}

const ICE_URL = /^(stun|turns?):(\[[0-9A-Fa-f:]+\]|[^:?\s]+)(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?$/
/** RFC 8489 section 8.1 and RFC 8656 section 4: without and with TLS. */
const DEFAULT_PORT = 3478
const DEFAULT_TLS_PORT = 5349

/**
 * ICE servers in node-datachannel's form.
 *
 * @throws TypeError for a URL that RFC 7064 and 7065 do not know, and for TURN without credentials
 */
export function nativeIceServers(servers: readonly IceServerOptions[]): (string | IceServer)[] {
  return servers.flatMap((server) => [server.urls].flat().map((url) => nativeIceServer(url, server)))
}

function nativeIceServer(url: string, server: IceServerOptions): string | IceServer {
  const fields = ICE_URL.exec(url)
  if (fields === null) throw new TypeError(`not a STUN or TURN URL: ${url}`)
  const [, scheme = '', host = '', portText, transport] = fields
  const port = Number(portText ?? (scheme === 'turns' ? DEFAULT_TLS_PORT : DEFAULT_PORT))
  const hostname = host.replace(/^\[|\]$/g, '')
  if (scheme === 'stun') return { hostname, port }
  const { username, credential } = server
  if (username === undefined || credential === undefined) {
    throw new TypeError(`${url} needs username and credential`)
  }
  return { hostname, port, username, password: credential, relayType: relayTypeOf(scheme, transport) }
}

function relayTypeOf(scheme: string, transport: string | undefined): RelayType {
  if (scheme === 'turns') return 'TurnTls'
  return transport === 'tcp' ? 'TurnTcp' : 'TurnUdp'
}

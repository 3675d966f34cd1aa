import { LINK_OPEN_TIMEOUT_MS, type PeerLink, type PeerLinkEvents, type PeerLinkFactory } from '@shoal/core'
import { MAX_CONTROL_MESSAGE_BYTES } from '@shoal/protocol'
import type { RtcConfig } from 'node-datachannel'
import type { DirectCertificate } from './direct/certificate.js'
import type { DirectDial } from './direct/dial.js'
import { type IceServerOptions, nativeIceServers } from './ice-servers.js'
import { applySctpSettings } from './native-settings.js'
import { NodeLink, type NodeLinkOptions } from './node-link.js'

export interface NodeLinkFactoryOptions {
  /** None unless given: a host with a public address needs none. */
  readonly iceServers?: readonly IceServerOptions[]
  /** Local address to gather candidates on; all interfaces unless given. */
  readonly bindAddress?: string
  /** UDP ports to use, both included; any unless given. */
  readonly portRange?: { readonly first: number; readonly last: number }
  /** `relay` hides this host's address behind TURN servers. */
  readonly iceTransportPolicy?: 'all' | 'relay'
  /** From a link's creation to its opening at most, in milliseconds; `LINK_OPEN_TIMEOUT_MS` unless given. */
  readonly openTimeoutMs?: number
  /**
   * Gets exceptions of owners' callbacks and errors of the native library; none ends the process.
   * Unless given, each is a process warning.
   */
  readonly onError?: (error: Error) => void
}

/** How peers dial this host: the UDP port that all share, and what we show them. */
interface DirectEnd {
  readonly port: number
  readonly address?: string | undefined
  readonly certificate: DirectCertificate
}

/** Makes links, and ends them all. */
export interface NodeLinkFactory extends Required<PeerLinkFactory> {
  /** The link to a peer that has dialled us; it signals nothing. */
  accept(dial: DirectDial, end: DirectEnd, events: PeerLinkEvents): PeerLink
  /** Links that still hold something native: the open ones, and for 0.1 s those that were closed. */
  readonly liveLinks: number
  /**
   * Closes every link; resolves when all have let go of what is native. The native library's threads keep a process alive in which a connection
   * existed: end it with `process.exit`.
   */
  shutdown(): Promise<void>
}

/**
 * Links over node-datachannel.
 *
 * @throws TypeError for an ICE server's URL that is none, RangeError for an empty port range
 */
export function createNodeLinkFactory(options: NodeLinkFactoryOptions = {}): NodeLinkFactory {
  const config = configOf(options)
  const { onError = warn } = options
  applySctpSettings()
  // Native objects are closed when their wrappers are collected as garbage: something must hold them.
  const live = new Set<NodeLink>()
  const waiting: (() => void)[] = []
  const make = (given: Pick<NodeLinkOptions, 'role' | 'config' | 'dial' | 'to'>, events: PeerLinkEvents) => {
    const link: NodeLink = new NodeLink(
      {
        ...given,
        openTimeoutMs: options.openTimeoutMs ?? LINK_OPEN_TIMEOUT_MS,
        onError: (error) => onError(error instanceof Error ? error : new Error(String(error))),
        onReleased: (released) => {
          live.delete(released)
          if (live.size === 0) for (const resolve of waiting.splice(0)) resolve()
        },
      },
      events,
    )
    live.add(link)
    return link
  }
  return {
    create: (role, events) => make({ role, config }, events),
    dial: (address, self, events) => make({ role: 'offerer', config, to: { address, self } }, events),
    accept: (dial, end, events) =>
      make({ role: 'answerer', dial, config: directConfig(config, end) }, events),
    get liveLinks() {
      return live.size
    },
    async shutdown() {
      for (const link of [...live]) link.close()
      if (live.size > 0) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}

function warn(error: Error): void {
  process.emitWarning(error.message, {
    type: 'ShoalLinkWarning',
    ...(error.stack && { detail: error.stack }),
  })
}

function configOf(options: NodeLinkFactoryOptions): RtcConfig {
  const { bindAddress, portRange, iceTransportPolicy } = options
  if (portRange !== undefined && !(portRange.first >= 1 && portRange.last >= portRange.first)) {
    throw new RangeError(`no port in ${portRange.first} to ${portRange.last}`)
  }
  return {
    iceServers: nativeIceServers(options.iceServers ?? []),
    // Said in the description, so that an honest peer's stack refuses to send more. One byte above our
    // limit, because libdatachannel cuts a longer message to this size and hands it on.
    maxMessageSize: MAX_CONTROL_MESSAGE_BYTES + 1,
    // Channels made before the remote offer would otherwise make an answerer offer too.
    disableAutoNegotiation: true,
    ...(bindAddress === undefined ? {} : { bindAddress }),
    ...(portRange === undefined ? {} : { portRangeBegin: portRange.first, portRangeEnd: portRange.last }),
    ...(iceTransportPolicy === undefined ? {} : { iceTransportPolicy }),
  }
}

function directConfig(config: RtcConfig, { port, address, certificate }: DirectEnd): RtcConfig {
  const { portRangeBegin: _begin, portRangeEnd: _end, bindAddress: _address, ...others } = config
  return {
    ...others,
    iceServers: [],
    enableIceUdpMux: true,
    portRangeBegin: port,
    portRangeEnd: port,
    ...(address === undefined ? {} : { bindAddress: address }),
    // The library takes the text itself, too.
    certificatePemFile: certificate.certificate,
    keyPemFile: certificate.key,
    // Who dials says nothing of its certificate before.
    disableFingerprintVerification: true,
  }
}

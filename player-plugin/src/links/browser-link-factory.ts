import { LINK_OPEN_TIMEOUT_MS, type PeerLinkFactory } from '@shoal/core'
import { BrowserLink } from './browser-link.js'

export interface BrowserLinkFactoryOptions {
  /** STUN and TURN servers; none unless given. simple-peer's public defaults are never used. */
  readonly iceServers?: readonly RTCIceServer[]
  /** `relay` hides the viewer's address behind TURN servers. */
  readonly iceTransportPolicy?: RTCIceTransportPolicy
  /** From a link's creation to its opening at most, in milliseconds; `LINK_OPEN_TIMEOUT_MS` unless given. */
  readonly openTimeoutMs?: number
  /** Gets exceptions of owners' callbacks and errors of the browser; `reportError` unless given. */
  readonly onError?: (error: Error) => void
}

/** Links over simple-peer, for browsers. Ask `isWebRtcSupported` first. */
export function createBrowserLinkFactory(options: BrowserLinkFactoryOptions = {}): PeerLinkFactory {
  const { iceServers = [], iceTransportPolicy, openTimeoutMs = LINK_OPEN_TIMEOUT_MS } = options
  const { onError = reportError } = options
  const iceConfig: RTCConfiguration = {
    iceServers: [...iceServers],
    ...(iceTransportPolicy === undefined ? {} : { iceTransportPolicy }),
  }
  const report = (error: unknown) => onError(error instanceof Error ? error : new Error(String(error)))
  const common = { openTimeoutMs, onError: report }
  return {
    create: (role, events) => new BrowserLink({ ...common, role, iceConfig }, events),
    dial: (address, self, events) => {
      // A seeder has an address that needs no server to be found; a relay is not for finding.
      const direct = iceTransportPolicy === 'relay' ? iceConfig : {}
      return new BrowserLink({ ...common, role: 'offerer', iceConfig: direct, to: { address, self } }, events)
    },
  }
}

import type { Clock, CreateSwarm, OpenTrackerSocket, PeerLinkFactory, Random } from '@shoal/core'
import type { DeviceHints } from './device.js'
import type { DialStorage } from './dial-memory.js'

/** The page as Shoal sees it: handed in, so that tests bring their own. */
export interface Environment {
  readonly createSwarm: CreateSwarm
  readonly clock: Clock
  readonly random: Random
  /** Undefined outside secure contexts. */
  readonly subtle: SubtleCrypto | undefined
  readonly device: DeviceHints
  readonly openSocket: OpenTrackerSocket
  /** Null where the browser has no WebRTC. */
  createLinks(iceServers: readonly RTCIceServer[], onError: (error: Error) => void): PeerLinkFactory | null
  /** Keeps addresses of seeders over a reload. Undefined, or a throw, where the browser gives none. */
  readonly storage?: () => DialStorage | undefined
  /** Where `pagehide` and `pageshow` arrive. */
  readonly page: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>
}

import { createSwarm } from '@shoal/core'
import { createBrowserLinkFactory, isWebRtcSupported } from '../links/index.js'
import { browserClock } from './clock.js'
import type { DeviceHints } from './device.js'
import type { Environment } from './environment.js'
import { openTrackerSocket } from './tracker-socket.js'

/** The page that Shoal runs in. */
export function browserEnvironment(): Environment {
  return {
    createSwarm,
    clock: browserClock,
    random: Math.random,
    subtle: globalThis.crypto?.subtle,
    device: (globalThis.navigator ?? {}) as DeviceHints,
    openSocket: openTrackerSocket,
    createLinks: (iceServers, onError) =>
      isWebRtcSupported() ? createBrowserLinkFactory({ iceServers, onError }) : null,
    storage: () => globalThis.sessionStorage,
    page: globalThis,
  }
}

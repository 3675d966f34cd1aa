import type { StatsSample } from '@shoal/protocol'
import type { Log } from '../adapters/log.js'
import type { HttpReply, OpenHandler, UpgradeRequest } from '../adapters/server-port.js'
import { networkOf } from '../admission/addresses.js'
import type { Admission } from '../admission/admission.js'
import type { Refusal } from '../admission/refusal.js'
import type { ClientSockets } from './client-sockets.js'
import type { DashboardFeed } from './feed.js'
import type { Health } from './health.js'
import { FEED_PATH, refusalReply, text } from './routes.js'

const DRAINING: Refusal = { code: 'draining', reason: 'the tracker stops' }

/** Where new sockets go. */
export interface UpgradeTargets {
  readonly admission: Admission
  readonly clients: ClientSockets
  readonly feed: DashboardFeed
  readonly health: Health
  samples(): readonly StatsSample[]
}

/** Takes or refuses WebSockets: dashboards by their path, all others are clients. */
export function createUpgrades(
  { admission, clients, feed, health, samples }: UpgradeTargets,
  log: Log,
): (request: UpgradeRequest) => HttpReply | OpenHandler {
  let proxyIsKnown = admission.settings.trustedProxies.length > 0
  const upgrade = (request: UpgradeRequest): HttpReply | OpenHandler => {
    if (health.draining) return refusalReply(DRAINING)
    if (request.path === FEED_PATH) {
      const viewer = admission.clientOf(request)
      const network = viewer.isLocal && !admission.isBehindLocalProxy ? null : networkOf(viewer.address)
      if (!feed.mayOpen(network)) return text(503, 'Too many dashboards.\n')
      return (connection) => feed.open(connection, network, samples())
    }
    if (!proxyIsKnown && request.forwardedFor !== '') {
      proxyIsKnown = true
      log.warn({}, 'X-Forwarded-For comes in: behind a proxy, admission.trustedProxies has to name it')
    }
    const client = admission.clientOf(request)
    const refusal = clients.refuse(client)
    return refusal === null ? (connection) => clients.open(connection, client) : refusalReply(refusal)
  }
  return (request) => {
    try {
      return upgrade(request)
    } catch (error) {
      // A fault of the tracker's own costs one socket: uWebSockets.js would end the process over it.
      log.error({ err: error }, 'upgrade not handled')
      return text(500, 'The tracker failed to answer; its log says why.\n')
    }
  }
}

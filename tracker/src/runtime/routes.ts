import type { Log } from '../adapters/log.js'
import type { Metrics } from '../adapters/prometheus.js'
import type { HttpReply } from '../adapters/server-port.js'
import type { StaticFiles } from '../adapters/static-files.js'
import type { Refusal } from '../admission/refusal.js'
import type { HealthReport } from './health.js'

export const FEED_PATH = '/dashboard/feed'

const DASHBOARD_PATH = '/dashboard/'

/** Statistics are for everybody's pages: a status page on another host may show them. */
const OPEN_TO_ALL = { 'access-control-allow-origin': '*', 'cache-control': 'no-store' }

export interface RouteSources {
  /** Null when the dashboard has not been built. */
  readonly dashboard: StaticFiles | null
  readonly metrics: Metrics
  health(): HealthReport
  /** As JSON. */
  stats(): string
}

/** When a client that was refused may try again, in seconds. */
const RETRY_AFTER_SECONDS = 10

type Route = (path: string) => HttpReply | Promise<HttpReply>

/** Answers GET requests by path; a fault of the tracker's own costs the request, not the process. */
export function createRoutes(sources: RouteSources, log: Log): Route {
  const route = createRoute(sources)
  const failed = (error: unknown): HttpReply => {
    log.error({ err: error }, 'request not handled')
    return text(500, 'The tracker failed to answer; its log says why.\n')
  }
  return (path) => {
    try {
      const reply = route(path)
      return reply instanceof Promise ? reply.catch(failed) : reply
    } catch (error) {
      return failed(error)
    }
  }
}

function createRoute({ dashboard, metrics, health, stats }: RouteSources): Route {
  return (path) => {
    switch (path) {
      case '/health':
        return healthReply(health())
      case '/stats.json':
        return json(200, stats())
      case '/metrics':
        return metrics.text().then((body) => ({
          status: 200,
          headers: { 'content-type': metrics.contentType, 'cache-control': 'no-store' },
          body,
        }))
      case '/dashboard':
        return { status: 308, headers: { location: DASHBOARD_PATH }, body: '' }
      default:
        return path.startsWith(DASHBOARD_PATH)
          ? dashboardFile(dashboard, path.slice(DASHBOARD_PATH.length))
          : text(404, 'Nothing here. This is a Shoal tracker: WebSockets on any path, and /dashboard/.\n')
    }
  }
}

function dashboardFile(dashboard: StaticFiles | null, path: string): HttpReply {
  if (dashboard === null)
    return text(404, 'The dashboard is not built: run "npm run build", then start again.\n')
  return dashboard.get(path) ?? text(404, 'The dashboard has no such file.\n')
}

/** A tracker that is degraded serves all the same: only one that stops must get no more clients. */
function healthReply(report: HealthReport): HttpReply {
  return json(report.status === 'draining' ? 503 : 200, JSON.stringify(report))
}

function json(status: 200 | 503, body: string): HttpReply {
  return { status, headers: { 'content-type': 'application/json', ...OPEN_TO_ALL }, body }
}

/** Plain text for people. */
export function text(status: 403 | 404 | 429 | 500 | 503, body: string): HttpReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

/** Answer to an upgrade that is refused; the code is for programs. */
export function refusalReply({ code, reason }: Refusal): HttpReply {
  const status = code === 'origin-not-allowed' ? 403 : code === 'rate-limited' ? 429 : 503
  const reply = text(status, `${code}: ${reason}\n`)
  const later = status === 403 ? {} : { 'retry-after': `${RETRY_AFTER_SECONDS}` }
  return { ...reply, headers: { ...reply.headers, ...later } }
}

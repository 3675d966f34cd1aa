import type { Log } from '../adapters/log.js'
import type { Metrics } from '../adapters/prometheus.js'
import type { HttpReply } from '../adapters/server-port.js'
import type { StaticFiles } from '../adapters/static-files.js'

export const FEED_PATH = '/dashboard/feed'

const DASHBOARD_PATH = '/dashboard/'

/** Statistics are for everybody's pages: a status page on another host may show them. */
const OPEN_TO_ALL = { 'access-control-allow-origin': '*', 'cache-control': 'no-store' }

export interface RouteSources {
  /** Null when the dashboard has not been built. */
  readonly dashboard: StaticFiles | null
  readonly metrics: Metrics
  stats(): object
}

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

function createRoute({ dashboard, metrics, stats }: RouteSources): Route {
  return (path) => {
    switch (path) {
      case '/health':
        return json({ status: 'ok' })
      case '/stats.json':
        return json(stats())
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

function json(value: object): HttpReply {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', ...OPEN_TO_ALL },
    body: JSON.stringify(value),
  }
}

/** Plain text for people. */
export function text(status: 404 | 500 | 503, body: string): HttpReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Millis, TrackerStats } from '@shoal/protocol'
import { millis } from '@shoal/protocol'
import { SILENT_LOG } from '../adapters/log.js'
import { createMetrics } from '../adapters/prometheus.js'
import type { ServerHandlers } from '../adapters/server-port.js'
import { loadStaticFiles } from '../adapters/static-files.js'
import { Tracker } from '../signalling/tracker.js'
import { takeCensus, topSwarms } from '../stats/census.js'
import { History } from '../stats/history.js'
import { ClientSockets } from './client-sockets.js'
import { chooseEngine } from './engine.js'
import { DashboardFeed } from './feed.js'
import type { TrackerOptions } from './options.js'
import { readSettings } from './options.js'
import { createRoutes, FEED_PATH, text } from './routes.js'

/** Time between samples of the history and frames of the feed, in ms. */
const SAMPLE_INTERVAL_MS = 1000

/** Time between sweeps for what is too old, in ms: half the life of an offer. */
const SWEEP_INTERVAL_MS = 30_000

/** A tracker that listens. */
export interface RunningTracker {
  /** `http://host:port`; WebSockets are at `ws://` of the same, on any path. */
  readonly url: string
  readonly port: number
  readonly engine: 'uws' | 'ws'
  /** What `/stats.json` says. */
  stats(): TrackerStats
  /** Ends all sockets and stops listening. */
  close(): Promise<void>
}

/**
 * Starts a tracker in this process.
 *
 * @throws OptionsError for a wrong option, or when the engine asked for does not load
 * @throws ListenError when the address cannot be listened on
 */
export async function createTracker(options: TrackerOptions = {}): Promise<RunningTracker> {
  const { log = SILENT_LOG, ...rest } = options
  const settings = readSettings(rest)
  const engine = await chooseEngine(settings.engine, log)
  const dashboard = await loadStaticFiles(settings.dashboardFolder ?? besidePackage('../dashboard/dist'))

  const startedAt = monotonicNow()
  const tracker = new Tracker(settings, Math.random)
  const history = new History()
  const feed = new DashboardFeed()
  const clients = new ClientSockets(tracker, settings.limits.maxConnections, monotonicNow, log)
  const census = cached(SAMPLE_INTERVAL_MS / 2, () => takeCensus(tracker.registry.swarms()))
  const uptimeSeconds = () => Math.round((monotonicNow() - startedAt) / 1000)
  const version = packageVersion()

  const stats = (): TrackerStats => ({
    version,
    engine: engine.name,
    uptimeSeconds: uptimeSeconds(),
    sockets: clients.size,
    totals: { ...tracker.totals },
    ...takeCensus(tracker.registry.swarms()),
    top: topSwarms(tracker.registry.swarms()),
  })
  const metrics = createMetrics({
    counters: tracker.counters,
    totals: tracker.totals,
    gauges: () => ({
      ...census(),
      sockets: clients.size,
      feeds: feed.size,
      offersInFlight: tracker.offersInFlight,
      uptimeSeconds: uptimeSeconds(),
    }),
  })
  const handlers: ServerHandlers = {
    refuse(path) {
      if (path === FEED_PATH) return feed.full ? text(503, 'Too many dashboards.\n') : null
      return clients.refuse() ? text(503, 'The tracker is full.\n') : null
    },
    open: (connection, path) =>
      path === FEED_PATH ? feed.open(connection, history.samples()) : clients.open(connection),
    // Polled by anyone, and O(swarms): twice a second is enough.
    get: createRoutes({ dashboard, metrics, stats: cached(SAMPLE_INTERVAL_MS / 2, stats) }, log),
  }

  const server = await engine.start({ host: settings.host, port: settings.port }, handlers)
  const takeSample = () =>
    history.take(Date.now(), { ...takeCensus(tracker.registry.swarms()), totals: tracker.totals })
  takeSample()
  const sampling = setInterval(() => {
    const sample = takeSample()
    if (feed.size > 0) tracker.counters.socketsSlow += feed.publish(stats(), sample)
  }, SAMPLE_INTERVAL_MS)
  const sweeping = setInterval(() => tracker.sweep(monotonicNow()), SWEEP_INTERVAL_MS)

  const url = urlOf(settings.host, server.port)
  log.info({ url, engine: engine.name, dashboard: dashboard !== null }, 'tracker listens')
  let closing: Promise<void> | null = null
  return {
    url,
    port: server.port,
    engine: engine.name,
    stats,
    close() {
      clearInterval(sampling)
      clearInterval(sweeping)
      closing ??= server.close()
      return closing
    },
  }
}

/** The clock of everything but the history: it never goes back. */
function monotonicNow(): Millis {
  return millis(performance.now())
}

/** Reads anew only when the last result is older than `life` ms. */
function cached<T>(life: number, read: () => T): () => T {
  let value: T | undefined
  let until = Number.NEGATIVE_INFINITY
  return () => {
    const now = monotonicNow()
    if (value === undefined || now >= until) {
      value = read()
      until = now + life
    }
    return value
  }
}

/** A path from this package's folder, which in a workspace and in node_modules has the same siblings. */
function besidePackage(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url))
}

function packageVersion(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(besidePackage('package.json'), 'utf8'))
  return version
}

/** A URL that works on this machine: the unspecified address is reached through the loopback one. */
function urlOf(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

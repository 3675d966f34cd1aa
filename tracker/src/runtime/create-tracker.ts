import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Millis, TrackerStats } from '@shoal/protocol'
import { millis } from '@shoal/protocol'
import { probePlaylist } from '../adapters/http-probe.js'
import { SILENT_LOG } from '../adapters/log.js'
import { createMetrics } from '../adapters/prometheus.js'
import type { ServerHandlers } from '../adapters/server-port.js'
import { loadStaticFiles } from '../adapters/static-files.js'
import { rangesOf } from '../admission/addresses.js'
import { Admission } from '../admission/admission.js'
import { Tracker } from '../signalling/tracker.js'
import { topSwarms } from '../stats/census.js'
import { History } from '../stats/history.js'
import { admissionFiles } from './admission-files.js'
import { ClientSockets } from './client-sockets.js'
import { drainSockets } from './drain.js'
import { chooseEngine } from './engine.js'
import { DashboardFeed } from './feed.js'
import { FileWatch } from './file-watch.js'
import { Health } from './health.js'
import { createIntegrity, integrityMetrics, watchLocalProxy } from './integrity-setup.js'
import { joinCluster } from './join-cluster.js'
import { watchLocality } from './locality-files.js'
import type { TrackerOptions } from './options.js'
import { OptionsError, readSettings } from './options.js'
import { createRoutes } from './routes.js'
import { startProbing } from './seeder-probes.js'
import { watchTls } from './tls-files.js'
import { createUpgrades } from './upgrades.js'

/** Time between samples of the history and frames of the feed, in ms. */
const SAMPLE_INTERVAL_MS = 1000

/** Time between sweeps for what is too old, in ms: half the life of an offer. */
const SWEEP_INTERVAL_MS = 30_000

/** Share of the sockets that there may be from which on `/health` warns. */
const NEARLY_FULL = 0.95

/** A timer that is as late as that, in ms, says that the processor is short: `/health` warns. */
const LATE_MS = 500

/** A tracker that listens. */
export interface RunningTracker {
  /** `http://host:port`, or `https:`; WebSockets are at `ws:` or `wss:` of the same, on any path. */
  readonly url: string
  readonly port: number
  readonly engine: 'uws' | 'ws'
  /** What `/stats.json` says. */
  stats(): TrackerStats
  /**
   * Stops taking clients and sends those that are here away in random order, with close code 1012, in
   * `drainSeconds` at most. `close` is to follow.
   */
  drain(): Promise<void>
  /** Ends all sockets and stops listening. */
  close(): Promise<void>
}

/**
 * Starts a tracker in this process.
 *
 * @throws OptionsError for a wrong option, a file that it names and that cannot be used, or when the
 *   engine asked for does not load
 * @throws ListenError when the address cannot be listened on
 */
export async function createTracker(options: TrackerOptions = {}): Promise<RunningTracker> {
  const { log = SILENT_LOG, ...rest } = options
  const settings = readSettings(rest)
  const engine = await chooseEngine(settings, log)
  const { dashboardFolder } = settings
  const dashboard = await loadStaticFiles(dashboardFolder ?? besidePackage('../dashboard/dist'))
  if (dashboard === null && dashboardFolder !== undefined) {
    throw new OptionsError(`dashboardFolder: there is no index.html in ${dashboardFolder}`)
  }

  const startedAt = monotonicNow()
  const health = new Health()
  const files = new FileWatch(settings.reloadSeconds, health, log)
  const places = await watchLocality(settings.locality, files)
  const { handOut: tellDials, ranges } = settings.seederDial
  const dials = { handOut: tellDials, ranges: rangesOf(ranges) }
  const integrity = await createIntegrity(settings, files, log)
  const tracker = new Tracker(settings, Math.random, places, integrity, dials)
  const admission = new Admission(settings.admission, Date.now)
  watchLocalProxy(admission, integrity, log)
  const history = new History()
  const feed = new DashboardFeed()
  const { maxConnections } = settings.limits
  const clients = new ClientSockets(tracker, admission, maxConnections, monotonicNow, log)
  for (const { key, reader } of admissionFiles(settings.admission, admission.lists)) {
    await files.add(key, reader)
  }
  const tls = await watchTls(settings.tls, files)

  // O(swarms), for whoever asks: it may cost little only.
  const largest = () => topSwarms(tracker.registry.swarms())
  const largestLately = cached(SAMPLE_INTERVAL_MS / 2, largest)
  const uptimeSeconds = () => Math.round((monotonicNow() - startedAt) / 1000)
  const version = packageVersion()
  const statsWith = (top: TrackerStats['top']): TrackerStats => ({
    version,
    engine: engine.name,
    uptimeSeconds: uptimeSeconds(),
    sockets: clients.size,
    totals: { ...tracker.totals },
    ...tracker.registry.census(),
    top,
  })
  const { redis, redisLeaseSeconds } = settings
  const cluster =
    redis === undefined
      ? null
      : joinCluster(tracker, admission, { redis, redisLeaseSeconds }, health, monotonicNow, log)
  let lateMs = 0
  const metrics = createMetrics({
    counters: tracker.counters,
    totals: tracker.totals,
    integrity: () => integrityMetrics(integrity),
    cluster: cluster === null ? null : cluster.metrics,
    gauges: () => ({
      ...tracker.registry.census(),
      sockets: clients.size,
      feeds: feed.size,
      offersInFlight: tracker.offersInFlight,
      addresses: admission.limits.size,
      bans: admission.bans.size,
      seederUrls: tracker.httpSources.size,
      seederUrlsHealthy: tracker.httpSources.healthy,
      eventLoopLagSeconds: lateMs / 1000,
      healthy: health.report().status === 'ok',
      uptimeSeconds: uptimeSeconds(),
    }),
  })
  health.watch('connections', () =>
    clients.size < maxConnections * NEARLY_FULL ? null : `${clients.size} of ${maxConnections}`,
  )
  health.watch('processor', () => (lateMs < LATE_MS ? null : `timers are late by ${Math.round(lateMs)} ms`))
  const handlers: ServerHandlers = {
    upgrade: createUpgrades({ admission, clients, feed, health, samples: () => history.samples() }, log),
    get: createRoutes(
      {
        dashboard,
        metrics,
        health: () => health.report(),
        // Polled by anyone: O(1), as far as it is not twice a second.
        stats: cached(SAMPLE_INTERVAL_MS / 2, () => JSON.stringify(statsWith(largestLately()))),
      },
      log,
    ),
  }

  const { host, port, sharedPort } = settings
  const server = await engine
    .start({ host, port, tls: tls?.pair ?? null, shared: sharedPort }, handlers)
    .catch(async (error) => {
      files.close()
      await cluster?.close()
      throw error
    })
  tls?.onChange(server)
  files.start()
  const takeSample = () => history.take(Date.now(), { ...tracker.registry.census(), totals: tracker.totals })
  takeSample()
  let sampledAt = monotonicNow()
  const sampling = setInterval(() => {
    const now = monotonicNow()
    lateMs = Math.max(0, now - sampledAt - SAMPLE_INTERVAL_MS)
    sampledAt = now
    const sample = takeSample()
    tracker.announceVerdicts(now)
    if (feed.size > 0) tracker.counters.socketsSlow += feed.publish(statsWith(largestLately()), sample)
  }, SAMPLE_INTERVAL_MS)
  const sweeping = setInterval(() => {
    tracker.sweep(monotonicNow())
    admission.sweep(monotonicNow())
  }, SWEEP_INTERVAL_MS)

  const { handOut, allowPrivateProbes } = settings.seederHttp
  const probe = (url: string) => probePlaylist(url, allowPrivateProbes)
  const stopProbing = handOut ? startProbing(tracker.httpSources, probe, monotonicNow) : () => {}

  const url = urlOf(tls === null ? 'http' : 'https', host, server.port)
  log.info({ url, engine: engine.name, dashboard: dashboard !== null }, 'tracker listens')
  let closing: Promise<void> | null = null
  return {
    url,
    port: server.port,
    engine: engine.name,
    stats: () => statsWith(largest()),
    async drain() {
      health.draining = true
      server.stopListening()
      await drainSockets(() => clients.all(), settings.drainSeconds * 1000, Math.random)
    },
    close() {
      clearInterval(sampling)
      clearInterval(sweeping)
      stopProbing()
      files.close()
      closing ??= Promise.all([server.close(), cluster?.close()]).then(() => {})
      return closing
    },
  }
}

/** The clock of everything but the history: it never goes back. */
function monotonicNow(): Millis {
  return millis(performance.now())
}

/**
 * Reads anew only when the last result is older than `life` ms, and than fifty times what reading
 * costs: 2 % of the time at most.
 */
function cached<T>(life: number, read: () => T): () => T {
  let value: T | undefined
  let until = Number.NEGATIVE_INFINITY
  return () => {
    const now = monotonicNow()
    if (value === undefined || now >= until) {
      value = read()
      const cost = monotonicNow() - now
      until = now + Math.max(life, 50 * cost)
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
function urlOf(scheme: string, host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `${scheme}://127.0.0.1:${port}`
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

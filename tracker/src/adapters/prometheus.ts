import { Counter, Gauge, Registry } from 'prom-client'
import type { Counters } from '../stats/counters.js'
import type { RunningTotals } from '../stats/totals.js'
import type { ClusterMetricsSource } from './prometheus-cluster.js'
import { addClusterMetrics } from './prometheus-cluster.js'
import type { IntegrityMetricsSource } from './prometheus-integrity.js'
import { addIntegrityMetrics } from './prometheus-integrity.js'

/** What is measured, read when somebody asks. */
export interface MetricsSource {
  readonly counters: Readonly<Counters>
  readonly totals: Readonly<RunningTotals>
  /** Null for a tracker on its own. */
  readonly cluster: (() => ClusterMetricsSource) | null
  readonly integrity: () => IntegrityMetricsSource
  gauges(): {
    readonly sockets: number
    readonly feeds: number
    readonly swarms: number
    readonly viewers: number
    readonly seeders: number
    readonly others: number
    readonly offersInFlight: number
    readonly addresses: number
    readonly bans: number
    readonly seederUrls: number
    readonly seederUrlsHealthy: number
    readonly eventLoopLagSeconds: number
    readonly healthy: boolean
    readonly uptimeSeconds: number
  }
}

export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
}

/**
 * Metrics of one tracker in the Prometheus text format. Labels have fixed values only: none is taken
 * from a client. The process's own are two of the usual names, read on demand, because prom-client's
 * default set keeps timers and observers running after the tracker has ended.
 */
export function createMetrics(source: MetricsSource): Metrics {
  const registry = new Registry()
  const { counters, totals } = source

  const counter = (name: string, help: string, read: () => number): void => {
    const metric = new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        metric.reset()
        metric.inc(read())
      },
    })
  }
  const counterBy = (name: string, help: string, label: string, read: () => Record<string, number>): void => {
    const metric = new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        metric.reset()
        for (const [value, count] of Object.entries(read())) metric.inc({ [label]: value }, count)
      },
    })
  }
  const gauge = (name: string, help: string, read: () => number): void => {
    const metric = new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        metric.set(read())
      },
    })
  }

  counterBy('shoal_tracker_messages_total', 'Messages of clients by kind.', 'kind', () => ({
    announce: counters.announces,
    answer: counters.answers,
    candidates: counters.candidates,
    scrape: counters.scrapes,
    failed: counters.failures,
  }))
  counterBy('shoal_tracker_relays_total', 'Messages relayed between peers by kind.', 'kind', () => ({
    offer: counters.offersRelayed,
    answer: counters.answersRelayed,
    candidates: counters.candidatesRelayed,
  }))
  counter(
    'shoal_tracker_introductions_total',
    'Peers named to others that had asked.',
    () => counters.introductions,
  )
  counter(
    'shoal_tracker_uninvited_offers_total',
    'Offers dropped whose target was not named to the offerer.',
    () => counters.uninvited,
  )
  counter(
    'shoal_tracker_strays_total',
    'Answers and candidates without a relayed offer.',
    () => counters.strays,
  )
  counter('shoal_tracker_reports_total', 'Reports of Shoal peers.', () => counters.reports)
  counter('shoal_tracker_sockets_total', 'WebSockets opened.', () => counters.socketsOpened)
  counterBy(
    'shoal_tracker_refusals_total',
    'Messages and sockets refused by code.',
    'code',
    () => counters.refusals,
  )
  counter('shoal_tracker_bans_total', 'Peers that others got banned.', () => counters.bans)
  counterBy('shoal_tracker_sockets_dropped_total', 'WebSockets refused or ended by cause.', 'cause', () => ({
    full: counters.socketsRefused,
    slow: counters.socketsSlow,
    abusive: counters.socketsAbusive,
  }))
  counterBy(
    'shoal_tracker_media_bytes_total',
    'Media bytes that viewers received, as reported.',
    'source',
    () => ({
      http: totals.httpBytes,
      peers: totals.peerBytes,
      seeders: totals.seederBytes,
    }),
  )
  counter(
    'shoal_tracker_uploaded_bytes_total',
    'Media bytes served, as reported.',
    () => totals.uploadedBytes,
  )
  counter('shoal_tracker_stalls_total', 'Playback stalls, as reported.', () => totals.stalls)

  gauge('shoal_tracker_sockets', 'Open WebSockets of clients.', () => source.gauges().sockets)
  gauge('shoal_tracker_feeds', 'Open dashboard feeds.', () => source.gauges().feeds)
  gauge('shoal_tracker_swarms', 'Swarms with at least one peer.', () => source.gauges().swarms)
  gauge(
    'shoal_tracker_offers_in_flight',
    'Relayed offers that are remembered.',
    () => source.gauges().offersInFlight,
  )
  gauge(
    'shoal_tracker_addresses',
    'Client addresses that are counted for limits.',
    () => source.gauges().addresses,
  )
  gauge(
    'shoal_tracker_seeder_urls',
    'HTTP addresses that seeders announced.',
    () => source.gauges().seederUrls,
  )
  gauge(
    'shoal_tracker_seeder_urls_healthy',
    'HTTP addresses of seeders at which a playlist was found.',
    () => source.gauges().seederUrlsHealthy,
  )
  gauge('shoal_tracker_bans', 'Bans in force.', () => source.gauges().bans)
  gauge(
    'shoal_tracker_event_loop_lag_seconds',
    'How late the last timer of a second was.',
    () => source.gauges().eventLoopLagSeconds,
  )
  gauge('shoal_tracker_healthy', '1 while /health says ok.', () => (source.gauges().healthy ? 1 : 0))
  gauge('shoal_tracker_uptime_seconds', 'Seconds since the start.', () => source.gauges().uptimeSeconds)
  const peers = new Gauge({
    name: 'shoal_tracker_peers',
    help: 'Peers by kind; others are stock WebTorrent clients.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      const { viewers, seeders, others } = source.gauges()
      peers.set({ kind: 'viewer' }, viewers)
      peers.set({ kind: 'seeder' }, seeders)
      peers.set({ kind: 'other' }, others)
    },
  })
  counter('process_cpu_seconds_total', 'User and system CPU time of the process.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  gauge('process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss())

  addIntegrityMetrics(registry, source.integrity)
  if (source.cluster !== null) addClusterMetrics(registry, source.cluster)
  return { contentType: registry.contentType, text: () => registry.metrics() }
}

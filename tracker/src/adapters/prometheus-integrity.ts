import type { Registry } from 'prom-client'
import { Counter, Gauge } from 'prom-client'

/** What the tracker knows of whose bytes to trust, read when somebody asks. */
export interface IntegrityMetricsSource {
  readonly listsReported: number
  readonly wrongReported: number
  /** Reports that found no room. */
  readonly dropped: number
  readonly attested: number
  readonly disputed: number
  readonly blamed: number
  /** Messages to viewers about disputes. */
  readonly verdictsSent: number
  readonly vouchedKeys: number
  readonly comparedSegments: number
}

/** Adds these metrics. Labels have fixed values only. */
export function addIntegrityMetrics(registry: Registry, read: () => IntegrityMetricsSource): void {
  const counter = (
    name: string,
    help: string,
    values: (source: IntegrityMetricsSource) => Record<string, number>,
  ): void => {
    const metric = new Counter({
      name: `shoal_tracker_integrity_${name}_total`,
      help,
      labelNames: ['kind'],
      registers: [registry],
      collect() {
        metric.reset()
        for (const [kind, count] of Object.entries(values(read()))) metric.inc({ kind }, count)
      },
    })
  }
  const gauge = (name: string, help: string, value: (source: IntegrityMetricsSource) => number): void => {
    const metric = new Gauge({
      name: `shoal_tracker_${name}`,
      help,
      registers: [registry],
      collect() {
        metric.set(value(read()))
      },
    })
  }
  counter(
    'reports',
    'Lists that peers loaded over HTTP or found wrong; dropped for want of room.',
    (source) => ({
      loaded: source.listsReported,
      wrong: source.wrongReported,
      dropped: source.dropped,
    }),
  )
  counter('verdicts', 'Lists attested, segments disputed, and disputes that name wrong lists.', (source) => ({
    attested: source.attested,
    disputed: source.disputed,
    blamed: source.blamed,
  }))
  counter('messages', 'Messages to viewers of a swarm about disputes.', ({ verdictsSent }) => ({
    disputed: verdictsSent,
  }))
  gauge('vouched_keys', 'Keys of own seeders, over all swarms.', ({ vouchedKeys }) => vouchedKeys)
  gauge(
    'compared_segments',
    'Segments whose reports are compared now.',
    ({ comparedSegments }) => comparedSegments,
  )
}

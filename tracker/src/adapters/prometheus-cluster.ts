import type { Registry } from 'prom-client'
import { Counter, Gauge } from 'prom-client'

/** A node of a cluster, read when somebody asks. */
export interface ClusterMetricsSource {
  readonly joined: boolean
  readonly nodes: number
  readonly framesSent: number
  readonly framesReceived: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly dropped: number
  readonly rejected: number
  readonly offersSent: number
  readonly offersReceived: number
  readonly offersDelivered: number
  readonly answersSent: number
  readonly candidatesSent: number
  readonly strays: number
}

/** Adds the metrics of a node. Labels have fixed values only. */
export function addClusterMetrics(registry: Registry, read: () => ClusterMetricsSource): void {
  const gauge = (name: string, help: string, value: (source: ClusterMetricsSource) => number): void => {
    const metric = new Gauge({
      name: `shoal_tracker_cluster_${name}`,
      help,
      registers: [registry],
      collect() {
        metric.set(value(read()))
      },
    })
  }
  const counter = (
    name: string,
    help: string,
    label: string,
    values: (source: ClusterMetricsSource) => Record<string, number>,
  ): void => {
    const metric = new Counter({
      name: `shoal_tracker_cluster_${name}_total`,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        metric.reset()
        for (const [value, count] of Object.entries(values(read()))) metric.inc({ [label]: value }, count)
      },
    })
  }

  gauge('joined', '1 while other nodes can be reached through Redis.', ({ joined }) => (joined ? 1 : 0))
  gauge('nodes', 'Other nodes that live.', ({ nodes }) => nodes)
  counter('frames', 'Frames between nodes by fate.', 'fate', (source) => ({
    sent: source.framesSent,
    received: source.framesReceived,
    dropped: source.dropped,
    rejected: source.rejected,
  }))
  counter('bytes', 'Bytes of frames between nodes.', 'direction', (source) => ({
    sent: source.bytesSent,
    received: source.bytesReceived,
  }))
  counter('items', 'What peers of different nodes say to each other.', 'kind', (source) => ({
    offer_sent: source.offersSent,
    offer_received: source.offersReceived,
    offer_delivered: source.offersDelivered,
    answer_sent: source.answersSent,
    candidates_sent: source.candidatesSent,
    stray: source.strays,
  }))
}

import { randomBytes } from 'node:crypto'
import type { Millis } from '@shoal/protocol'
import type { Log } from '../adapters/log.js'
import type { ClusterMetricsSource } from '../adapters/prometheus-cluster.js'
import type { Admission } from '../admission/admission.js'
import type { NodeId } from '../cluster/bus.js'
import { ClusterNode } from '../cluster/node.js'
import { RedisBus } from '../cluster/redis-bus.js'
import type { Tracker } from '../signalling/tracker.js'
import type { Health } from './health.js'

export interface ClusterMembership {
  metrics(): ClusterMetricsSource
  close(): Promise<void>
}

/**
 * Makes the tracker a node of the cluster at this Redis. Does not wait for Redis: without it the
 * tracker serves alone, and `/health` says so.
 */
export function joinCluster(
  tracker: Tracker,
  admission: Admission,
  { redis, redisLeaseSeconds }: { readonly redis: string; readonly redisLeaseSeconds: number },
  health: Health,
  now: () => Millis,
  log: Log,
): ClusterMembership {
  const id = randomBytes(8).toString('hex') as NodeId
  const leaseMs = redisLeaseSeconds * 1000
  const node = new ClusterNode(tracker, (listener) => new RedisBus(redis, id, leaseMs, listener, log), {
    id,
    leaseMs,
    now,
    random: Math.random,
    log,
    banned: (infoHash, address) => admission.ban(infoHash, address, now()),
  })
  tracker.joinOthers(node.cluster)
  health.watch('redis', () =>
    node.report().state === 'joined' ? null : 'away: peers are matched within this node only',
  )
  return {
    metrics() {
      const { state, ...report } = node.report()
      return { joined: state === 'joined', ...report, ...node.cluster.counters }
    },
    close: () => node.close(),
  }
}

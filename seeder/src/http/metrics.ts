import type { SeederSnapshot } from '../runtime/snapshot.js'

type Sample = readonly [name: string, type: 'counter' | 'gauge', help: string, value: number]

/** Content type of the Prometheus text format, version 0.0.4. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** A seeder's numbers in the Prometheus text format. No label: one process seeds one title. */
export function metricsText(snapshot: SeederSnapshot): string {
  const { counters } = snapshot
  const cpu = process.cpuUsage()
  const samples: Sample[] = [
    ['shoal_seeder_uploaded_bytes_total', 'counter', 'Bytes sent to peers.', snapshot.uploadedBytes],
    ['shoal_seeder_http_requests_total', 'counter', 'Requests by HTTP.', counters.httpRequests],
    ['shoal_seeder_http_bytes_total', 'counter', 'Bytes sent by HTTP, headers included.', counters.httpBytes],
    ['shoal_seeder_origin_requests_total', 'counter', 'Loads from the origin.', counters.originRequests],
    ['shoal_seeder_origin_failures_total', 'counter', 'Loads that failed.', counters.originFailures],
    ['shoal_seeder_origin_bytes_total', 'counter', 'Bytes of media from the origin.', counters.originBytes],
    ['shoal_seeder_peers', 'gauge', 'Peers that are connected.', snapshot.peers],
    ['shoal_seeder_segments', 'gauge', 'Segments and parts that are held.', snapshot.segments],
    ['shoal_seeder_held_bytes', 'gauge', 'Bytes of them.', snapshot.bytes],
    ['shoal_seeder_pending', 'gauge', 'Fetches that wait or are under way.', snapshot.pending],
    ['shoal_seeder_live', 'gauge', '1 while the title is live.', Number(snapshot.live)],
    [
      'shoal_seeder_origin_up',
      'gauge',
      '1 while the origin answers.',
      Number(snapshot.origin.state === 'up'),
    ],
    [
      'shoal_seeder_tracker_up',
      'gauge',
      '1 while a tracker is connected.',
      Number(snapshot.tracker === 'connected'),
    ],
    ['shoal_seeder_uptime_seconds', 'gauge', 'Since the start.', snapshot.uptimeSeconds],
    ['process_cpu_seconds_total', 'counter', 'User and system time.', (cpu.user + cpu.system) / 1e6],
    ['process_resident_memory_bytes', 'gauge', 'Resident memory.', process.memoryUsage.rss()],
  ]
  return samples
    .map(([name, type, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`)
    .join('')
}

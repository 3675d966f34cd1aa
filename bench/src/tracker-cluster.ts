import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { setTimeout as later } from 'node:timers/promises'
import { measure, median } from './tracker-measure.js'
import { TargetServer } from './tracker-targets.js'
import { processCpuMs } from './transport-process-tree.js'

/** Scenario B through processes of one tracker. Medians of the rounds. */
export interface ClusterRow {
  readonly processes: number
  readonly redis: boolean
  readonly responsesPerCpuSecond: number
  /**
   * What so many processes serve, each with a core of its own, over what one without Redis does: the median of
   * the rounds' ratios.
   */
  readonly overOne: number
  /** Frames that left a process, for each announce, in bytes. */
  readonly busBytesPerAnnounce: number
  readonly framesPerAnnounce: number
  /** CPU time of redis-server, user and system, for a thousand announces, in ms. */
  readonly redisCpuMsPer1000Announces: number
  /** Of all offers that were relayed, those between processes. */
  readonly awayShare: number
  readonly p50Ms: number
  readonly p99Ms: number
}

type Sample = Omit<ClusterRow, 'processes' | 'redis' | 'overOne'>

const CASES = [
  { processes: 1, redis: false },
  { processes: 1, redis: true },
  // Control: two trackers that know nothing of each other, so that each swarm is two. What is lost against one
  // process is not the cluster's.
  { processes: 2, redis: false },
  { processes: 2, redis: true },
]

const CONNECTIONS = 1000

/** Longest wait for the processes to find each other, in ms. */
const JOIN_PATIENCE_MS = 15_000

const REDIS = process.env['SHOAL_REDIS_SERVER'] ?? 'redis-server'

/** What it costs that peers of one swarm are at different processes. */
export async function measureCluster(rounds: number, responses: number): Promise<ClusterRow[]> {
  const port = await freePort()
  const redis = await startRedis(port)
  if (redis === null) {
    console.error('no redis-server: the cluster is not measured')
    return []
  }
  const samples = CASES.map((): Sample[] => [])
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [i, each] of CASES.entries()) {
        const busy = each.redis ? { url: `redis://127.0.0.1:${port}`, pid: redis.pid ?? 0 } : null
        const sample = await measureCase(each.processes, busy, responses, round + 1)
        samples[i]?.push(sample)
        console.error(`round ${round + 1}: ${JSON.stringify({ ...each, ...sample })}`)
      }
    }
  } finally {
    redis.kill('SIGKILL')
  }
  return CASES.map((each, i) => {
    const of = (key: keyof Sample) => median((samples[i] ?? []).map((sample) => sample[key]))
    return {
      ...each,
      responsesPerCpuSecond: of('responsesPerCpuSecond'),
      overOne: overOne(each.processes, samples[i] ?? [], samples[0] ?? []),
      busBytesPerAnnounce: of('busBytesPerAnnounce'),
      framesPerAnnounce: of('framesPerAnnounce'),
      redisCpuMsPer1000Announces: of('redisCpuMsPer1000Announces'),
      awayShare: of('awayShare'),
      p50Ms: of('p50Ms'),
      p99Ms: of('p99Ms'),
    }
  })
}

function overOne(processes: number, some: readonly Sample[], one: readonly Sample[]): number {
  const ratios = some.map(
    ({ responsesPerCpuSecond }, i) =>
      (processes * responsesPerCpuSecond) / (one[i]?.responsesPerCpuSecond ?? Number.NaN),
  )
  return Number(median(ratios).toFixed(2))
}

async function measureCase(
  processes: number,
  redis: { readonly url: string; readonly pid: number } | null,
  responses: number,
  seed: number,
): Promise<Sample> {
  const args = redis === null ? [] : ['--redis', redis.url]
  const redisCpuMs = () => (redis === null ? 0 : processCpuMs(redis.pid))
  const redisCpuBefore = redisCpuMs()
  const servers: TargetServer[] = []
  try {
    for (let i = 0; i < processes; i++) servers.push(await TargetServer.start('shoal-uws', args))
    if (redis !== null) for (const { port } of servers) await joined(port, processes - 1)
    const measurement = { scenario: 'B', echo: false, connections: CONNECTIONS, responses, seed } as const
    const { responsesPerCpuSecond, p50Ms, p99Ms } = await measure(servers, measurement)
    const pages = await Promise.all(servers.map(({ port }) => metricsPage(port)))
    const sum = (name: string) => pages.reduce((total, page) => total + metric(page, name), 0)
    const announces = sum('messages_total{kind="announce"}')
    return {
      responsesPerCpuSecond,
      busBytesPerAnnounce: Math.round(sum('cluster_bytes_total{direction="sent"}') / announces),
      framesPerAnnounce: round3(sum('cluster_frames_total{fate="sent"}') / announces),
      redisCpuMsPer1000Announces: round3((1000 * (redisCpuMs() - redisCpuBefore)) / announces),
      awayShare: round3(
        sum('cluster_items_total{kind="offer_delivered"}') / sum('relays_total{kind="offer"}'),
      ),
      p50Ms,
      p99Ms,
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

function round3(value: number): number {
  return Number(value.toFixed(3))
}

async function joined(port: number, others: number): Promise<void> {
  const deadline = performance.now() + JOIN_PATIENCE_MS
  for (;;) {
    const page = await metricsPage(port)
    if (metric(page, 'cluster_joined') === 1 && metric(page, 'cluster_nodes') === others) return
    if (performance.now() > deadline) throw new Error('the processes do not find each other')
    await later(100)
  }
}

async function metricsPage(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
}

/** 0 where there is none. */
function metric(page: string, name: string): number {
  const line = page.split('\n').find((each) => each.startsWith(`shoal_tracker_${name} `))
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ')))
}

async function startRedis(port: number): Promise<ChildProcess | null> {
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', tmpdir()]
  const child = spawn(REDIS, args, { stdio: 'ignore' })
  const started = await Promise.race([
    once(child, 'spawn').then(() => true),
    once(child, 'error').then(() => false),
  ]).catch(() => false)
  return started ? child : null
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

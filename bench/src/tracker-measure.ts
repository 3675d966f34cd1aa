import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Crowd, LoadCommand, LoadReading, LoadReply } from './tracker-load.js'
import type { Scenario } from './tracker-scenarios.js'
import type { TargetServer } from './tracker-targets.js'

/** One measurement. */
export interface Sample {
  /** Messages to clients for each second of the servers' CPU time, user and system. */
  readonly responsesPerCpuSecond: number
  /**
   * Resident memory that each peer of the second half of them added by announcing itself once, in
   * bytes; the kernel's part is not in it.
   */
  readonly rssPerPeerBytes: number
  /** From an announce to its reply, under full load. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly responsesPerSecond: number
  readonly responsesPerAnnounce: number
  /** Announces that were given up, of 1000. */
  readonly lostPerMille: number
}

export interface Measurement {
  readonly scenario: Scenario['name']
  /** The server is the echo. */
  readonly echo: boolean
  readonly connections: number
  readonly responses: number
  readonly seed: number
  readonly crowd?: Crowd
}

/** Responses of each server that are left out of a measurement: just-in-time compilation. */
const WARM_UP_RESPONSES = 100_000

/** Longest wait for the responses of one measurement, in ms. */
const PATIENCE_MS = 60_000

/** For the server to come to rest before its memory is read, in ms; the load waits as long at half. */
const SETTLE_MS = 1000

/** Announces that are under way at once: more would measure the queue. */
const AT_ONCE = 1000

const LOAD = fileURLToPath(new URL('./tracker-load.js', import.meta.url))

/**
 * Puts load on servers that have just been started: on one, or on several of one tracker.
 *
 * @throws when a socket ends or the load does
 */
export async function measure(
  servers: readonly TargetServer[],
  { scenario, echo, connections, responses, seed, crowd }: Measurement,
): Promise<Sample> {
  const load = fork(LOAD)
  const ended = once(load, 'exit').then(() => [{ type: 'failed', reason: 'the load has ended' }])
  const ask = <T extends LoadReply['type']>(command: LoadCommand, expected: T) => {
    load.send(command)
    return reply(expected)
  }
  const reply = async <T extends LoadReply['type']>(expected: T) => {
    const [answer] = (await Promise.race([once(load, 'message'), ended])) as [LoadReply]
    if (answer.type !== expected) throw new Error(JSON.stringify(answer))
    return answer as Extract<LoadReply, { type: T }>
  }
  const sum = (read: (server: TargetServer) => number) =>
    servers.reduce((total, server) => total + read(server), 0)
  const cpuMs = () => sum((server) => server.cpuMs())
  const rssBytes = () => sum((server) => server.rssBytes())
  try {
    const ports = servers.map(({ port }) => port)
    // The second half of the peers: the first one has had the server's code compiled and its heap grown.
    await ask({ type: 'join', ports, scenario, echo, connections, seed, crowd: crowd ?? null }, 'half')
    const joined = reply('joined')
    await later(SETTLE_MS / 2)
    const before = rssBytes()
    await joined
    await later(SETTLE_MS)
    const rssPerPeerBytes = Math.round((rssBytes() - before) / (connections / 2))
    load.send({ type: 'start', atOnce: Math.min(connections, AT_ONCE) } satisfies LoadCommand)
    await ask(
      { type: 'count', responses: WARM_UP_RESPONSES * servers.length, patienceMs: PATIENCE_MS },
      'reading',
    )
    const [cpu, start] = [cpuMs(), performance.now()]
    const reading = await ask({ type: 'count', responses, patienceMs: PATIENCE_MS }, 'reading')
    return {
      ...sampleOf(reading, (cpuMs() - cpu) / 1000, (performance.now() - start) / 1000),
      rssPerPeerBytes,
    }
  } finally {
    load.kill('SIGKILL')
  }
}

function sampleOf(
  reading: LoadReading,
  cpuSeconds: number,
  seconds: number,
): Omit<Sample, 'rssPerPeerBytes'> {
  const { responses, announces, lost, p50Ms, p99Ms } = reading
  return {
    responsesPerCpuSecond: Math.round(responses / cpuSeconds),
    responsesPerSecond: Math.round(responses / seconds),
    responsesPerAnnounce: Number((responses / announces).toFixed(2)),
    lostPerMille: Number(((1000 * lost) / announces).toFixed(2)),
    p50Ms,
    p99Ms,
  }
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

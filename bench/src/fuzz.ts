import type { BenchOptions } from './cli.js'
import { FuzzClient, type FuzzTally } from './fuzz-clients.js'
import { HonestProcess } from './fuzz-honest.js'
import { TargetServer } from './tracker-targets.js'

const DEFAULT_MESSAGES = 100_000
const QUICK_MESSAGES = 10_000

/** Hostile clients at once. */
const CLIENTS = 32

/** Share of the messages after which memory is measured first: buffers and compiled code are there then. */
const WARM_UP_SHARE = 0.1

/** Memory that a run may leave behind, in MiB: the collector keeps some, a leak grows with the messages. */
const MAX_GROWTH_MIB = 64

/** Time before the attack in which the honest pair shows what is usual, in ms; it has at least ten rounds. */
const QUIET_MS = 1200
const QUIET_ROUNDS = 10

/** Time in which the tracker is to forget what has gone, in ms. */
const SETTLE_MS = 15_000

/** One run against one engine. */
export interface FuzzRow {
  readonly engine: 'uws' | 'ws'
  readonly seed: number
  readonly messages: number
  readonly sockets: number
  readonly endedByTracker: number
  readonly badHandshakes: number
  readonly seconds: number
  /** Messages that the tracker answered with a failure. */
  readonly refused: number
  readonly rssMiB: {
    readonly start: number
    readonly warm: number
    readonly peak: number
    readonly end: number
  }
  /** `quietP50Ms`: before the attack. */
  readonly honest: {
    readonly rounds: number
    readonly quietP50Ms: number
    readonly p50Ms: number
    readonly p99Ms: number
    readonly maxMs: number
  }
  /** What must not be; empty when all is well. */
  readonly faults: readonly string[]
}

export async function run({ quick, fuzz }: BenchOptions): Promise<{ readonly rows: FuzzRow[] }> {
  const messages = fuzz.messages ?? (quick ? QUICK_MESSAGES : DEFAULT_MESSAGES)
  const rows: FuzzRow[] = []
  for (const engine of ['uws', 'ws'] as const) {
    rows.push(await fuzzEngine(engine, messages, fuzz.seed ?? Date.now() % 1_000_000))
    console.error(JSON.stringify(rows.at(-1)))
  }
  const faults = rows.flatMap((row) => row.faults.map((fault) => `${row.engine}: ${fault}`))
  if (faults.length > 0) throw new Error(faults.slice(0, 20).join('\n'))
  return { rows }
}

/** Sends so many hostile messages to a tracker of its own, while two honest clients look on. */
export async function fuzzEngine(engine: 'uws' | 'ws', messages: number, seed: number): Promise<FuzzRow> {
  const server = await TargetServer.start(`shoal-${engine}`)
  let watching: NodeJS.Timeout | undefined
  let honest: HonestProcess | undefined
  try {
    const { port } = server
    const rss = () => Math.round(server.rssBytes() / 2 ** 20)
    const started = rss()
    let peak = started
    watching = setInterval(() => {
      peak = Math.max(peak, rss())
    }, 200)
    const start = performance.now()
    honest = await HonestProcess.start(port)
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    const tally: FuzzTally = { messages: 0, sockets: 0, ended: 0, silent: 0, handshakes: 0 }
    const attack = async (limit: number, salt: number) => {
      const clients = Array.from(
        { length: CLIENTS },
        (_, i) => new FuzzClient(port, seed + i + salt, tally, limit),
      )
      await Promise.all(clients.map((client) => client.run()))
    }
    await attack(Math.ceil(messages * WARM_UP_SHARE), 0)
    await settled(port)
    const warm = rss()
    await attack(messages, 1000)
    const left = await settled(port)
    const report = await honest.stop()
    const end = rss()
    const faults = [...report.faults, ...left]
    if (tally.silent > 0) faults.push(`${tally.silent} sockets were neither answered nor ended`)
    if (end - warm > MAX_GROWTH_MIB) faults.push(`memory grew from ${warm} to ${end} MiB`)
    return {
      engine,
      seed,
      messages: tally.messages,
      sockets: tally.sockets,
      endedByTracker: tally.ended,
      badHandshakes: tally.handshakes,
      seconds: Math.round((performance.now() - start) / 100) / 10,
      refused: await metric(port, 'shoal_tracker_messages_total{kind="failed"}'),
      rssMiB: { start: started, warm, peak, end },
      honest: summary(report.times),
      faults,
    }
  } finally {
    clearInterval(watching)
    honest?.kill()
    await server.stop()
  }
}

function summary(times: readonly number[]): FuzzRow['honest'] {
  const at = (list: readonly number[], share: number) => {
    const sorted = [...list].sort((a, b) => a - b)
    return Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 10) / 10
  }
  return {
    rounds: times.length,
    quietP50Ms: at(times.slice(0, QUIET_ROUNDS), 0.5),
    p50Ms: at(times.slice(QUIET_ROUNDS), 0.5),
    p99Ms: at(times.slice(QUIET_ROUNDS), 0.99),
    maxMs: at(times, 1),
  }
}

/** Waits until the tracker has only the honest two left; what else it has is what is returned. */
async function settled(port: number): Promise<string[]> {
  const deadline = performance.now() + SETTLE_MS
  for (;;) {
    const stats = (await (await fetch(`http://127.0.0.1:${port}/stats.json`)).json()) as {
      readonly sockets: number
      readonly swarms: number
      readonly others: number
    }
    const { sockets, swarms, others } = stats
    if (sockets === 2 && swarms === 1 && others === 2) return []
    if (performance.now() > deadline) return [`left behind: ${JSON.stringify({ sockets, swarms, others })}`]
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function metric(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const line = text.split('\n').find((candidate) => candidate.startsWith(name))
  return Number(line?.slice(name.length) ?? Number.NaN)
}

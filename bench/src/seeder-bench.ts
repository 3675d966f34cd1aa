import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchOptions } from './cli.js'
import { HeldCandidates } from './seeder-candidates.js'
import { CONTENT_ID, type DirectAddress, SEGMENT_BYTES, SEGMENT_MS } from './seeder-messages.js'
import { allOpen, later, residentBytes, Service, Worker } from './seeder-processes.js'
import { processCpuMs } from './transport-process-tree.js'

/** Medians of the rounds. A megabyte is 10^6 bytes. */
export interface SeederRow {
  readonly viewers: number
  readonly target: 'shoal' | 'bare'
  /** What all viewers received together: verified pieces, or payload of the bare channel. */
  readonly megabytesPerSecond: number
  /** CPU of the sending process, all its threads. */
  readonly cpuMsPerMegabyte: number
  /** Segments that came later than a player at 2 Mbit/s wants them; the bare channel has no segments. */
  readonly missedDeadlines: number | null
  /** Growth of the sender's resident memory from before the first connection to the end. */
  readonly rssPerViewerBytes: number
}

interface Sample extends Omit<SeederRow, 'viewers' | 'target'> {
  readonly asked: number
}

export interface SeederResult {
  readonly bench: 'seeder'
  readonly rounds: number
  readonly secondsPerRow: number
  /** Loads that turned to HTTP, which nobody answers: their segments are missing in the goodput. */
  readonly askedOrigin: number
  readonly rows: readonly SeederRow[]
}

const VIEWERS = new URL('./seeder-viewers.js', import.meta.url)
const BARE_SENDER = new URL('./seeder-bare.js', import.meta.url)

/** Segments of the title: looped over, each viewer at its own pace. */
const SEGMENTS = 16
const VIEWERS_PER_PROCESS = 25
/** From the last connection to the start: the seeder tells what it has. */
const SETTLE_MS = 1_000

/** One seeder process that feeds Node viewers over real data channels, beside a bare sender. */
export async function run({ quick }: BenchOptions): Promise<SeederResult> {
  const rounds = quick ? 1 : 3
  const seconds = quick ? 5 : 10
  const counts = quick ? [1, 10, 50] : [1, 10, 50, 200]
  const samples = new Map<string, Sample[]>()
  const folder = mkdtempSync(join(tmpdir(), 'shoal-bench-'))
  try {
    writeTitle(folder)
    for (let round = 0; round < rounds; round++) {
      for (const viewers of counts) {
        for (const target of ['bare', 'shoal'] as const) {
          const sample =
            target === 'bare'
              ? await bareSample(viewers, seconds)
              : await shoalSample(folder, viewers, seconds)
          const name = `${viewers} ${target}`
          samples.set(name, [...(samples.get(name) ?? []), sample])
          console.error(
            `${name}: ${sample.megabytesPerSecond.toFixed(1)} MB/s, ${sample.cpuMsPerMegabyte.toFixed(1)} ms/MB`,
          )
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  const rows = counts.flatMap((viewers) =>
    (['bare', 'shoal'] as const).map((target) =>
      rowOf(viewers, target, samples.get(`${viewers} ${target}`) ?? []),
    ),
  )
  const askedOrigin = [...samples.values()].flat().reduce((sum, { asked }) => sum + asked, 0)
  return { bench: 'seeder', rounds, secondsPerRow: seconds, askedOrigin, rows }
}

function writeTitle(folder: string): void {
  const lines = ['#EXTM3U', `#EXT-X-TARGETDURATION:${SEGMENT_MS / 1000}`]
  for (let i = 0; i < SEGMENTS; i++) {
    writeFileSync(join(folder, `${i}.ts`), randomBytes(SEGMENT_BYTES))
    lines.push(`#EXTINF:${SEGMENT_MS / 1000},`, `${i}.ts`)
  }
  writeFileSync(join(folder, 'v.m3u8'), `${[...lines, '#EXT-X-ENDLIST'].join('\n')}\n`)
}

async function shoalSample(folder: string, viewers: number, seconds: number): Promise<Sample> {
  const services: Service[] = []
  const workers: Worker[] = []
  try {
    const tracker = await Service.start(
      'tracker/bin/shoal-tracker.js',
      ['--port', '0', '--host', '127.0.0.1', '--json'],
      { SHOAL_TRACKER_LOG_LEVEL: 'error' },
    )
    services.push(tracker)
    const url = new URL((tracker.ready as { readonly url: string }).url)
    const args = [
      folder,
      '--content-id',
      CONTENT_ID,
      '--tracker',
      `ws://${url.host}`,
      '--direct-port',
      '0',
      '--json',
    ]
    const seeder = await Service.start('seeder/bin/shoal-seeder.js', [...args, '--log-level', 'error'], {
      SHOAL_SEEDER_WEBRTC_BIND_ADDRESS: '127.0.0.1',
      SHOAL_SEEDER_MAX_LINKS: String(viewers + 10),
    })
    services.push(seeder)
    const { direct } = seeder.ready as { readonly direct: DirectAddress }
    // All segments are hashed and offered, and the tracker is connected.
    await later(SETTLE_MS)
    const before = residentBytes(seeder.pid)
    for (let left = viewers; left > 0; left -= VIEWERS_PER_PROCESS) {
      const worker = new Worker(VIEWERS, () => undefined)
      workers.push(worker)
      worker.tell({ type: 'join', viewers: Math.min(left, VIEWERS_PER_PROCESS), direct, segments: SEGMENTS })
    }
    await allOpen(workers, viewers)
    return await measure(seeder.pid, before, workers, [], viewers, seconds)
  } finally {
    await Promise.all(workers.map((worker) => worker.end()))
    for (const service of services.reverse()) await service.end()
  }
}

async function bareSample(viewers: number, seconds: number): Promise<Sample> {
  const workers: Worker[] = []
  const workerOf = (end: number) => workers[Math.floor(end / VIEWERS_PER_PROCESS)]
  const held = new HeldCandidates()
  const sender = new Worker(BARE_SENDER, (reply) => {
    for (const ready of held.offerers(reply)) workerOf(ready.end)?.tell(ready)
  })
  try {
    for (let first = 0; first < viewers; first += VIEWERS_PER_PROCESS) {
      const worker = new Worker(VIEWERS, (reply) => {
        sender.tell(reply)
        for (const ready of held.answered(reply)) worker.tell(ready)
      })
      workers.push(worker)
      worker.tell({ type: 'bare', first, viewers: Math.min(viewers - first, VIEWERS_PER_PROCESS) })
    }
    await later(SETTLE_MS)
    const before = residentBytes(sender.pid)
    sender.tell({ type: 'bare', first: 0, viewers })
    await allOpen(workers, viewers)
    const sample = await measure(sender.pid, before, workers, [sender], viewers, seconds)
    return { ...sample, missedDeadlines: null }
  } finally {
    await Promise.all([sender, ...workers].map((worker) => worker.end()))
  }
}

async function measure(
  pid: number,
  rssBefore: number,
  workers: readonly Worker[],
  senders: readonly Worker[],
  viewers: number,
  seconds: number,
): Promise<Sample> {
  await later(SETTLE_MS)
  for (const worker of [...workers, ...senders]) worker.tell({ type: 'go' })
  const began = performance.now()
  const cpu = processCpuMs(pid)
  const bytes = await total(workers, 'bytes')
  await later(seconds * 1000)
  const megabytes = ((await total(workers, 'bytes')) - bytes) / 1e6
  const usedMs = processCpuMs(pid) - cpu
  const took = (performance.now() - began) / 1000
  return {
    megabytesPerSecond: megabytes / took,
    cpuMsPerMegabyte: usedMs / megabytes,
    missedDeadlines: await total(workers, 'missedDeadlines'),
    rssPerViewerBytes: Math.round((residentBytes(pid) - rssBefore) / viewers),
    asked: await total(workers, 'asked'),
  }
}

async function total(
  workers: readonly Worker[],
  what: 'bytes' | 'missedDeadlines' | 'asked',
): Promise<number> {
  const readings = await Promise.all(workers.map((worker) => worker.read()))
  return readings.reduce((sum, reading) => sum + reading[what], 0)
}

function rowOf(viewers: number, target: 'shoal' | 'bare', samples: readonly Sample[]): SeederRow {
  const median = (of: (sample: Sample) => number) => {
    const sorted = samples.map(of).sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  }
  const rounded = (value: number) => Math.round(value * 100) / 100
  return {
    viewers,
    target,
    megabytesPerSecond: rounded(median((sample) => sample.megabytesPerSecond)),
    cpuMsPerMegabyte: rounded(median((sample) => sample.cpuMsPerMegabyte)),
    missedDeadlines: target === 'bare' ? null : median((sample) => sample.missedDeadlines ?? 0),
    rssPerViewerBytes: median((sample) => sample.rssPerViewerBytes),
  }
}

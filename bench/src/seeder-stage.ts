import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HeldCandidates } from './seeder-candidates.js'
import { CONTENT_ID, type DirectAddress, type Play } from './seeder-messages.js'
import { allOpen, later, residentBytes, Service, Worker } from './seeder-processes.js'
import { processCpuMs } from './transport-process-tree.js'

/** One measurement; a megabyte is 10^6 bytes. */
export interface Sample {
  /** What all viewers received together: verified pieces, or payload of the bare channel. */
  readonly megabytesPerSecond: number
  /** CPU of the sending process, all its threads. */
  readonly cpuMsPerMegabyte: number
  readonly cpuMsPerMegabyteViewers: number
  /** Cores that the sending process was busy on. */
  readonly senderCores: number
  readonly missedDeadlines: number
  readonly rssPerViewerBytes: number
  /** What came twice or in vain, over what came. */
  readonly wastedShare: number
  /** Loads that turned to HTTP. */
  readonly asked: number
}

/** A seeder with its viewers, or a bare sender with its receivers. */
export interface Stage {
  readonly senderPid: number
  readonly workers: readonly Worker[]
  readonly senders: readonly Worker[]
  readonly viewers: number
  /** Of the sender, before the first connection. */
  readonly rssBefore: number
  end(): Promise<void>
}

const VIEWERS = new URL('./seeder-viewers.js', import.meta.url)
const BARE_SENDER = new URL('./seeder-bare.js', import.meta.url)

/** Viewers of a process, at least and at most: each process is 70 MB, and compiles everything for itself. */
const MIN_VIEWERS_PER_PROCESS = 25
const MAX_VIEWERS_PER_PROCESS = 100
/**
 * From the start to the first reading, in milliseconds: windows have grown, and the compilers of each process,
 * which took a quarter of the viewers' time in the first five seconds, have done most of their work.
 */
const WARM_UP_MS = 4_000
/** From the last connection to the start: the seeder tells what it has. */
const SETTLE_MS = 1_000

/** Two processes, one for each of two cores, as long as none has too few or too many. */
function viewersPerProcess(viewers: number): number {
  return Math.min(MAX_VIEWERS_PER_PROCESS, Math.max(MIN_VIEWERS_PER_PROCESS, Math.ceil(viewers / 2)))
}

/** A title on demand in a folder. */
export function writeTitle(folder: string, { segments, segmentMs, segmentBytes }: Play): void {
  const lines = ['#EXTM3U', `#EXT-X-TARGETDURATION:${segmentMs / 1000}`]
  for (let i = 0; i < segments; i++) {
    writeFileSync(join(folder, `${i}.ts`), randomBytes(segmentBytes))
    lines.push(`#EXTINF:${segmentMs / 1000},`, `${i}.ts`)
  }
  writeFileSync(join(folder, 'v.m3u8'), `${[...lines, '#EXT-X-ENDLIST'].join('\n')}\n`)
}

/** @param core the only core that the seeder may use; null for any */
export async function shoalStage(
  folder: string,
  viewers: number,
  play: Play,
  core: number | null,
): Promise<Stage> {
  const services: Service[] = []
  const workers: Worker[] = []
  const end = async () => {
    await Promise.all(workers.map((worker) => worker.end()))
    for (const service of services.reverse()) await service.end()
  }
  try {
    const tracker = await Service.start(
      'tracker/bin/shoal-tracker.js',
      ['--port', '0', '--host', '127.0.0.1', '--json'],
      { SHOAL_TRACKER_LOG_LEVEL: 'error' },
    )
    services.push(tracker)
    const { host } = new URL((tracker.ready as { readonly url: string }).url)
    const seeder = await Service.start(
      'seeder/bin/shoal-seeder.js',
      [folder, '--content-id', CONTENT_ID, '--tracker', `ws://${host}`, '--direct-port', '0', '--json'],
      {
        SHOAL_SEEDER_LOG_LEVEL: 'error',
        SHOAL_SEEDER_WEBRTC_BIND_ADDRESS: '127.0.0.1',
        SHOAL_SEEDER_MAX_LINKS: String(viewers + 10),
      },
      core,
    )
    services.push(seeder)
    const { direct } = seeder.ready as { readonly direct: DirectAddress }
    // All segments are hashed and offered, and the tracker is connected.
    await later(SETTLE_MS)
    const rssBefore = residentBytes(seeder.pid)
    const perProcess = viewersPerProcess(viewers)
    for (let first = 0; first < viewers; first += perProcess) {
      const worker = new Worker(VIEWERS, () => undefined)
      workers.push(worker)
      const count = Math.min(viewers - first, perProcess)
      worker.tell({ type: 'join', first, viewers: count, of: viewers, direct, play })
    }
    await allOpen(workers, viewers)
    await later(SETTLE_MS)
    return { senderPid: seeder.pid, workers, senders: [], viewers, rssBefore, end }
  } catch (error) {
    await end()
    throw error
  }
}

export async function bareStage(viewers: number): Promise<Stage> {
  const workers: Worker[] = []
  const perProcess = viewersPerProcess(viewers)
  const workerOf = (end: number) => workers[Math.floor(end / perProcess)]
  const held = new HeldCandidates()
  const sender = new Worker(BARE_SENDER, (reply) => {
    for (const ready of held.offerers(reply)) workerOf(ready.end)?.tell(ready)
  })
  const end = async () => {
    await Promise.all([sender, ...workers].map((worker) => worker.end()))
  }
  try {
    for (let first = 0; first < viewers; first += perProcess) {
      const worker = new Worker(VIEWERS, (reply) => {
        sender.tell(reply)
        for (const ready of held.answered(reply)) worker.tell(ready)
      })
      workers.push(worker)
      worker.tell({ type: 'bare', first, viewers: Math.min(viewers - first, perProcess) })
    }
    await later(SETTLE_MS)
    const rssBefore = residentBytes(sender.pid)
    sender.tell({ type: 'bare', first: 0, viewers })
    await allOpen(workers, viewers)
    await later(SETTLE_MS)
    return { senderPid: sender.pid, workers, senders: [sender], viewers, rssBefore, end }
  } catch (error) {
    await end()
    throw error
  }
}

/** Starts the viewers, warms up and measures for so long; deadlines count from the start; `rss` is told the sender's resident bytes every 5 s. */
export async function measure(
  { senderPid, workers, senders, viewers, rssBefore }: Stage,
  seconds: number,
  rss: (bytes: number) => void = () => undefined,
): Promise<Sample> {
  for (const worker of [...workers, ...senders]) worker.tell({ type: 'go' })
  await later(WARM_UP_MS)
  const began = performance.now()
  const cpu = processCpuMs(senderPid)
  const cpuOfViewers = () => workers.reduce((sum, { pid }) => sum + processCpuMs(pid), 0)
  const viewersCpu = cpuOfViewers()
  const bytes = await total(workers, 'bytes')
  const timer = setInterval(() => rss(residentBytes(senderPid)), 5_000)
  await later(seconds * 1000)
  clearInterval(timer)
  const megabytes = ((await total(workers, 'bytes')) - bytes) / 1e6
  const usedMs = processCpuMs(senderPid) - cpu
  const took = performance.now() - began
  return {
    megabytesPerSecond: (megabytes / took) * 1000,
    cpuMsPerMegabyte: usedMs / megabytes,
    cpuMsPerMegabyteViewers: (cpuOfViewers() - viewersCpu) / megabytes,
    senderCores: usedMs / took,
    missedDeadlines: await total(workers, 'missedDeadlines'),
    rssPerViewerBytes: Math.round((residentBytes(senderPid) - rssBefore) / viewers),
    asked: await total(workers, 'asked'),
    wastedShare: (await total(workers, 'wasted')) / (await total(workers, 'bytes')),
  }
}

async function total(
  workers: readonly Worker[],
  what: 'bytes' | 'missedDeadlines' | 'asked' | 'wasted',
): Promise<number> {
  const readings = await Promise.all(workers.map((worker) => worker.read()))
  return readings.reduce((sum, reading) => sum + reading[what], 0)
}

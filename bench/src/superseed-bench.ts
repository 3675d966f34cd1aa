import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { BenchOptions } from './cli.js'
import { later, Service } from './seeder-processes.js'
import {
  CONTENT_ID,
  type Command,
  type LiveReading,
  PLAYED_AFTER_MS,
  type Reply,
  SEGMENT_BYTES,
  SEGMENT_MS,
} from './superseed-messages.js'
import { LiveOrigin } from './superseed-origin.js'

/** One run; copies are bytes over those of the counted segments. */
export interface SuperSeedingRow {
  readonly viewers: number
  /** The seeder's uplink over the bitrate; null: without a cap. */
  readonly uplinkX: number | null
  readonly segments: number
  /** What the seeder sent to all viewers. */
  readonly seederCopies: number
  /** What the viewers loaded by HTTP. */
  readonly httpCopies: number
  /** Segments that were not there when their viewer's playback reached them. */
  readonly missedDeadlines: number
  /** From publication to a viewer's having it, by HTTP playlists that are loaded each 2 s. */
  readonly delayP50Ms: number
  readonly delayP95Ms: number
  readonly delayMaxMs: number
  /** What came twice or in vain, over what came. */
  readonly wastedShare: number
  readonly linksPerViewer: number
  /** Viewers that are connected to the seeder. */
  readonly atSeeder: number
}

export interface SuperSeedingResult {
  readonly bench: 'super-seeding'
  readonly bitsPerSecond: number
  readonly viewerUplinkX: number
  readonly playedAfterMs: number
  readonly rows: readonly SuperSeedingRow[]
}

const VIEWERS_MODULE = fileURLToPath(new URL('./superseed-viewers.js', import.meta.url))
const VIEWERS = 30
const VIEWERS_PER_PROCESS = 10
const BYTES_PER_SECOND = (SEGMENT_BYTES * 1000) / SEGMENT_MS
/** Of each viewer, over the bitrate. */
const VIEWER_UPLINK_X = 2
/** The seeder's. */
const UPLINK_X = 1.2
const JOIN_LIMIT_MS = 60_000
/** From the last viewer's connection to what is counted: start-ups are over, the mesh is complete. */
const WARM_UP_SEGMENTS = 5

/** Viewers of a live stream, and a seeder whose uplink is hardly more than one copy of it. */
export async function run({ quick }: BenchOptions): Promise<SuperSeedingResult> {
  const segments = quick ? 6 : 15
  const rows: SuperSeedingRow[] = []
  for (const uplinkX of quick ? [UPLINK_X] : [null, UPLINK_X]) {
    const row = await measure(uplinkX, segments)
    rows.push(row)
    const { seederCopies, httpCopies, missedDeadlines, delayP95Ms } = row
    console.error(
      `uplink ${uplinkX ?? 'without a cap'}: ${seederCopies} copies by the seeder, ${httpCopies} by HTTP, ${missedDeadlines} late, p95 ${delayP95Ms} ms`,
    )
  }
  return {
    bench: 'super-seeding',
    bitsPerSecond: BYTES_PER_SECOND * 8,
    viewerUplinkX: VIEWER_UPLINK_X,
    playedAfterMs: PLAYED_AFTER_MS,
    rows,
  }
}

async function measure(uplinkX: number | null, segments: number): Promise<SuperSeedingRow> {
  const origin = await LiveOrigin.start()
  const services: Service[] = []
  const processes: ChildProcess[] = []
  try {
    const tracker = await Service.start(
      'tracker/bin/shoal-tracker.js',
      ['--port', '0', '--host', '127.0.0.1', '--json'],
      { SHOAL_TRACKER_LOG_LEVEL: 'error' },
    )
    services.push(tracker)
    const trackerUrl = `ws://${new URL((tracker.ready as { readonly url: string }).url).host}`
    const cap = uplinkX === null ? [] : ['--upload-bytes-per-second', String(BYTES_PER_SECOND * uplinkX)]
    const seeder = await Service.start(
      'seeder/bin/shoal-seeder.js',
      [
        origin.playlistUrl,
        '--content-id',
        CONTENT_ID,
        '--tracker',
        trackerUrl,
        '--http-port',
        '0',
        '--host',
        '127.0.0.1',
        '--json',
        ...cap,
      ],
      { SHOAL_SEEDER_LOG_LEVEL: 'warn', SHOAL_SEEDER_WEBRTC_BIND_ADDRESS: '127.0.0.1' },
    )
    services.push(seeder)
    const { url } = seeder.ready as { readonly url: string }
    let joined = 0
    const failures: string[] = []
    const tell = (command: Command) => {
      for (const child of processes) child.send(command)
    }
    for (let i = 0; i < VIEWERS / VIEWERS_PER_PROCESS; i++) {
      const child = fork(VIEWERS_MODULE, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
      processes.push(child)
      child.on('message', (reply: Reply) => {
        if (reply.type === 'joined') joined++
        if (reply.type === 'failed') failures.push(reply.error)
      })
    }
    tell({
      type: 'join',
      viewers: VIEWERS_PER_PROCESS,
      tracker: trackerUrl,
      playlist: origin.playlistUrl,
      uploadBytesPerSecond: BYTES_PER_SECOND * VIEWER_UPLINK_X,
    })
    const limit = performance.now() + JOIN_LIMIT_MS
    while (joined < VIEWERS) {
      if (failures[0] !== undefined) throw new Error(failures[0])
      if (performance.now() > limit) throw new Error(`${joined} of ${VIEWERS} viewers joined`)
      await later(100)
    }
    await later(WARM_UP_SEGMENTS * SEGMENT_MS)
    const from = origin.nextSequence
    const sentBefore = await uploaded(url)
    tell({ type: 'count', from, to: from + segments })
    // The last one is played so long after it is published.
    await later(segments * SEGMENT_MS + PLAYED_AFTER_MS)
    const sent = (await uploaded(url)) - sentBefore
    const readings = (await Promise.all(processes.map(readingsOf))).flat()
    return rowOf(uplinkX, segments, sent, readings)
  } finally {
    for (const child of processes) child.kill('SIGKILL')
    for (const service of services.reverse()) await service.end()
    await origin.close()
  }
}

async function uploaded(url: string): Promise<number> {
  const health = (await (await fetch(`${url}/health`)).json()) as { readonly uploadedBytes: number }
  return health.uploadedBytes
}

function readingsOf(child: ChildProcess): Promise<readonly LiveReading[]> {
  return new Promise((resolve) => {
    child.on('message', (reply: Reply) => {
      if (reply.type === 'reading') resolve(reply.viewers)
    })
    child.send({ type: 'read' } satisfies Command)
  })
}

function rowOf(
  uplinkX: number | null,
  segments: number,
  sent: number,
  readings: readonly LiveReading[],
): SuperSeedingRow {
  const sum = (of: (reading: LiveReading) => number) =>
    readings.reduce((all, reading) => all + of(reading), 0)
  const delays = readings.flatMap((reading) => reading.delays).sort((a, b) => a - b)
  const delay = (share: number) =>
    Math.round(delays[Math.min(delays.length - 1, Math.floor(share * delays.length))] ?? Number.NaN)
  const rounded = (value: number) => Math.round(value * 1000) / 1000
  // Bytes flow for as many durations as there are segments, and those of the last one longer.
  const counted = (segments + PLAYED_AFTER_MS / SEGMENT_MS) * SEGMENT_BYTES
  const came = sum(({ httpBytes, peerBytes, seederBytes }) => httpBytes + peerBytes + seederBytes)
  return {
    viewers: readings.length,
    uplinkX,
    segments,
    seederCopies: rounded(sent / counted),
    httpCopies: rounded(sum(({ httpBytes }) => httpBytes) / counted),
    missedDeadlines: sum(({ missed }) => missed),
    delayP50Ms: delay(0.5),
    delayP95Ms: delay(0.95),
    delayMaxMs: delay(1),
    wastedShare: rounded(sum(({ wastedBytes }) => wastedBytes) / came),
    linksPerViewer: rounded(sum(({ links }) => links) / readings.length),
    atSeeder: sum(({ seeders }) => Math.min(1, seeders)),
  }
}

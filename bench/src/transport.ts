import { fileURLToPath } from 'node:url'
import type { Signal } from '@shoal/protocol'
import { bundleForPage } from '../../e2e/dist/browser/index.js'
import { CELLS, type Cell, type EndKind, pathOf, type Target } from './transport-cells.js'
import { ChromiumEnd, NodeEnd, type Reading, type RemoteEnd } from './transport-ends.js'

export interface TransportOptions {
  /** One round of short measurements. */
  readonly quick: boolean
}

/** Medians of the rounds. A megabyte is 10^6 bytes of messages that arrived; null where none did. */
export interface TransportRow {
  readonly path: string
  readonly target: Target
  readonly messageBytes: number
  readonly megabytesPerSecond: number
  readonly cpuMsPerMegabyteSender: number | null
  readonly cpuMsPerMegabyteReceiver: number | null
  /** Of what was sent within the window; above 1 where the window ended with less under way than it began. */
  readonly arrivedShare: number
}

export interface TransportResult {
  readonly bench: 'transport'
  readonly rounds: number
  readonly windowMs: number
  readonly rows: readonly TransportRow[]
}

interface Sample {
  readonly megabytesPerSecond: number
  readonly cpuMsPerMegabyteSender: number
  readonly cpuMsPerMegabyteReceiver: number
  readonly arrivedShare: number
}

const FULL = { rounds: 3, windowMs: 2000 }
const QUICK = { rounds: 1, windowMs: 1000 }
/** Slow start and just-in-time compilation, left out. */
const WARM_UP_MS = 400
/** For what is still under way to come to rest. */
const BETWEEN_MS = 200
const OPEN_LIMIT_MS = 20_000

/** Goodput and CPU of our link beside the bare channel, all targets in turn within each round. */
export async function run(options: TransportOptions): Promise<TransportResult> {
  const { rounds, windowMs } = options.quick ? QUICK : FULL
  const samples = new Map<Cell, Sample[]>(CELLS.map((cell) => [cell, []]))
  const ends = await launchEnds()
  try {
    for (let round = 0; round < rounds; round++) {
      for (const cell of CELLS) {
        const sample = await measure(cell, ends[cell.sender][0], ends[cell.receiver][1], windowMs)
        samples.get(cell)?.push(sample)
        const rate = sample.megabytesPerSecond.toFixed(1)
        console.error(
          `round ${round + 1}: ${pathOf(cell)} ${cell.target} ${cell.messageBytes} B: ${rate} MB/s`,
        )
      }
    }
  } finally {
    await Promise.all(Object.values(ends).flatMap((pair) => pair.map((end) => end.dispose())))
  }
  const rows = [...samples].map(([cell, taken]) => rowOf(cell, taken))
  return { bench: 'transport', rounds, windowMs, rows }
}

async function launchEnds(): Promise<Record<EndKind, readonly [RemoteEnd, RemoteEnd]>> {
  const entry = fileURLToPath(new URL('./transport-page.js', import.meta.url))
  const script = await bundleForPage({ entry, name: 'shoalTransportPage', minify: true })
  const chromiums = await Promise.all([ChromiumEnd.launch(script), ChromiumEnd.launch(script)])
  return { node: [new NodeEnd(), new NodeEnd()], chromium: chromiums }
}

async function measure(
  cell: Cell,
  sender: RemoteEnd,
  receiver: RemoteEnd,
  windowMs: number,
): Promise<Sample> {
  await connect(cell, sender, receiver)
  await sender.startSending()
  await later(WARM_UP_MS)
  const start = performance.now()
  const before = await Promise.all([sender.read(), receiver.read()])
  await later(windowMs)
  const after = await Promise.all([sender.read(), receiver.read()])
  const seconds = (performance.now() - start) / 1000
  await sender.close()
  await later(BETWEEN_MS)
  await receiver.close()
  await later(BETWEEN_MS)
  return sampleOf(before, after, seconds)
}

function sampleOf(
  [senderBefore, receiverBefore]: readonly [Reading, Reading],
  [senderAfter, receiverAfter]: readonly [Reading, Reading],
  seconds: number,
): Sample {
  const megabytes = (receiverAfter.received - receiverBefore.received) / 1e6
  return {
    megabytesPerSecond: megabytes / seconds,
    cpuMsPerMegabyteSender: (senderAfter.cpuMs - senderBefore.cpuMs) / megabytes,
    cpuMsPerMegabyteReceiver: (receiverAfter.cpuMs - receiverBefore.cpuMs) / megabytes,
    arrivedShare: (megabytes * 1e6) / (senderAfter.sent - senderBefore.sent),
  }
}

/** Opens the connection; a browser offers where there is one, and the offerer's candidates are held. */
async function connect(cell: Cell, sender: RemoteEnd, receiver: RemoteEnd): Promise<void> {
  const senderOffers = cell.sender === 'chromium' || cell.receiver === 'node'
  const [offerer, answerer] = senderOffers ? [sender, receiver] : [receiver, sender]
  const { target, messageBytes } = cell
  const held: Signal[] = []
  let answered = false
  let open = 0
  await new Promise<void>((resolve, reject) => {
    const limit = setTimeout(
      () => reject(new Error(`${pathOf(cell)} ${target}: no connection`)),
      OPEN_LIMIT_MS,
    )
    const opened = () => {
      open++
      if (open < 2) return
      clearTimeout(limit)
      resolve()
    }
    const fromOfferer = (signal: Signal) => {
      if (signal.kind === 'candidate' && !answered) held.push(signal)
      else answerer.signal(signal).catch(reject)
    }
    const fromAnswerer = (signal: Signal) => {
      offerer.signal(signal).catch(reject)
      if (signal.kind !== 'description') return
      answered = true
      for (const candidate of held.splice(0)) answerer.signal(candidate).catch(reject)
    }
    answerer
      .open({ target, messageBytes, role: 'answerer' }, fromAnswerer, opened)
      .then(() => offerer.open({ target, messageBytes, role: 'offerer' }, fromOfferer, opened))
      .catch(reject)
  })
}

function rowOf(cell: Cell, samples: readonly Sample[]): TransportRow {
  const median = (value: (sample: Sample) => number) => {
    const sorted = samples.map(value).sort((a, b) => a - b)
    return Number((sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(2))
  }
  return {
    path: pathOf(cell),
    target: cell.target,
    messageBytes: cell.messageBytes,
    megabytesPerSecond: median((sample) => sample.megabytesPerSecond),
    cpuMsPerMegabyteSender: finite(median((sample) => sample.cpuMsPerMegabyteSender)),
    cpuMsPerMegabyteReceiver: finite(median((sample) => sample.cpuMsPerMegabyteReceiver)),
    arrivedShare: median((sample) => sample.arrivedShare),
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

import { webcrypto } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { compileFunction } from 'node:vm'
import { chromium } from 'playwright-core'
import { bundleForPage, CHROMIUM_ARGS, chromiumPath } from '../../e2e/dist/browser/index.js'
import type { BenchOptions } from './cli.js'
import { PARTS, type Part, SEGMENT_BYTES } from './integrity-parts.js'
import { processCpuMs, processTreeCpuMs } from './transport-process-tree.js'

/** Medians of the rounds. A megabyte is 10^6 bytes of a segment. */
export interface IntegrityRow {
  readonly where: 'node' | 'chromium'
  /** `verify` is `signature` and `hash`; `sign` is what a seeder does; `copy` is the control. */
  readonly part: Part
  /** All threads of the process, in Chromium of all its processes. */
  readonly cpuMsPerMegabyte: number
  /** Of one core, at 8 Mbit/s. */
  readonly coreShareAt8Mbit: number
}

export interface IntegrityResult {
  readonly bench: 'integrity'
  readonly rounds: number
  readonly segmentBytes: number
  /** Cost of `verify`, in Node and in Chromium; at most 0.02. */
  readonly nodeShare: number
  readonly chromiumShare: number
  readonly rows: readonly IntegrityRow[]
}

/** Where the work is done, and what its processor time is. */
interface Place {
  readonly where: IntegrityRow['where']
  run(part: Part, segments: number): Promise<void>
  cpuMs(): number
  close(): Promise<void>
}

/** Megabytes per second of an 8 Mbit/s stream. */
const MEGABYTES_PER_SECOND = 1
/** A signature is a thousandth of a segment's cost: as many as can be told from nothing by a clock of 10 ms. */
const SIGNATURES_PER_SEGMENT = 40

/** What it costs to check, and to sign, a segment of 8 Mbit/s: the player's own code over real WebCrypto. */
export async function run({ quick }: BenchOptions): Promise<IntegrityResult> {
  const rounds = quick ? 3 : 7
  const segments = quick ? 25 : 100
  const samples = new Map<string, number[]>()
  const entry = fileURLToPath(new URL('./integrity-page.js', import.meta.url))
  const script = await bundleForPage({ entry, name: 'shoalIntegrityPage', minify: true })
  const places = [await nodePlace(script), await chromiumPlace(script)]
  try {
    for (const place of places) for (const part of PARTS) await place.run(part, 4)
    for (let round = 0; round < rounds; round++) {
      for (const part of PARTS) {
        for (const place of places) {
          const times = part === 'signature' ? SIGNATURES_PER_SEGMENT : 1
          const before = place.cpuMs()
          await place.run(part, segments * times)
          const used = (place.cpuMs() - before) / times
          const name = `${place.where} ${part}`
          samples.set(name, [...(samples.get(name) ?? []), used / ((segments * SEGMENT_BYTES) / 1e6)])
        }
      }
      console.error(`round ${round + 1} of ${rounds}`)
    }
  } finally {
    for (const place of places) await place.close()
  }
  const rows = places.flatMap(({ where }) =>
    PARTS.map((part): IntegrityRow => {
      const sorted = [...(samples.get(`${where} ${part}`) ?? [])].sort((a, b) => a - b)
      const cost = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
      const share = (cost * MEGABYTES_PER_SECOND) / 1000
      return { where, part, cpuMsPerMegabyte: rounded(cost, 3), coreShareAt8Mbit: rounded(share, 6) }
    }),
  )
  const shareOf = (where: IntegrityRow['where']) =>
    rows.find((row) => row.where === where && row.part === 'verify')?.coreShareAt8Mbit ?? Number.NaN
  return {
    bench: 'integrity',
    rounds,
    segmentBytes: SEGMENT_BYTES,
    nodeShare: shareOf('node'),
    chromiumShare: shareOf('chromium'),
    rows,
  }
}

/** The page's script in this process. */
async function nodePlace(script: string): Promise<Place> {
  const window = { crypto: webcrypto } as unknown as Window
  compileFunction(script, ['window'])(window)
  await window.integrity.prepare()
  return {
    where: 'node',
    run: (part, segments) => window.integrity.run(part, segments),
    cpuMs: () => processCpuMs(process.pid),
    close: async () => undefined,
  }
}

async function chromiumPlace(script: string): Promise<Place> {
  const server = await chromium.launchServer({ executablePath: chromiumPath(), args: [...CHROMIUM_ARGS] })
  const browser = await chromium.connect(server.wsEndpoint())
  const page = await browser.newPage()
  // WebCrypto is there in a secure context alone; nobody listens at this address.
  await page.route('http://localhost/', (route) => route.fulfill({ contentType: 'text/html', body: '' }))
  await page.goto('http://localhost/')
  await page.addScriptTag({ content: script })
  await page.evaluate(() => window.integrity.prepare())
  return {
    where: 'chromium',
    run: (part, segments) =>
      page.evaluate(([part, segments]) => window.integrity.run(part, segments), [part, segments] as const),
    cpuMs: () => processTreeCpuMs(server.process().pid ?? 0),
    close: () => server.close(),
  }
}

function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits
}

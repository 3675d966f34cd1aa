import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import {
  CHROMIUM_ARGS,
  chromiumPath,
  HLS_JS,
  PLUGIN,
  type Program,
  startPageServer,
  startProgram,
} from '../../e2e/dist/browser/index.js'
import { DEFAULT_SAMPLE_ROOT, makeVod, startOrigin } from '../../e2e/dist/sample/index.js'
import type { BenchOptions } from './cli.js'
import { spread } from './swarm-statistics.js'

/** How a page comes to the seeder. */
const WAYS = ['tracked', 'dialled', 'dialled-alone'] as const
type Way = (typeof WAYS)[number]

/** Milliseconds from the navigation, medians of the loads. */
export interface DialRow {
  readonly way: Way
  readonly loads: number
  /** A connection to the seeder is open. */
  readonly openP50Ms: number
  /** The first piece of media came over it. */
  readonly firstPeerByteP50Ms: number
  readonly firstPeerByteP95Ms: number
  readonly firstFrameP50Ms: number
  /** Of the first peer byte, against the tracked load of the same round: median of the ratios. */
  readonly overTracked: number
  /** The same of the first frame. */
  readonly frameOverTracked: number
}

export interface DialResult {
  readonly bench: 'dial'
  readonly rows: readonly DialRow[]
}

interface Load {
  readonly openMs: number
  readonly firstPeerByteMs: number
  readonly firstFrameMs: number
}

declare global {
  interface Window {
    readSeen(): { readonly [K in keyof Load]: number | null } & { readonly seederBytes: number }
  }
}

const ROOT = new URL('../../', import.meta.url)
const HOST = '127.0.0.1'

/** A load without a piece from the seeder by then is an error. */
const LOAD_LIMIT_MS = 30_000

const own = (name: string) => fileURLToPath(new URL(`../page/${name}`, import.meta.url))

const PAGE_FILES = {
  '/dial.html': own('dial.html'),
  '/dial.js': own('dial.js'),
  '/dial-watch.js': own('dial-watch.js'),
  '/hls.js': HLS_JS,
  '/shoal.js': PLUGIN,
}

/** Time from page load to the first byte of a seeder, by its address and through the tracker. */
export async function run({ quick }: BenchOptions): Promise<DialResult> {
  const rounds = quick ? 5 : 21
  await makeVod()
  const origin = await startOrigin({ root: DEFAULT_SAMPLE_ROOT, port: 0 })
  const server = await startPageServer(PAGE_FILES)
  // It tells no addresses: the tracked way is that of offers and answers.
  const tracker = await startShoal('tracker/bin/shoal-tracker.js', [
    ...['--host', HOST, '--port', '0', '--seeder-dial-hand-out', 'false', '--log-level', 'warn'],
  ])
  const { url } = JSON.parse(tracker.ready) as { readonly url: string }
  const announce = url.replace(/^http/, 'ws')
  const src = `${origin.url}/vod/master.m3u8`
  const seeder = await startShoal('seeder/bin/shoal-seeder.js', [
    ...[src, '--tracker', announce, '--direct-port', '0', '--direct-host', HOST, '--log-level', 'warn'],
  ])
  const { dial } = JSON.parse(seeder.ready) as { readonly dial: string }
  const settings: Readonly<Record<Way, object>> = {
    tracked: { tracker: announce },
    dialled: { tracker: announce, network: { seeders: [dial] } },
    'dialled-alone': { network: { seeders: [dial] } },
  }
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS })
  const loads: Record<Way, Load[]> = { tracked: [], dialled: [], 'dialled-alone': [] }
  const pageOf = (way: Way) =>
    `${server.url}/dial.html#${encodeURIComponent(JSON.stringify({ src, shoal: settings[way] }))}`
  try {
    // The first loads fill the caches of browser and seeder, and count for nobody.
    for (const way of WAYS) await loadOnce(browser, pageOf(way))
    for (let round = 0; round < rounds; round++) {
      for (const way of WAYS) {
        const load = await loadOnce(browser, pageOf(way))
        loads[way].push(load)
        console.error(`${way}: open ${load.openMs} ms, first byte ${load.firstPeerByteMs} ms`)
      }
    }
  } finally {
    await browser.close()
    await Promise.all([seeder.stop(), tracker.stop()])
    await server.close()
    await origin.close()
  }
  return { bench: 'dial', rows: WAYS.map((way) => rowOf(way, loads)) }
}

/** One load of the page in a context of its own, as a viewer's who was never here. */
async function loadOnce(browser: Browser, url: string): Promise<Load> {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    await page.goto(url)
    const until = performance.now() + LOAD_LIMIT_MS
    for (;;) {
      const { openMs, firstPeerByteMs, firstFrameMs, seederBytes } = await page.evaluate(() =>
        window.readSeen(),
      )
      const done = openMs !== null && firstPeerByteMs !== null && firstFrameMs !== null
      if (done && seederBytes > 0) {
        return {
          openMs: Math.round(openMs),
          firstPeerByteMs: Math.round(firstPeerByteMs),
          firstFrameMs: Math.round(firstFrameMs),
        }
      }
      if (performance.now() > until) throw new Error(`nothing came from the seeder: ${url}`)
      await page.waitForTimeout(50)
    }
  } finally {
    await context.close()
  }
}

function rowOf(way: Way, all: Readonly<Record<Way, readonly Load[]>>): DialRow {
  const loads = all[way]
  const firstByte = spread(loads.map((load) => load.firstPeerByteMs))
  const median = (values: readonly number[]) => spread(values).median ?? Number.NaN
  return {
    way,
    loads: loads.length,
    openP50Ms: median(loads.map((load) => load.openMs)),
    firstPeerByteP50Ms: firstByte.median ?? Number.NaN,
    firstPeerByteP95Ms: firstByte.p95 ?? Number.NaN,
    firstFrameP50Ms: median(loads.map((load) => load.firstFrameMs)),
    overTracked: median(loads.map((load, round) => ratio(load, all.tracked[round], 'firstPeerByteMs'))),
    frameOverTracked: median(loads.map((load, round) => ratio(load, all.tracked[round], 'firstFrameMs'))),
  }
}

function ratio(load: Load, tracked: Load | undefined, value: keyof Load): number {
  return load[value] / (tracked?.[value] ?? Number.NaN)
}

function startShoal(script: string, args: readonly string[]): Promise<Program> {
  return startProgram(fileURLToPath(new URL(script, ROOT)), [...args, '--json'])
}

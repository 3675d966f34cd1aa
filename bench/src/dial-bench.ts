import { setTimeout } from 'node:timers/promises'
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
import { slowPort } from './slow-port.js'
import { spread } from './swarm-statistics.js'

/** How a page comes to the seeder; `hls.js` has no plugin and comes to none. */
const WAYS = ['hls.js', 'tracked', 'dialled', 'dialled-alone'] as const
type Way = (typeof WAYS)[number]

/** Milliseconds from the navigation, medians of the loads. */
export interface DialRow {
  readonly way: Way
  readonly loads: number
  /** A connection to the seeder is open; null for hls.js alone, as for the next two. */
  readonly openP50Ms: number | null
  /** The first piece of media came over it. */
  readonly firstPeerByteP50Ms: number | null
  readonly firstPeerByteP95Ms: number | null
  readonly firstFrameP50Ms: number
  /** First peer byte against the tracked load of the same round: median of the ratios. */
  readonly overTracked: number | null
  /** First frame later than the tracked load's of the same round: median of the differences. */
  readonly frameAfterTrackedMs: number
  /** The same against hls.js alone. */
  readonly frameAfterHlsMs: number
}

export interface DialResult {
  readonly bench: 'dial'
  readonly rows: readonly DialRow[]
}

interface Load {
  readonly openMs: number | null
  readonly firstPeerByteMs: number | null
  readonly firstFrameMs: number
}

declare global {
  interface Window {
    readSeen(): { readonly [K in keyof Load]: number | null } & { readonly seederBytes: number | null }
  }
}

const ROOT = new URL('../../', import.meta.url)
const HOST = '127.0.0.1'

/** Between a page and the tracker, in milliseconds: as far as the origin is in the bench of swarms. */
const TRACKER_ROUND_TRIP_MS = 40

/** Between two loads: what the last one left behind is cleared away by then. */
const PAUSE_MS = 300

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
  const rounds = quick ? 7 : 21
  await makeVod()
  const origin = await startOrigin({ root: DEFAULT_SAMPLE_ROOT, port: 0 })
  const server = await startPageServer(PAGE_FILES)
  // It tells no addresses: the tracked way is that of offers and answers.
  const tracker = await startShoal('tracker/bin/shoal-tracker.js', [
    ...['--host', HOST, '--port', '0', '--seeder-dial-hand-out', 'false', '--log-level', 'warn'],
  ])
  const { url } = JSON.parse(tracker.ready) as { readonly url: string }
  const announce = url.replace(/^http/, 'ws')
  const slow = await slowPort(Number(new URL(url).port), TRACKER_ROUND_TRIP_MS)
  const far = `ws://${HOST}:${slow.port}`
  const src = `${origin.url}/vod/master.m3u8`
  const seeder = await startShoal('seeder/bin/shoal-seeder.js', [
    ...[src, '--tracker', announce, '--direct-port', '0', '--direct-host', HOST, '--log-level', 'warn'],
  ])
  const { dial } = JSON.parse(seeder.ready) as { readonly dial: string }
  const settings: Readonly<Record<Way, object | null>> = {
    'hls.js': null,
    tracked: { tracker: far },
    dialled: { tracker: far, network: { seeders: [dial] } },
    'dialled-alone': { network: { seeders: [dial] } },
  }
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS })
  const loads: Record<Way, Load[]> = { 'hls.js': [], tracked: [], dialled: [], 'dialled-alone': [] }
  const pageOf = (way: Way) =>
    `${server.url}/dial.html#${encodeURIComponent(JSON.stringify({ src, shoal: settings[way] }))}`
  try {
    // The first loads fill the caches of browser and seeder, and count for nobody.
    for (const way of WAYS) await loadOnce(browser, pageOf(way))
    for (let round = 0; round < rounds; round++) {
      for (const way of inTurn(round)) {
        const load = await loadOnce(browser, pageOf(way))
        loads[way].push(load)
        console.error(`${way}: frame ${load.firstFrameMs} ms, first peer byte ${load.firstPeerByteMs} ms`)
      }
    }
  } finally {
    await browser.close()
    await Promise.all([seeder.stop(), tracker.stop()])
    await slow.close()
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
      const served = openMs !== null && firstPeerByteMs !== null && (seederBytes ?? 0) > 0
      if (firstFrameMs !== null && (served || seederBytes === null)) {
        return {
          openMs: openMs && Math.round(openMs),
          firstPeerByteMs: firstPeerByteMs && Math.round(firstPeerByteMs),
          firstFrameMs: Math.round(firstFrameMs),
        }
      }
      if (performance.now() > until)
        throw new Error(`nothing came from the seeder in ${LOAD_LIMIT_MS} ms: ${url}`)
      await page.waitForTimeout(50)
    }
  } finally {
    await context.close()
    await setTimeout(PAUSE_MS)
  }
}

/** Each way comes first, and after each other one, as often: a load may suffer from the one before it. */
function inTurn(round: number): readonly Way[] {
  const first = round % WAYS.length
  const turned = [...WAYS.slice(first), ...WAYS.slice(0, first)]
  return round % 2 === 0 ? turned : turned.reverse()
}

function rowOf(way: Way, all: Readonly<Record<Way, readonly Load[]>>): DialRow {
  const loads = all[way]
  const values = (value: keyof Load) => loads.map((load) => load[value]).filter((ms) => ms !== null)
  const firstByte = spread(values('firstPeerByteMs'))
  const median = (of: readonly number[]) => spread(of).median ?? Number.NaN
  const frameAfter = (other: Way) =>
    median(loads.map(({ firstFrameMs }, round) => firstFrameMs - (all[other][round]?.firstFrameMs ?? NaN)))
  const ratios = loads.map((load, round) =>
    ratio(load.firstPeerByteMs, all.tracked[round]?.firstPeerByteMs ?? null),
  )
  return {
    way,
    loads: loads.length,
    openP50Ms: spread(values('openMs')).median,
    firstPeerByteP50Ms: firstByte.median,
    firstPeerByteP95Ms: firstByte.p95,
    firstFrameP50Ms: median(values('firstFrameMs')),
    overTracked: spread(ratios.filter((value) => value !== null)).median,
    frameAfterTrackedMs: frameAfter('tracked'),
    frameAfterHlsMs: frameAfter('hls.js'),
  }
}

function ratio(ms: number | null, trackedMs: number | null): number | null {
  return ms === null || trackedMs === null ? null : ms / trackedMs
}

function startShoal(script: string, args: readonly string[]): Promise<Program> {
  return startProgram(fileURLToPath(new URL(script, ROOT)), [...args, '--json'])
}

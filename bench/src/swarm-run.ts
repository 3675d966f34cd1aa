import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TrackerStats } from '@shoal/protocol'
import { chromium, type Page } from 'playwright-core'
import { type LoggedRequest, type Origin, startOrigin } from '../../e2e/dist/sample/index.js'
import type { SwarmSettings } from './swarm-arguments.js'
import { LiveClock } from './swarm-live-clock.js'
import { MachineMeter, type MachineUse } from './swarm-machine.js'
import type { Row } from './swarm-rows.js'
import type { Media } from './swarm-scenarios.js'
import type { Schedule } from './swarm-schedule.js'
import { type Service, startSeeder, startTracker } from './swarm-services.js'
import { openViewer, type ViewerRecord } from './swarm-viewer.js'
import { CHROMIUM_ARGS } from './transport-ends.js'

/** Of a request at the origin, before the first byte. */
const ORIGIN_LATENCY_MS = 40

/** From the last preparation to the first viewer, at least. */
const LEAD_MS = 1500
const SEEDER_LIMIT_MS = 60_000

/** What happened in a row. Times are Unix times in ms. */
export interface RowRun {
  readonly row: Row
  readonly viewers: readonly ViewerRecord[]
  readonly requests: readonly LoggedRequest[]
  /** Null on demand. */
  readonly clock: LiveClock | null
  readonly endedAt: number
  readonly machine: MachineUse
  /** Null without a tracker. */
  readonly tracker: TrackerStats | null
}

/** What the rows of a run share. */
export interface Stage {
  readonly settings: SwarmSettings
  readonly media: Media
  readonly schedule: Schedule
  readonly pageUrl: string
}

/** Plays one row in a browser, with an origin and a tracker of its own. */
export async function runRow(row: Row, stage: Stage): Promise<RowRun> {
  const { settings, media, schedule, pageUrl } = stage
  const { scenario } = settings
  const live = scenario.kind === 'live'
  const ends: (() => Promise<void>)[] = []
  try {
    const origin = await startOrigin({ root: media.root, ...(live ? {} : { live: false }) })
    ends.push(() => origin.close())
    origin.faults.latencyMs = ORIGIN_LATENCY_MS
    const src = `${origin.url}/${scenario.kind}/master.m3u8`
    const tracker = row.tracker ? await startTracker() : null
    if (tracker !== null) ends.push(() => tracker.stop())
    const announceUrl = tracker === null ? null : announceUrlOf(tracker)
    if (row.seeder && announceUrl !== null) {
      const seeder = await startSeeder(src, announceUrl)
      ends.push(() => seeder.stop())
      await seederReady(origin)
    }

    const executablePath = process.env['SHOAL_CHROMIUM'] ?? '/usr/bin/chromium'
    const args = [...CHROMIUM_ARGS, '--autoplay-policy=no-user-gesture-required']
    const server = await chromium.launchServer({ executablePath, args })
    ends.push(() => server.close())
    const browser = await chromium.connect(server.wsEndpoint())
    const pages: Page[] = []
    for (const viewer of schedule.offsetsMs.keys()) pages.push(await openViewer(browser, pageUrl, viewer))

    if (row.limited) origin.faults.limitBandwidth(media.bytesPerSecond * settings.originX)
    const clock = origin.live === null ? null : new LiveClock(origin.live, media.segmentSeconds, Date.now())
    const earliest = Date.now() + LEAD_MS
    const phaseMs = schedule.phase * media.segmentSeconds * 1000
    const startAt = (clock?.nextAfter(earliest) ?? earliest) + phaseMs
    const { player } = row
    await Promise.all(
      pages.map((page, viewer) => {
        const at = startAt + (schedule.offsetsMs[viewer] ?? 0)
        return page.evaluate((start) => window.viewer.start(start), { at, src, player, tracker: announceUrl })
      }),
    )
    await until(startAt)
    const meter = new MachineMeter(server.process().pid ?? 0)
    const endedAt = startAt + (schedule.offsetsMs.at(-1) ?? 0) + settings.seconds * 1000
    const { outage } = scenario
    if (outage !== null) {
      await until(startAt + settings.seconds * 1000 * outage.afterShare)
      await origin.down()
      await sleep(outage.seconds * 1000)
      await origin.up()
    }
    await until(endedAt)
    const viewers = await Promise.all(pages.map((page) => page.evaluate(() => window.viewer.read())))
    const requests = origin.requests.list.map((request) => ({ ...request }))
    const machine = meter.stop()
    const stats = tracker === null ? null : await trackerStats(tracker)
    if (settings.screenshots !== null) await picture(pages, settings.screenshots, row.name)
    return { row, viewers, requests, clock, endedAt, machine, tracker: stats }
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

function announceUrlOf(tracker: Service): string {
  return String(tracker.ready['url']).replace(/^http/, 'ws')
}

async function trackerStats(tracker: Service): Promise<TrackerStats> {
  const response = await fetch(`${tracker.ready['url']}/stats.json`)
  return (await response.json()) as TrackerStats
}

/** Until the seeder has asked for nothing for a second, and all that it asked for has come. */
async function seederReady(origin: Origin): Promise<void> {
  const limit = performance.now() + SEEDER_LIMIT_MS
  for (let [before, quietSince] = [-1, 0]; ; ) {
    const segments = origin.requests.list.filter(({ kind }) => kind === 'segment')
    if (segments.length !== before || segments.some(({ complete }) => !complete)) {
      before = segments.length
      quietSince = performance.now()
    }
    if (segments.length > 0 && performance.now() - quietSince > 1000) return
    if (performance.now() > limit) throw new Error('the seeder does not come to an end with what there is')
    await sleep(50)
  }
}

async function until(time: number): Promise<void> {
  await sleep(Math.max(0, time - Date.now()))
}

async function picture(pages: readonly Page[], folder: string, row: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [viewer, page] of pages.entries()) {
    await page.screenshot({ path: join(folder, `${row}-${viewer}.png`) })
  }
}

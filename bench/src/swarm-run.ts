import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TrackerStats } from '@shoal/protocol'
import type { Page } from 'playwright-core'
import { type LoggedRequest, type Origin, startOrigin } from '../../e2e/dist/sample/index.js'
import { Browsers, type OpenViewer } from './swarm-browsers.js'
import { letHappen, RowTracker, until } from './swarm-events.js'
import { LiveClock } from './swarm-live-clock.js'
import { MachineMeter, type MachineUse } from './swarm-machine.js'
import type { Media } from './swarm-media.js'
import { startSwarmPage } from './swarm-page.js'
import { ViewersPath } from './swarm-path.js'
import { lastingPort } from './swarm-ports.js'
import type { Row } from './swarm-rows.js'
import type { Scenario } from './swarm-scenarios.js'
import type { Schedule } from './swarm-schedule.js'
import { HOST, startSeeder, type TrackerService } from './swarm-services.js'
import { throttle, type ViewerRecord } from './swarm-viewer.js'

/** Of a request at the origin, before the first byte. */
const ORIGIN_LATENCY_MS = 40

/** From the last preparation to the first viewer, at least. */
const LEAD_MS = 1500
const SEEDER_LIMIT_MS = 60_000
/** A viewer whose HTTP may be throttled: not the first, which would be everybody's source. */
const THROTTLED_VIEWER = 1

/** What happened in a row. Times are Unix times in ms. */
export interface RowRun {
  readonly row: Row
  /** By number, which is what the origin's log knows them by. */
  readonly viewers: readonly ViewerRecord[]
  /** The viewer that is no viewer, since it spoils what it sends. */
  readonly polluter: number | null
  /** Viewers that were killed. */
  readonly killed: ReadonlySet<number>
  readonly requests: readonly LoggedRequest[]
  /** Null on demand. */
  readonly clock: LiveClock | null
  readonly endedAt: number
  readonly machine: MachineUse
  /** Of packets between viewers, those that the machine delayed or lost; null without an emulated path. */
  readonly pathLateShare: number | null
  /** Null without a tracker of ours. */
  readonly tracker: TrackerStats | null
}

/** What the rows of a cell share. */
export interface Stage {
  readonly scenario: Scenario
  /** The origin's uplink over the bitrate, null: no limit. */
  readonly originX: number | null
  readonly media: Media
  readonly schedule: Schedule
  /** A folder for a picture of each page at the end, or null. */
  readonly screenshots: string | null
}

/** Plays one row in a browser, with an origin and a tracker of its own. */
export async function runRow(row: Row, stage: Stage): Promise<RowRun> {
  const { scenario, media, schedule, originX } = stage
  const ends: (() => Promise<unknown>)[] = []
  try {
    const path = scenario.path === null ? null : new ViewersPath(scenario.path)
    if (path !== null) ends.push(() => path.close())
    const pageServer = await startSwarmPage()
    ends.push(() => pageServer.close())
    const live = scenario.kind === 'live'
    const port = await lastingPort(HOST)
    const origin = await startOrigin({ root: media.root, port, ...(live ? {} : { live: false }) })
    ends.push(() => origin.close())
    origin.faults.latencyMs = ORIGIN_LATENCY_MS
    const src = `${origin.url}/${scenario.kind}/master.m3u8`
    const tracker = row.tracker === null ? null : await RowTracker.start(row.tracker)
    ends.push(async () => tracker?.service.stop())
    const announce = tracker?.service.announce ?? null
    if (row.seeder && announce !== null) {
      const seeder = await startSeeder(src, announce)
      ends.push(() => seeder.stop())
      await seederReady(origin)
    }

    const apart = scenario.killEverySeconds !== null
    const browsers = new Browsers({ row, pageUrl: pageServer.url, apart, path })
    ends.push(() => browsers.close())
    const opened = await openAll(browsers, stage)

    if (row.limited && originX !== null) origin.faults.limitBandwidth(media.bytesPerSecond * originX)
    const clock = origin.live === null ? null : new LiveClock(origin.live, media.segmentSeconds, Date.now())
    const earliest = Date.now() + LEAD_MS
    const startAt = (clock?.nextAfter(earliest) ?? earliest) + schedule.phase * media.segmentSeconds * 1000
    // With a worker, what hls.js was handed is gone before anybody can look at it.
    const hls = scenario.polluter ? { ...row.hls, enableWorker: false } : row.hls
    const settings = { hls, p2p: row.p2p, tracker: announce }
    await Promise.all(
      opened.map(({ page }, viewer) => {
        const at = startAt + (schedule.visits[viewer]?.comesMs ?? 0)
        const start = { at, src, settings, digests: scenario.polluter }
        return page.evaluate((options) => window.viewer.start(options), start)
      }),
    )
    await until(startAt)
    const meter = new MachineMeter(() => browsers.pids())
    ends.push(async () => meter.stop())
    const endedAt = startAt + schedule.endsMs
    const records = new Map<number, ViewerRecord>()
    const kill = async (viewer: number) => {
      const one = opened[viewer]
      if (one === undefined) return
      records.set(viewer, await read(one.page))
      meter.look()
      one.kill()
    }
    await letHappen(scenario, schedule, startAt, { origin, tracker, kill })
    const killed = new Set(records.keys())
    await Promise.all(
      opened.map(async ({ page }, viewer) => {
        if (!killed.has(viewer)) records.set(viewer, await read(page))
      }),
    )
    const viewers = opened.flatMap((_, viewer) => records.get(viewer) ?? [])
    const requests = origin.requests.list.map((request) => ({ ...request }))
    const machine = meter.stop()
    const pathLateShare = (await path?.lateShare()) ?? null
    const stats = tracker === null ? null : await trackerStats(tracker.service)
    if (stage.screenshots !== null) {
      const staying = opened.filter((_, viewer) => !killed.has(viewer)).map(({ page }) => page)
      await picture(staying, stage.screenshots, row.name)
    }
    return {
      row,
      viewers,
      polluter: polluterOf(scenario),
      killed,
      requests,
      clock,
      endedAt,
      machine,
      pathLateShare,
      tracker: stats,
    }
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

function read(page: Page): Promise<ViewerRecord> {
  return page.evaluate(() => window.viewer.read())
}

/** Opens a page for each visit. Nothing plays yet. */
async function openAll(browsers: Browsers, { scenario, schedule }: Stage): Promise<readonly OpenViewer[]> {
  const opened: OpenViewer[] = []
  for (const viewer of schedule.visits.keys()) {
    opened.push(await browsers.open(viewer, viewer === polluterOf(scenario) ? '?polluter' : ''))
  }
  const throttled = opened[THROTTLED_VIEWER]
  if (scenario.throttledBitsPerSecond !== null && throttled !== undefined) {
    await throttle(throttled.page, scenario.throttledBitsPerSecond)
  }
  return opened
}

function polluterOf({ polluter }: Scenario): number | null {
  return polluter ? 0 : null
}

async function trackerStats(tracker: TrackerService): Promise<TrackerStats | null> {
  if (tracker.statsUrl === null) return null
  try {
    const response = await fetch(tracker.statsUrl)
    return (await response.json()) as TrackerStats
  } catch (error) {
    throw new Error(`the tracker does not answer: ${tracker.log()}`, { cause: error })
  }
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

async function picture(pages: readonly Page[], folder: string, row: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [viewer, page] of pages.entries()) {
    await page.screenshot({ path: join(folder, `${row}-${viewer}.png`) })
  }
}

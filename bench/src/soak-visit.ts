import type { PlannedVisit } from './soak-plan.js'
import { liveOf, type SoakStage } from './soak-stage.js'
import { Browsers, type OpenViewer } from './swarm-browsers.js'
import { until } from './swarm-events.js'
import { PLAIN, SHOAL_SEEDER } from './swarm-rows.js'
import { sum } from './swarm-statistics.js'
import type { ViewerRecord } from './swarm-viewer.js'

/** A page opens in less, as a rule; who opens later comes later, and so does its twin. */
const OPEN_AHEAD_MS = 4000
/** Requests of twins name numbers from here on. */
const TWINS_FROM = 10_000
const POLLUTERS_FROM = 20_000
/** Both stand still for the same reasons, but not to the frame. */
const SLACK_SECONDS = 0.5

/** How a viewer fared beside hls.js alone at the same time. */
export interface Visit {
  readonly number: number
  readonly seconds: number
  readonly killed: boolean
  readonly stallSeconds: number
  readonly twinStallSeconds: number
  readonly beyondTwin: boolean
  readonly started: boolean
  readonly twinStarted: boolean
  readonly peerBytes: number
  readonly httpBytes: number
  /** Errors that nobody caught, in the viewer's page. */
  readonly errors: readonly string[]
  /** Most that either page's thread was late by, in ms: the machine's doing. */
  readonly mostLateMs: number
}

/** The browsers of a soak: one for those who leave politely, one for twins, one for each who is killed. */
export class Audience {
  readonly #stage: SoakStage
  readonly #together: Browsers
  readonly #apart: Browsers
  readonly #twins: Browsers
  #polluters = 0

  constructor(stage: SoakStage, pageUrl: string) {
    const shoal = { row: SHOAL_SEEDER, pageUrl, path: null }
    this.#stage = stage
    this.#together = new Browsers({ ...shoal, apart: false })
    this.#apart = new Browsers({ ...shoal, apart: true })
    this.#twins = new Browsers({ ...shoal, row: PLAIN, apart: false })
  }

  /**
   * Plays one visit and its twin.
   *
   * @param startAt Unix time in ms of the plan's beginning
   * @param resident told the process of the browser that this viewer has for itself
   */
  async visit(
    number: number,
    { comesMs, leavesMs, by }: PlannedVisit,
    startAt: number,
    resident?: (browserPid: number) => void,
  ): Promise<Visit> {
    await until(startAt + comesMs - OPEN_AHEAD_MS)
    const apart = by === 'kill' || resident !== undefined
    const viewer = await (apart ? this.#apart : this.#together).open(number)
    const twin = await this.#twins.open(TWINS_FROM + number)
    resident?.(viewer.browserPid)
    const at = Math.max(startAt + comesMs, Date.now() + 200)
    const [own, other] = this.#stage.origins
    await Promise.all([
      start(viewer, at, liveOf(own), this.#stage.announce),
      start(twin, at, liveOf(other), null),
    ])
    await until(startAt + leavesMs)
    const [record, twinRecord] = await Promise.all([read(viewer), read(twin)])
    if (by === 'kill') viewer.kill()
    else await viewer.page.context().close()
    await twin.page.context().close()
    const stallSeconds = stalled(record)
    const twinStallSeconds = stalled(twinRecord)
    const started = record.firstFrameMs !== null
    const twinStarted = twinRecord.firstFrameMs !== null
    const { http = 0, peers = 0, seeders = 0 } = record.counters ?? {}
    return {
      number,
      seconds: (startAt + leavesMs - at) / 1000,
      killed: by === 'kill',
      ...{ stallSeconds, twinStallSeconds, started, twinStarted },
      beyondTwin: stallSeconds > twinStallSeconds + SLACK_SECONDS || (twinStarted && !started),
      httpBytes: http,
      peerBytes: peers + seeders,
      errors: record.errors,
      mostLateMs: Math.max(record.lateMs.max, twinRecord.lateMs.max),
    }
  }

  /** A viewer that spoils what it sends comes; resolves with what ends its visit. */
  async pollute(): Promise<() => Promise<void>> {
    const number = POLLUTERS_FROM + this.#polluters++
    const polluter = await this.#together.open(number, '?polluter')
    await start(polluter, Date.now(), liveOf(this.#stage.origins[0]), this.#stage.announce)
    return () => polluter.page.context().close()
  }

  async close(): Promise<void> {
    await Promise.all([this.#together, this.#apart, this.#twins].map((browsers) => browsers.close()))
  }
}

function start({ page }: OpenViewer, at: number, src: string, tracker: string | null): Promise<void> {
  const options = { at, src, settings: { hls: {}, p2p: {}, tracker }, digests: false }
  return page.evaluate((given) => window.viewer.start(given), options)
}

function read({ page }: OpenViewer): Promise<ViewerRecord> {
  return page.evaluate(() => window.viewer.read())
}

function stalled({ stalls }: ViewerRecord): number {
  return sum(stalls.map(({ ms }) => ms / 1000))
}

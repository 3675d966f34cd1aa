import { setTimeout as sleep } from 'node:timers/promises'
import type { Origin } from '../../e2e/dist/sample/index.js'
import type { Row } from './swarm-rows.js'
import type { Scenario } from './swarm-scenarios.js'
import type { Schedule } from './swarm-schedule.js'
import { startTracker, type TrackerService } from './swarm-services.js'

/** The tracker of a row, which a scenario may take away and bring back. */
export class RowTracker {
  readonly #kind: NonNullable<Row['tracker']>
  service: TrackerService

  private constructor(kind: NonNullable<Row['tracker']>, service: TrackerService) {
    this.#kind = kind
    this.service = service
  }

  static async start(kind: NonNullable<Row['tracker']>): Promise<RowTracker> {
    return new RowTracker(kind, await startTracker(kind))
  }

  /** Killed, and started again at the same port. */
  async beGone(seconds: number): Promise<void> {
    const port = Number(new URL(this.service.announce).port)
    this.service.kill()
    await sleep(seconds * 1000)
    this.service = await startTracker(this.#kind, port)
  }
}

/** What happens to a row while it plays; resolves when all of it has. */
export async function letHappen(
  { originGone, trackerGone }: Scenario,
  { visits, endsMs }: Schedule,
  startAt: number,
  on: {
    readonly origin: Origin
    readonly tracker: RowTracker | null
    readonly kill: (viewer: number) => Promise<void>
  },
): Promise<void> {
  const goOrigin = async () => {
    if (originGone === null) return
    await until(startAt + endsMs * originGone.afterShare)
    await on.origin.down()
    await sleep(originGone.seconds * 1000)
    await on.origin.up()
  }
  const goTracker = async () => {
    if (trackerGone === null || on.tracker === null) return
    await until(startAt + endsMs * trackerGone.afterShare)
    await on.tracker.beGone(trackerGone.seconds)
  }
  const deaths = visits.map(async ({ diesMs }, viewer) => {
    if (diesMs === null) return
    await until(startAt + diesMs)
    await on.kill(viewer)
  })
  await Promise.all([goOrigin(), goTracker(), ...deaths, until(startAt + endsMs)])
}

/** @param time Unix time in ms */
export async function until(time: number): Promise<void> {
  await sleep(Math.max(0, time - Date.now()))
}

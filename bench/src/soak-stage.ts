import type { Program } from '../../e2e/dist/browser/index.js'
import { type Origin, startOrigin } from '../../e2e/dist/sample/index.js'
import { type MemorySample, memoryOf } from './soak-memory.js'
import type { FaultKind } from './soak-plan.js'
import type { Media } from './swarm-media.js'
import { lastingPort } from './swarm-ports.js'
import { HOST, startSeeder, startTracker, type TrackerService } from './swarm-services.js'

const ORIGIN_LATENCY_MS = 40
const ERROR_SHARE = 0.3
/** Of what all viewers need together. */
const SLOW_SHARE = 0.8

/** pino's levels: `error` and above. */
const ERROR_LEVEL = 50
const KEPT_ERRORS = 50

/** Origins, tracker and seeder of a soak, and what strikes them. */
export class SoakStage {
  readonly #media: Media
  readonly #viewers: number
  /** The viewers' own, and their twins': whatever one group loads, the other one is not the slower for it. */
  readonly origins: readonly [Origin, Origin]
  #tracker: TrackerService
  #seeder: Program
  /** What programs wrote as errors. */
  readonly errors: string[] = []

  private constructor(
    media: Media,
    viewers: number,
    origins: readonly [Origin, Origin],
    tracker: TrackerService,
    seeder: Program,
  ) {
    this.#media = media
    this.#viewers = viewers
    this.origins = origins
    this.#tracker = tracker
    this.#seeder = seeder
  }

  static async start(media: Media, viewers: number): Promise<SoakStage> {
    const ends: (() => unknown)[] = []
    try {
      const one = async () => {
        const origin = await startOrigin({ root: media.root, port: await lastingPort(HOST) })
        ends.push(() => origin.close())
        origin.faults.latencyMs = ORIGIN_LATENCY_MS
        return origin
      }
      const origins = [await one(), await one()] as const
      const tracker = await startTracker('shoal')
      ends.push(() => tracker.kill())
      const seeder = await startSeeder(liveOf(origins[0]), tracker.announce)
      return new SoakStage(media, viewers, origins, tracker, seeder)
    } catch (error) {
      for (const end of ends) await end()
      throw error
    }
  }

  get announce(): string {
    return this.#tracker.announce
  }

  /** Begins a fault; resolves with what ends it. The polluter is nobody of this stage. */
  async strike(kind: Exclude<FaultKind, 'polluter'>): Promise<() => Promise<void>> {
    const { origins } = this
    switch (kind) {
      case 'origin-gone':
        await Promise.all(origins.map((origin) => origin.down()))
        return async () => void (await Promise.all(origins.map((origin) => origin.up())))
      case 'origin-errors': {
        const rule = { match: '/seg-', answer: 503, rate: ERROR_SHARE }
        const undo = origins.map(({ faults }) => faults.fail(rule))
        return async () => {
          for (const one of undo) one()
        }
      }
      case 'origin-slow': {
        const limit = this.#media.bytesPerSecond * this.#viewers * SLOW_SHARE
        for (const { faults } of origins) faults.limitBandwidth(limit)
        return async () => {
          for (const { faults } of origins) faults.limitBandwidth(null)
        }
      }
      case 'tracker-killed': {
        const port = Number(new URL(this.#tracker.announce).port)
        this.#leave(this.#tracker)
        this.#tracker.kill()
        return async () => {
          this.#tracker = await startTracker('shoal', port)
        }
      }
      case 'seeder-killed':
        this.#leave(this.#seeder)
        this.#seeder.kill()
        return async () => {
          this.#seeder = await startSeeder(liveOf(origins[0]), this.#tracker.announce)
        }
    }
  }

  memory(): { readonly tracker: MemorySample; readonly seeder: MemorySample } {
    return { tracker: memoryOf(this.#tracker.pid), seeder: memoryOf(this.#seeder.pid) }
  }

  /** Viewers that the tracker has on its list. */
  async listed(): Promise<number> {
    const response = await fetch(this.#tracker.statsUrl ?? '')
    const { viewers } = (await response.json()) as { readonly viewers: number }
    return viewers
  }

  async close(): Promise<void> {
    this.#leave(this.#seeder)
    await this.#seeder.stop()
    this.#leave(this.#tracker)
    await this.#tracker.stop()
    await Promise.all(this.origins.map((origin) => origin.close()))
  }

  #leave(program: Pick<Program, 'log'>): void {
    for (const line of program.log().split('\n')) {
      const level = Number(/^\{"level":(\d+)/.exec(line)?.[1] ?? 0)
      if (level >= ERROR_LEVEL && this.errors.length < KEPT_ERRORS) this.errors.push(line.slice(0, 500))
    }
  }
}

export function liveOf(origin: Origin): string {
  return `${origin.url}/live/master.m3u8`
}

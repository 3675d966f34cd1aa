import { afterAll, beforeAll, describe } from 'vitest'
import { loadUwsServer } from '../adapters/uws-server.js'
import type { RunningTracker } from '../runtime/create-tracker.js'
import { createTracker } from '../runtime/create-tracker.js'
import type { TrackerOptions } from '../runtime/options.js'

const uwsLoads = typeof (await loadUwsServer()) === 'function'

/**
 * Runs a suite against a tracker of each engine, on a free port of the loopback address. Where
 * uWebSockets.js has no build its half is shown as skipped.
 */
export function describeEngines(name: string, options: TrackerOptions, suite: (at: Running) => void): void {
  for (const engine of ['uws', 'ws'] as const) {
    describe.skipIf(engine === 'uws' && !uwsLoads)(`${name} (${engine})`, () => {
      const running = new Running()
      beforeAll(async () => {
        running.tracker = await createTracker({ host: '127.0.0.1', port: 0, engine, ...options })
      })
      afterAll(() => running.tracker?.close())
      suite(running)
    })
  }
}

/** The tracker of a suite, there once its tests run. */
export class Running {
  tracker: RunningTracker | undefined

  get url(): string {
    if (this.tracker === undefined) throw new Error('the tracker does not run yet')
    return this.tracker.url
  }

  stats() {
    if (this.tracker === undefined) throw new Error('the tracker does not run yet')
    return this.tracker.stats()
  }
}

import { millis } from '@shoal/protocol'
import { scheduleFault } from './faults.js'
import type { LoadTrace } from './ledger.js'
import { populationOf } from './population.js'
import { reportOf, type SimReport } from './report.js'
import type { SimOptions } from './sim-options.js'
import { SimViewer } from './sim-viewer.js'
import { SimWorld, START_MS } from './sim-world.js'

/** Who watches a run. */
export interface SimObserver {
  /** Called once a simulated second, with the seconds so far and the viewers present. */
  readonly onProgress?: (seconds: number, present: number) => void
  /** Called for each segment that a viewer has loaded. */
  readonly onLoad?: (trace: LoadTrace) => void
}

/**
 * Runs a swarm of viewers on virtual time: the real engine, runtime and wire encoding, over an
 * emulated network, tracker and HTTP edge. The same options give the same report.
 */
export async function simulate(options: SimOptions, observer: SimObserver = {}): Promise<SimReport> {
  const world = new SimWorld(options, observer.onLoad)
  const people = populationOf(options)
  const viewers: SimViewer[] = []
  const { clock, settling } = world
  for (const person of people) {
    if (person.arrivesAt >= options.seconds * 1000) continue
    clock.setTimer(millis(person.arrivesAt), () => {
      const viewer = new SimViewer(world, person)
      viewers.push(viewer)
      settling.mark()
      const stay = person.leavesAt - person.arrivesAt
      if (Number.isFinite(stay)) clock.setTimer(millis(stay), () => viewer.leave())
    })
  }
  scheduleFault(world, viewers)
  for (let second = 1; second <= options.seconds; second++) {
    await settling.run(clock, START_MS + second * 1000)
    observer.onProgress?.(second, viewers.filter(({ present }) => present).length)
  }
  for (const { player, twin } of viewers) {
    player.stop()
    twin.stop()
  }
  return reportOf(world, people, viewers)
}

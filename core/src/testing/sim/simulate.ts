import { millis, type PeerId } from '@shoal/protocol'
import type { Random } from '../../ports/clock.js'
import type { TrackerMatching } from '../memory-tracker.js'
import { seededRandom } from '../random.js'
import { scheduleFault } from './faults.js'
import type { LoadTrace } from './ledger.js'
import { type Person, populationOf } from './population.js'
import { reportOf, type SimReport } from './report.js'
import type { SimOptions } from './sim-options.js'
import { SimSeeder } from './sim-seeder.js'
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
 * Makes what chooses receivers of offers, for matching that is not random.
 *
 * @param random of its own, from the run's seed
 * @param personOf who a peer is; null for one that has not come yet
 */
export type MakeMatching = (random: Random, personOf: (id: PeerId) => Person | null) => TrackerMatching

/**
 * Runs a swarm of viewers on virtual time: the real engine, runtime and wire encoding, over an
 * emulated network, tracker and HTTP edge. The same options give the same report.
 *
 * @param makeMatching for `matching: 'local'`
 * @throws Error where matching is local and nothing is there to do it
 */
export async function simulate(
  options: SimOptions,
  observer: SimObserver = {},
  makeMatching?: MakeMatching,
): Promise<SimReport> {
  const persons = new Map<PeerId, Person>()
  const matching = matchingOf(options, makeMatching, persons)
  const world = new SimWorld(options, observer.onLoad, matching)
  const people = populationOf(options)
  const viewers: SimViewer[] = []
  const { clock, settling } = world
  for (const person of people) {
    if (person.arrivesAt >= options.seconds * 1000) continue
    clock.setTimer(millis(person.arrivesAt), () => {
      const viewer = new SimViewer(world, person)
      viewers.push(viewer)
      persons.set(viewer.peerId, person)
      settling.mark()
      const stay = person.leavesAt - person.arrivesAt
      if (Number.isFinite(stay)) clock.setTimer(millis(stay), () => viewer.leave())
    })
  }
  scheduleFault(world, viewers)
  const seeder = options.integrity === 'signed' ? new SimSeeder(world) : null
  for (let second = 1; second <= options.seconds; second++) {
    await settling.run(clock, START_MS + second * 1000)
    observer.onProgress?.(second, viewers.filter(({ present }) => present).length)
  }
  seeder?.stop()
  for (const { player, twin } of viewers) {
    player.stop()
    twin.stop()
  }
  return reportOf(world, people, viewers)
}

function matchingOf(
  { matching, seed }: SimOptions,
  make: MakeMatching | undefined,
  persons: ReadonlyMap<PeerId, Person>,
): TrackerMatching | undefined {
  if (matching === 'random') return undefined
  if (make === undefined) throw new Error('local matching needs a matcher')
  return make(seededRandom(seed * 31 + 17), (id) => persons.get(id) ?? null)
}

import { millis } from '@shoal/protocol'
import type { EdgeState } from './edge.js'
import type { SimViewer } from './sim-viewer.js'
import type { SimWorld } from './sim-world.js'

const LONGEST_BURST_MS = 30_000
const KILL_EVERY_MS = 10_000
/** Where nobody asks the edge, it is looked at again after this long, in milliseconds. */
const KILL_LOOK_MS = 50

/** Sets what goes wrong in this run; viewers join and leave meanwhile. */
export function scheduleFault(world: SimWorld, viewers: readonly SimViewer[]): void {
  const { clock, options, edge, twinEdge, tracker, topology } = world
  const runMs = options.seconds * 1000
  const at = (share: number, call: () => void): void => {
    clock.setTimer(millis(share * runMs), call)
  }
  switch (options.fault) {
    case 'none':
    case 'polluters':
    case 'inventors':
    case 'slanderers':
    case 'clock-skew':
      return
    case 'tracker-away':
      at(0.25, () => tracker.setUp(false))
      at(0.75, () => tracker.setUp(true))
      return
    case 'cdn-503':
    case 'cdn-away': {
      const set = (state: EdgeState): void => {
        edge.state = state
        twinEdge.state = state
      }
      at(0.4, () => set(options.fault === 'cdn-503' ? 'unavailable' : 'away'))
      at(0.4 + Math.min(0.2, LONGEST_BURST_MS / runMs), () => set('serving'))
      return
    }
    case 'partition': {
      const set = (partitioned: boolean): void => {
        topology.partitioned = partitioned
        topology.refresh(viewers.filter(({ present }) => present).map(({ host }) => host))
      }
      at(0.4, () => set(true))
      at(0.6, () => set(false))
      return
    }
    case 'leader-killed': {
      const kill = (): void => {
        const leader = edge.longestAsking
        if (leader !== null) viewers.find(({ person }) => person.index === leader)?.die()
        else clock.setTimer(millis(KILL_LOOK_MS), kill)
      }
      for (let time = KILL_EVERY_MS; time < runMs; time += KILL_EVERY_MS) at(time / runMs, kill)
    }
  }
}

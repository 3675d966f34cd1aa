import type { Clock, SwarmOptions, SwarmPorts } from '@shoal/core'
import { millis } from '@shoal/protocol'
import { expect, test } from 'vitest'
import { FakeSwarm } from '../testing/fake-swarm.js'
import { RecordingLog } from '../testing/recording-log.js'
import { watchTracker } from './tracker-watch.js'

test('what the tracker does to the seeder is said once', () => {
  const timers: (() => void)[] = []
  const clock: Clock = {
    now: () => millis(0),
    setTimer: (_delay, done) => {
      timers.push(done)
      return () => {}
    },
  }
  const log = new RecordingLog()
  const swarm = new FakeSwarm({} as SwarmOptions, {} as SwarmPorts)
  const end = watchTracker(clock, swarm, log, ['ws://a'])
  const look = (state: Partial<Pick<FakeSwarm, 'tracker' | 'refusal'>>) => {
    Object.assign(swarm, state)
    for (let i = 0; i < 2; i++) timers.pop()?.()
  }
  look({ tracker: 'connected' })
  look({ refusal: 'token-expired' })
  look({ refusal: null })
  look({ tracker: 'unreachable' })
  look({ tracker: 'connected' })
  expect(log.lines).toEqual([
    'info connected to the tracker',
    'warn the tracker refuses the seeder',
    'info the tracker lets the seeder in',
    'warn no tracker can be reached: trying again',
    'info the tracker is back',
  ])
  end()
})

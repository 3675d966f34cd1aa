import { type SegmentId, segmentKey, trackIdOf } from '@shoal/protocol'
import { cryptoRandom, nodeClock } from '../host/node-clock.js'
import type { SeederOptions } from '../runtime/options.js'
import { type RunningSeeder, startSeederOn } from '../runtime/seeder.js'
import { type FakeSwarm, fakeSwarms } from './fake-swarm.js'
import { RecordingLog } from './recording-log.js'

/** A seeder on this machine's clock, with a swarm that only remembers. */
export interface TestSeeder {
  readonly seeder: RunningSeeder
  readonly swarm: FakeSwarm
  readonly log: RecordingLog
  /** Bytes of a whole segment as a peer would get them. */
  bytesOf(identity: string, sequence: number): Promise<Uint8Array | null>
  manifestOf(identity: string, sequence: number): ReturnType<FakeSwarm['published']['get']>
  partOf(identity: string, sequence: number, part: number): ReturnType<FakeSwarm['published']['get']>
}

export async function startTestSeeder(options: Omit<SeederOptions, 'trackers' | 'log'>): Promise<TestSeeder> {
  const { create, made } = fakeSwarms()
  const log = new RecordingLog()
  const host = {
    clock: nodeClock,
    random: cryptoRandom(),
    openSocket: () => ({ send: () => false, close: () => undefined }),
    createSwarm: create,
    links: null,
    direct: null,
    release: () => undefined,
  }
  const seeder = await startSeederOn(host, { ...options, trackers: ['ws://127.0.0.1:1'], log })
  const [swarm] = made
  if (swarm === undefined) throw new Error('no swarm was made')
  const idOf = (identity: string, sequence: number): SegmentId => {
    return { track: trackIdOf(identity), sequence, part: null }
  }
  const manifestOf = (identity: string, sequence: number) =>
    swarm.published.get(segmentKey(idOf(identity, sequence)))
  return {
    seeder,
    swarm,
    log,
    manifestOf,
    partOf: (identity, sequence, part) =>
      swarm.published.get(segmentKey({ track: trackIdOf(identity), sequence, part })),
    bytesOf: async (identity, sequence) => {
      const size = manifestOf(identity, sequence)?.size
      if (size === undefined) return null
      return (await swarm.ports.pieces?.read(idOf(identity, sequence), 0, size)) ?? null
    },
  }
}

import { type DialAddress, dialPeerId, type PeerId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import type { DialMemory } from '../ports/dial-memory.js'
import { MemoryWorld, type WorldPeer } from '../testing/index.js'
import type { SwarmOptions } from './swarm-api.js'

const SECOND = 1_000

function addressOf(number: number): DialAddress {
  const digits = number.toString(16).padStart(2, '0').toUpperCase()
  return { host: `203.0.113.${number}`, port: 4_000, fingerprint: Array(32).fill(digits).join(':') }
}

function seeder(world: MemoryWorld, number: number, options: Partial<SwarmOptions> = {}): WorldPeer {
  const dial = addressOf(number)
  return world.join({ role: 'seeder', peerId: dialPeerId(dial), dial, trackers: [], ...options })
}

function neighboursOf({ swarm }: WorldPeer): PeerId[] {
  return swarm.snapshot().links.map(({ peerId }) => peerId)
}

/** What a page remembers. */
class Memory implements DialMemory {
  readonly known: DialAddress[]
  constructor(known: readonly DialAddress[] = []) {
    this.known = [...known]
  }
  recall() {
    return this.known
  }
  worked(address: DialAddress): void {
    if (!this.known.includes(address)) this.known.push(address)
  }
  failed({ host }: DialAddress): void {
    this.known.splice(0, this.known.length, ...this.known.filter((other) => other.host !== host))
  }
}

describe('seeders that are dialled', () => {
  it('are neighbours without any tracker', async () => {
    const world = new MemoryWorld()
    seeder(world, 1)
    const viewer = world.join({ trackers: [], seeders: [addressOf(1)] })
    expect(viewer.swarm.snapshot().degraded).toBe('no-peers')
    await world.clock.advanceAsync(SECOND)
    expect(neighboursOf(viewer)).toEqual([dialPeerId(addressOf(1))])
    expect(viewer.swarm.snapshot()).toMatchObject({ degraded: null, tracker: 'none' })
    expect(world.join({ trackers: [] }).swarm.snapshot().degraded).toBe('no-tracker')
  })

  it('are not dialled before the player has its picture', async () => {
    const world = new MemoryWorld()
    seeder(world, 1)
    let show = (): void => expect.unreachable()
    const quiet = new Promise<void>((resolve) => {
      show = resolve
    })
    const viewer = world.join({ seeders: [addressOf(1)] }, {}, { ports: { quiet } })
    await world.clock.advanceAsync(SECOND)
    expect(world.dials.count).toBe(0)
    show()
    await world.clock.advanceAsync(SECOND)
    expect(neighboursOf(viewer)).toEqual([dialPeerId(addressOf(1))])
  })

  it('are there before the tracker has introduced anybody', async () => {
    const tracked = new MemoryWorld()
    tracked.join({ role: 'seeder' })
    const [dialled, late] = [new MemoryWorld(), tracked.join()]
    seeder(dialled, 1, { trackers: ['ws://tracker.test'] })
    const early = dialled.join({ seeders: [addressOf(1)] })
    const opened = async (world: MemoryWorld, viewer: WorldPeer) => {
      const began = world.clock.now()
      await world.clock.runUntilAsync(() => neighboursOf(viewer).length > 0, 10 * SECOND)
      return world.clock.now() - began
    }
    const times = [await opened(dialled, early), await opened(tracked, late)] as const
    expect(times[0]).toBeLessThan(times[1] - 50)
  })

  it('and tracked are one connection each', async () => {
    const world = new MemoryWorld()
    for (let i = 1; i <= 3; i++) seeder(world, i, { trackers: ['ws://tracker.test'] })
    const viewers = Array.from({ length: 4 }, () => world.join({ seeders: [addressOf(1), addressOf(2)] }))
    await world.clock.advanceAsync(60 * SECOND)
    for (const viewer of viewers) {
      const ids = neighboursOf(viewer)
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids).toContain(dialPeerId(addressOf(1)))
      expect(ids).toContain(dialPeerId(addressOf(2)))
    }
  })

  it('are told by the tracker, two of them are dialled, and each is found again when it returns', async () => {
    const world = new MemoryWorld()
    for (let i = 1; i <= 4; i++) seeder(world, i, { trackers: ['ws://tracker.test'], maxLinks: 50 })
    // Offers reach nobody: what is connected was dialled.
    const viewer = world.join({ maxLinks: 3 })
    await world.clock.advanceAsync(5 * SECOND)
    expect(world.dials.count).toBeGreaterThanOrEqual(2)
    expect(world.dials.count).toBeLessThanOrEqual(3)
    world.tracker.setUp(false)
    const before = neighboursOf(viewer).length
    expect(before).toBeGreaterThanOrEqual(2)
  })

  it('that are gone are tried again, ever more seldom, for as long as the page names them', async () => {
    const world = new MemoryWorld()
    const viewer = world.join({ trackers: [], seeders: [addressOf(1)] })
    await world.clock.advanceAsync(600 * SECOND)
    expect(world.dials.count).toBeGreaterThanOrEqual(4)
    expect(world.dials.count).toBeLessThanOrEqual(14)
    seeder(world, 1)
    await world.clock.advanceAsync(200 * SECOND)
    expect(neighboursOf(viewer)).toHaveLength(1)
  })

  it('that are gone keep nothing waiting after the first try', async () => {
    const world = new MemoryWorld()
    const viewer = world.join({ trackers: [], seeders: [addressOf(1)] })
    await world.clock.advanceAsync(100 * SECOND)
    const { count } = world.dials
    await world.clock.runUntilAsync(() => world.dials.count > count, 200 * SECOND)
    // A dial is on its way, and a segment with time left is loaded at once all the same.
    const began = world.clock.now()
    await world.settle(world.want(viewer, 1, 10 * SECOND))
    const alone = world.clock.now() - began
    const other = new MemoryWorld()
    const nobody = other.join({ trackers: [] })
    const since = other.clock.now()
    await other.settle(other.want(nobody, 1, 10 * SECOND))
    expect(alone).toBeCloseTo(other.clock.now() - since, 3)
  })

  it('come back after a restart of theirs', async () => {
    const world = new MemoryWorld()
    const first = seeder(world, 1)
    const viewer = world.join({ trackers: [], seeders: [addressOf(1)] })
    await world.clock.advanceAsync(40 * SECOND)
    expect(neighboursOf(viewer)).toHaveLength(1)
    first.swarm.close()
    world.dials.stop(addressOf(1))
    await world.clock.advanceAsync(10 * SECOND)
    expect(neighboursOf(viewer)).toHaveLength(0)
    seeder(world, 1)
    await world.clock.advanceAsync(60 * SECOND)
    expect(neighboursOf(viewer)).toHaveLength(1)
  })

  it('of another title are left alone for longer each time', async () => {
    const world = new MemoryWorld()
    const swarmId = { bytes: new Uint8Array(32).fill(9), infoHash: 'x'.repeat(20) as never, tag: 0x09090909 }
    seeder(world, 1, { swarmId })
    const viewer = world.join({ trackers: [], seeders: [addressOf(1)] })
    await world.clock.advanceAsync(600 * SECOND)
    expect(neighboursOf(viewer)).toHaveLength(0)
    expect(world.dials.count).toBeLessThanOrEqual(16)
  })

  it('must say in their Hello who the certificate says they are', async () => {
    const world = new MemoryWorld()
    seeder(world, 1, { peerId: '-SH0100-somebodyelse' as PeerId })
    const viewer = world.join({ trackers: [], seeders: [addressOf(1)] })
    await world.clock.advanceAsync(5 * SECOND)
    expect(world.dials.count).toBeGreaterThan(0)
    expect(neighboursOf(viewer)).toHaveLength(0)
  })

  it('are remembered once they worked, found again with the tracker gone, and forgotten after three failures', async () => {
    const world = new MemoryWorld()
    const first = seeder(world, 1, { trackers: ['ws://tracker.test'] })
    const memory = new Memory()
    const before = world.join({}, {}, { ports: { dialMemory: memory } })
    await world.clock.advanceAsync(5 * SECOND)
    expect(memory.known).toEqual([addressOf(1)])
    before.swarm.close()
    world.tracker.setUp(false)
    const after = world.join({}, {}, { ports: { dialMemory: memory } })
    await world.clock.advanceAsync(SECOND)
    expect(neighboursOf(after)).toEqual([dialPeerId(addressOf(1))])
    after.swarm.close()
    first.swarm.close()
    world.dials.stop(addressOf(1))
    world.join({}, {}, { ports: { dialMemory: memory } })
    await world.clock.advanceAsync(150 * SECOND)
    expect(memory.known).toEqual([])
    const { count } = world.dials
    await world.clock.advanceAsync(600 * SECOND)
    expect(world.dials.count).toBe(count)
  })

  it('take no more viewers than they have room for', async () => {
    const world = new MemoryWorld()
    const full = seeder(world, 1, { maxLinks: 2 })
    for (let i = 0; i < 5; i++) world.join({ trackers: [], seeders: [addressOf(1)] })
    await world.clock.advanceAsync(20 * SECOND)
    expect(full.swarm.snapshot().links).toHaveLength(2)
    full.swarm.close()
    expect(full.swarm.accept('-SH0100-late' as PeerId, () => expect.unreachable())).toBe(false)
  })
})

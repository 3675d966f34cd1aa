import { describe, expect, it } from 'vitest'
import { MemoryWorld, type Outcome } from '../testing/index.js'

function sourcesOf(outcome: Outcome) {
  if (outcome.type === 'error') throw new Error(outcome.error.message)
  return outcome.result.sources
}

describe('a swarm', () => {
  it('passes a segment through from the origin when nobody else is there', async () => {
    const world = new MemoryWorld()
    const viewer = world.join()
    const outcome = await world.settle(world.want(viewer, 1, 0))
    expect(sourcesOf(outcome)).toEqual({ http: 500_000, peers: 0, seeders: 0 })
    expect(outcome.type === 'done' && outcome.result.bytes).toEqual(world.origin.content(world.segment(1)))
    viewer.swarm.close()
  })

  it('feeds the second viewer from the first', async () => {
    const world = new MemoryWorld()
    const first = world.join()
    await world.settle(world.want(first, 1, 0))
    const second = world.join()
    await world.clock.advanceAsync(1_000)
    expect(second.swarm.snapshot().links).toHaveLength(1)
    const outcome = await world.settle(world.want(second, 1, 8_000))
    expect(sourcesOf(outcome)).toEqual({ http: 0, peers: 500_000, seeders: 0 })
    expect(outcome.type === 'done' && outcome.result.bytes).toEqual(world.origin.content(world.segment(1)))
    expect(world.origin.totalRequests).toBe(1)
  })
})

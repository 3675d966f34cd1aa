import type { PeerId } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { MemoryWorld, type WorldPeer } from '../testing/index.js'

const SECOND = 1_000

/** Whom each viewer is connected to, by its place in `viewers`. */
function neighboursOf(viewers: readonly WorldPeer[]): PeerId[][] {
  return viewers.map(({ swarm }) =>
    swarm
      .snapshot()
      .links.map(({ peerId }) => peerId)
      .sort(),
  )
}

function crowd(world: MemoryWorld, count: number, maxLinks: number): WorldPeer[] {
  return Array.from({ length: count }, () => world.join({ maxLinks }))
}

describe('the mesh', () => {
  it('connects everybody up to the low water, and nobody beyond the high water', async () => {
    const world = new MemoryWorld()
    const viewers = crowd(world, 24, 8)
    await world.clock.advanceAsync(28 * SECOND)
    const all = neighboursOf(viewers)
    for (const ids of all) {
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids.length).toBeLessThanOrEqual(8)
    }
    // A few may not have found somebody with room yet.
    expect(all.filter(({ length }) => length >= 6).length).toBeGreaterThanOrEqual(19)
    expect(Math.min(...all.map(({ length }) => length))).toBeGreaterThanOrEqual(2)
  })

  it('lets a latecomer in where everybody else has all the neighbours that it may have', async () => {
    const world = new MemoryWorld()
    const viewers = crowd(world, 4, 3)
    await world.clock.advanceAsync(40 * SECOND)
    for (const ids of neighboursOf(viewers)) expect(ids).toHaveLength(3)
    const [late] = crowd(world, 1, 3)
    await world.clock.advanceAsync(60 * SECOND)
    expect(late?.swarm.snapshot().links.length).toBeGreaterThanOrEqual(2)
    for (const ids of neighboursOf(viewers)) expect(ids.length).toBeGreaterThanOrEqual(2)
  })

  it('replaces neighbours one by one, and those who parted do not meet again for 30 s', async () => {
    const world = new MemoryWorld()
    const viewers = crowd(world, 14, 4)
    const partedAt = viewers.map(() => new Map<PeerId, number>())
    let before = neighboursOf(viewers)
    let parted = 0
    for (let second = 0; second < 150; second++) {
      await world.clock.advanceAsync(SECOND)
      const after = neighboursOf(viewers)
      for (const [index, ids] of after.entries()) {
        const gone = before[index]?.filter((id) => !ids.includes(id)) ?? []
        for (const id of gone) partedAt[index]?.set(id, second)
        parted += gone.length
        for (const id of ids) {
          const since = second - (partedAt[index]?.get(id) ?? Number.NEGATIVE_INFINITY)
          if (before[index]?.includes(id) === false) expect(since).toBeGreaterThanOrEqual(29)
        }
        expect(ids.length).toBeLessThanOrEqual(4)
      }
      before = after
    }
    // Fourteen viewers, each at most once in 30 s from the second half minute on, each parting seen twice.
    expect(parted).toBeGreaterThan(20)
    expect(parted).toBeLessThanOrEqual(14 * 5 * 2)
  })

  it('stays as it is while the tracker is away', async () => {
    const world = new MemoryWorld()
    const viewers = crowd(world, 14, 4)
    await world.clock.advanceAsync(28 * SECOND)
    world.tracker.setUp(false)
    await world.clock.advanceAsync(15 * SECOND)
    const before = neighboursOf(viewers)
    for (const ids of before) expect(ids.length).toBeGreaterThanOrEqual(2)
    await world.clock.advanceAsync(180 * SECOND)
    expect(neighboursOf(viewers)).toEqual(before)
    // And goes on with it when it is back.
    world.tracker.setUp(true)
    await world.clock.advanceAsync(180 * SECOND)
    expect(neighboursOf(viewers)).not.toEqual(before)
  })
})

import { expect, it } from 'vitest'
import { MemoryWorld } from '../testing/index.js'

it('compares whole segments with their manifests', async () => {
  const world = new MemoryWorld()
  const viewer = world.join()
  const bytes = world.origin.content(world.segment(1))
  expect(await viewer.swarm.verify(world.segment(1), bytes)).toBe('unknown')
  await world.settle(world.want(viewer, 1, 0))
  expect(await viewer.swarm.verify(world.segment(1), bytes)).toBe('verified')
  const other = bytes.slice()
  other[other.length - 1] = (other.at(-1) ?? 0) ^ 1
  for (const wrong of [other, bytes.subarray(1), new Uint8Array(0)]) {
    expect(await viewer.swarm.verify(world.segment(1), wrong)).toBe('wrong')
  }
  expect(await viewer.swarm.verify(world.segment(2), bytes)).toBe('unknown')
})

it('knows nothing of a segment of which only the first hashes have come', async () => {
  const world = new MemoryWorld({ origin: { bytesPerSecond: 100_000 } })
  const viewer = world.join()
  const outcome = world.want(viewer, 1, 0)
  await world.clock.advanceAsync(2_000)
  const bytes = world.origin.content(world.segment(1))
  expect(viewer.swarm.snapshot().httpBytes).toBeGreaterThan(0)
  expect(await viewer.swarm.verify(world.segment(1), bytes)).toBe('unknown')
  await world.settle(outcome)
  expect(await viewer.swarm.verify(world.segment(1), bytes)).toBe('verified')
})

import { expect, test } from 'vitest'
import { BlockCache } from './block-cache.js'

const BYTES = new Uint8Array([1, 2, 3])

function cacheAt(clock: { now: number }) {
  let loads = 0
  const cache = new BlockCache(1_000, () => clock.now)
  const get = (file: string, index = 0, bytes: Uint8Array | null = BYTES) =>
    cache.get(file, String(index), async () => {
      loads++
      return bytes
    })
  return { cache, get, loads: () => loads }
}

test('a block is loaded once for all who ask within its time', async () => {
  const clock = { now: 0 }
  const { get, loads } = cacheAt(clock)
  expect(await Promise.all([get('a'), get('a'), get('a')])).toEqual([BYTES, BYTES, BYTES])
  expect(loads()).toBe(1)
  await get('a', 1)
  await get('b')
  expect(loads()).toBe(3)
  clock.now = 1_001
  await get('a')
  expect(loads()).toBe(4)
})

test('who loads a block whose time is over is given it as it was', async () => {
  const clock = { now: 0 }
  const { cache, get } = cacheAt(clock)
  await get('a')
  clock.now = 1_001
  const given: (Uint8Array | null)[] = []
  const again = await cache.get('a', '0', async (known) => {
    given.push(known)
    return known
  })
  expect(given).toEqual([BYTES])
  expect(again).toBe(given[0])
})

test('what could not be had is asked for again, and what is forgotten too', async () => {
  const { cache, get, loads } = cacheAt({ now: 0 })
  expect(await get('a', 0, null)).toBeNull()
  expect(await get('a')).toEqual(BYTES)
  cache.forget('a')
  await get('a')
  expect(loads()).toBe(3)
})

test('so many blocks and no more are kept', async () => {
  const { get, loads } = cacheAt({ now: 0 })
  for (let i = 0; i < 65; i++) await get('a', i)
  await get('a', 64)
  expect(loads()).toBe(65)
  await get('a', 0)
  expect(loads()).toBe(66)
})

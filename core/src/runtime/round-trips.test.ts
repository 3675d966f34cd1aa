import { expect, it } from 'vitest'
import type { PeerLink } from '../ports/link.js'
import { VirtualClock } from '../testing/virtual-clock.js'
import { RoundTrips } from './round-trips.js'

/** Links that answer as the test says. */
function scene(answers: ReadonlyMap<number, () => Promise<number | null>>) {
  const clock = new VirtualClock(0)
  const asked: number[] = []
  const told: [number, number][] = []
  const links = new Map(
    [...answers].map(([id, answer]) => [
      id,
      {
        roundTrip: () => {
          asked.push(id)
          return answer()
        },
      } as unknown as PeerLink,
    ]),
  )
  const roundTrips = new RoundTrips(
    clock,
    (id) => links.get(id) ?? null,
    (id, rtt) => told.push([id, rtt]),
  )
  const pass = (ms: number) => clock.runUntilAsync(() => false, ms)
  return { roundTrips, links, asked, told, pass }
}

it('tells what connections measured, and nothing where they measured nothing', async () => {
  const { roundTrips, told, pass } = scene(
    new Map([
      [1, async () => 40],
      [2, async () => null],
      [3, () => Promise.reject(new Error('closed'))],
    ]),
  )
  for (const id of [1, 2, 3]) roundTrips.add(id)
  await pass(9_500)
  expect(told).toEqual([
    [1, 40],
    [1, 40],
    [1, 40],
  ])
})

it('takes many connections in turn: one a second, one more for each 32 KiB sent, eight at most', async () => {
  const { roundTrips, asked, pass } = scene(
    new Map(Array.from({ length: 20 }, (_, id) => [id, async () => 1])),
  )
  for (let id = 0; id < 20; id++) roundTrips.add(id)
  await pass(4_500)
  expect(asked).toEqual([0, 1, 2, 3])
  roundTrips.sent(50_000)
  roundTrips.sent(50_000)
  await pass(1_000)
  expect(asked).toHaveLength(4 + 4)
  roundTrips.sent(10_000_000)
  await pass(2_000)
  expect(asked).toHaveLength(8 + 8 + 1)
  expect(new Set(asked).size).toBe(asked.length)
})

it('does not ask again who has not answered', async () => {
  const { roundTrips, asked, pass } = scene(new Map([[1, () => new Promise<number>(() => {})]]))
  roundTrips.add(1)
  await pass(10_000)
  expect(asked).toEqual([1])
})

it('ends with the last connection, and with itself', async () => {
  const { roundTrips, links, asked, pass } = scene(
    new Map([
      [1, async () => 1],
      [2, async () => 1],
    ]),
  )
  roundTrips.add(1)
  links.delete(1)
  await pass(5_000)
  expect(asked).toEqual([])
  roundTrips.add(2)
  roundTrips.close()
  await pass(5_000)
  expect(asked).toEqual([])
})

it('leaves connections alone whose transport measures nothing', async () => {
  const { roundTrips, links, asked, pass } = scene(new Map())
  links.set(1, {} as PeerLink)
  roundTrips.add(1)
  await pass(5_000)
  expect(asked).toEqual([])
})

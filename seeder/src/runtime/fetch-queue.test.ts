import { VirtualClock } from '@shoal/core/testing'
import { beforeEach, expect, test } from 'vitest'
import { OriginFailure } from '../origin/origin.js'
import { RecordingLog } from '../testing/recording-log.js'
import { FetchQueue, type FetchTask, type LaneName } from './fetch-queue.js'

let clock: VirtualClock
let log: RecordingLog
let queue: FetchQueue
/** Keys in the order in which they were started. */
let started: string[]
let finish: Map<string, (error?: Error) => void>

beforeEach(() => {
  clock = new VirtualClock()
  log = new RecordingLog()
  queue = new FetchQueue({ clock, random: () => 1, log })
  started = []
  finish = new Map()
})

function task(key: string, priority = 0, lane: LaneName = 'mirror', admissible = () => true): FetchTask {
  return {
    key,
    lane,
    priority,
    admissible,
    run: (signal) => {
      started.push(key)
      return new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new OriginFailure('aborted', key)))
        finish.set(key, (error) => (error === undefined ? resolve() : reject(error)))
      })
    },
  }
}

async function end(key: string, error?: Error): Promise<void> {
  finish.get(key)?.(error)
  await clock.advanceAsync(0)
}

const down = () => new OriginFailure('unreachable', 'the connection was refused')
const missing = () => new OriginFailure('status', 'HTTP 404', 404)

test('three at a time, the lowest priority first', async () => {
  queue.add([task('d', 4), task('b', 2), task('a', 1), task('c', 3)])
  expect(started).toEqual(['a', 'b', 'c'])
  await end('b')
  expect(started).toEqual(['a', 'b', 'c', 'd'])
})

test('the live edge does not wait for the mirror', () => {
  queue.add([task('a'), task('b'), task('c'), task('d'), task('edge', 0, 'live')])
  expect(started).toContain('edge')
})

test('a key is fetched once', async () => {
  queue.add([task('a')])
  queue.add([task('a')])
  expect(started).toEqual(['a'])
  await end('a')
  expect(queue.pending).toBe(0)
})

test('a failed fetch is tried again, later each time, as long as the origin is down', async () => {
  queue.add([task('a')])
  for (let attempt = 1; attempt <= 20; attempt++) {
    expect(started).toHaveLength(attempt)
    await end('a', down())
    await clock.advanceAsync(15_001)
  }
  await end('a')
  expect(queue.pending).toBe(0)
})

test('an origin that is down is not asked for everything in turn', async () => {
  let asked = 0
  queue.add(
    Array.from({ length: 100 }, (_, i) => ({
      ...task(`${i}`, i),
      run: async () => {
        asked++
        throw down()
      },
    })),
  )
  await clock.advanceAsync(10_000)
  expect(asked).toBeLessThan(40)
})

test('when the origin is back, what waits goes on at once', async () => {
  queue.add(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((key) => task(key)))
  for (const key of ['a', 'b', 'c']) await end(key, down())
  expect(started).toEqual(['a', 'b', 'c', 'd', 'e'])
  queue.resume()
  expect(started).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
})

test('a segment that the origin refuses is left out after some attempts', async () => {
  queue.add([task('a')])
  for (let attempt = 1; attempt <= 5; attempt++) {
    expect(started).toHaveLength(attempt)
    await end('a', missing())
    await clock.advanceAsync(15_001)
  }
  expect(started).toHaveLength(5)
  expect(queue.pending).toBe(0)
  expect(log.count('left out')).toBe(1)
})

test('a Retry-After is heeded', async () => {
  queue.add([task('a')])
  await end('a', new OriginFailure('status', 'HTTP 429', 429, 8_000))
  await clock.advanceAsync(7_999)
  expect(started).toHaveLength(1)
  await clock.advanceAsync(1)
  expect(started).toHaveLength(2)
})

test('what is cancelled ends, waiting or running', async () => {
  queue.add([task('a'), task('b'), task('c'), task('d')])
  queue.cancel('d')
  queue.cancel('a')
  await clock.advanceAsync(0)
  expect(queue.pending).toBe(2)
  await end('b')
  await end('c')
  expect(started).toEqual(['a', 'b', 'c'])
})

test('a key that is cancelled and wanted again starts after its first run has ended', async () => {
  queue.add([task('a')])
  queue.cancel('a')
  queue.add([task('a')])
  expect(started).toEqual(['a'])
  await clock.advanceAsync(0)
  expect(started).toEqual(['a', 'a'])
})

test('what has no room waits, and what needs none goes on', async () => {
  let room = false
  queue.add([task('big', 1, 'mirror', () => room), task('held', 2)])
  expect(started).toEqual(['held'])
  room = true
  await end('held')
  expect(started).toEqual(['held', 'big'])
})

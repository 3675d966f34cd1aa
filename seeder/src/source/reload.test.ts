import { millis } from '@shoal/protocol'
import { describe, expect, test } from 'vitest'
import { backoffDelay, MAX_BACKOFF_MS } from './backoff.js'
import { ReloadTimer, waitUntil } from './reload.js'

/**
 * Follows a stream whose segment n is published at `publishedAt(n)`, from a first load at `start`.
 *
 * @returns when loads began, and how late each segment was seen
 */
function follow(publishedAt: (n: number) => number, start: number, loads: number, target = 4_000) {
  const timer = new ReloadTimer()
  const began: number[] = []
  const lateness: number[] = []
  let seen = -1
  let now = start
  for (let load = 0; load < loads; load++) {
    began.push(now)
    let newest = seen
    while (publishedAt(newest + 1) <= now) newest++
    const added = seen === -1 ? target : (newest - seen) * target
    for (let n = seen + 1; n <= newest && seen !== -1; n++) lateness.push(now - publishedAt(n))
    seen = newest
    const due = timer.next({
      began: millis(now),
      targetDuration: millis(target),
      added: millis(added),
      newest: millis(target),
    })
    now += waitUntil(due, millis(now))
  }
  return { began, lateness }
}

describe('a steady stream', () => {
  test.each([100, 1_000, 2_000, 3_000, 3_900])(
    'is seen soon, first loaded %i ms after a segment',
    (phase) => {
      const { began, lateness } = follow((n) => n * 4_000, 400_000 + phase, 40)
      expect(Math.max(...lateness.slice(6))).toBeLessThan(700)
      expect(lateness.slice(6).reduce((sum, late) => sum + late, 0) / lateness.slice(6).length).toBeLessThan(
        450,
      )
      const waits = began.slice(1).map((at, i) => at - (began[i] ?? 0))
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(500)
    },
  )

  test('costs about one load for each segment', () => {
    const { began, lateness } = follow((n) => n * 4_000, 400_000 + 3_000, 60)
    expect(began.length / lateness.length).toBeLessThan(1.4)
  })
})

test('an encoder that wavers is seen within a third of a target duration', () => {
  const waver = (n: number) => n * 4_000 + 150 * Math.sin(n * 2.3)
  const { lateness } = follow(waver, 400_000 + 2_500, 100)
  const sorted = lateness.slice(6).sort((a, b) => a - b)
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(700)
  expect(sorted.at(-1)).toBeLessThan(1_200)
})

test('an unchanged playlist is loaded again after growing waits', () => {
  const timer = new ReloadTimer()
  const seen = { targetDuration: millis(4_000), newest: millis(4_000) }
  timer.next({ ...seen, began: millis(0), added: millis(4_000) })
  const waits = [20_000, 30_000, 40_000, 50_000].map((began) => {
    return timer.next({ ...seen, began: millis(began), added: millis(0) }) - began
  })
  expect(waits).toEqual([500, 1_000, 2_000, 2_000])
})

test('a slow load does not turn into a tight loop', () => {
  expect(waitUntil(millis(1_000), millis(5_000))).toBe(100)
})

test('waits double up to their limit, half of each by chance', () => {
  expect([1, 2, 3].map((failures) => backoffDelay(failures, 1))).toEqual([500, 1000, 2000])
  expect(backoffDelay(1, 0)).toBe(250)
  expect(backoffDelay(99, 1)).toBe(MAX_BACKOFF_MS)
})

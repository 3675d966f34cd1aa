import { millis } from '@shoal/protocol'
import { expect, test } from 'vitest'
import { backoffDelay, MAX_BACKOFF_MS } from './backoff.js'
import { reloadDelay } from './reload.js'

test('a playlist is loaded again a target duration after the last load began', () => {
  expect(reloadDelay(millis(6000), true, millis(200))).toBe(5800)
})

test('an unchanged playlist is loaded again after half of it', () => {
  expect(reloadDelay(millis(6000), false, millis(200))).toBe(2800)
})

test('a slow load does not turn into a tight loop', () => {
  expect(reloadDelay(millis(1000), true, millis(5000))).toBe(100)
})

test('waits double up to their limit, half of each by chance', () => {
  expect([1, 2, 3].map((failures) => backoffDelay(failures, 1))).toEqual([500, 1000, 2000])
  expect(backoffDelay(1, 0)).toBe(250)
  expect(backoffDelay(99, 1)).toBe(MAX_BACKOFF_MS)
})

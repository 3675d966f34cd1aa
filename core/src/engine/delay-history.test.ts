import { millis } from '@shoal/protocol'
import { expect, test } from 'vitest'
import { DelayHistory } from './delay-history.js'

test('the least of the last ten minutes', () => {
  const history = new DelayHistory()
  expect(history.base).toBe(Number.POSITIVE_INFINITY)
  history.add(50, millis(0))
  history.add(30, millis(1_000))
  history.add(80, millis(2_000))
  expect(history.base).toBe(30)
  for (let minute = 1; minute < 10; minute++) history.add(70 + minute, millis(minute * 61_000))
  expect(history.base).toBe(30)
  history.add(90, millis(10 * 61_000))
  expect(history.base).toBe(71)
})

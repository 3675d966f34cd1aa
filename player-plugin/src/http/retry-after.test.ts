import { expect, test } from 'vitest'
import { retryAfterMs } from './retry-after.js'

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0)

test.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['Thu, 01 Jan 2026 12:00:30 GMT', 30_000],
  ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
  ['soon', null],
  ['', null],
  ['99999999999999999999', null],
  [null, null],
])('%j means %j ms', (header, wait) => {
  expect(retryAfterMs(header, NOW)).toBe(wait)
})

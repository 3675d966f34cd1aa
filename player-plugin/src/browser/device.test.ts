import { expect, test } from 'vitest'
import { defaultMemoryBytes, isUnmetered } from './device.js'

const MEBIBYTE = 1024 * 1024

test.each([
  [undefined, 128],
  [0.25, 16],
  [1, 32],
  [4, 128],
  [8, 256],
  [32, 256],
])('a device of %s GiB keeps %s MiB', (deviceMemory, mebibytes) => {
  const hints = deviceMemory === undefined ? {} : { deviceMemory }
  expect(defaultMemoryBytes(hints)).toBe(mebibytes * MEBIBYTE)
})

test('metered as far as the browser says', () => {
  expect(isUnmetered({})).toBe(true)
  expect(isUnmetered({ connection: { type: 'wifi', saveData: false } })).toBe(true)
  expect(isUnmetered({ connection: { type: 'wifi', saveData: true } })).toBe(false)
  expect(isUnmetered({ connection: { type: 'cellular' } })).toBe(false)
})

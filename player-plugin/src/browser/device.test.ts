import { expect, test } from 'vitest'
import { type DeviceHints, defaultsFor } from './device.js'

const MEBIBYTE = 1024 * 1024

test.each([
  [undefined, 128],
  [0.25, 16],
  [1, 32],
  [4, 128],
  [8, 256],
  [32, 256],
])('a desktop of %s GiB keeps %s MiB', (deviceMemory, mebibytes) => {
  const hints = deviceMemory === undefined ? {} : { deviceMemory }
  expect(defaultsFor(hints)).toEqual({
    memoryBytes: mebibytes * MEBIBYTE,
    maxPeers: 16,
    uploadBytesPerSession: Number.POSITIVE_INFINITY,
  })
})

const PHONES: readonly (readonly [string, DeviceHints, number])[] = [
  ['Chrome on Android', { userAgentData: { mobile: true }, deviceMemory: 8 }, 64],
  ['a low-end phone', { userAgentData: { mobile: true }, deviceMemory: 1 }, 32],
  ['Firefox on Android', { userAgent: 'Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0' }, 64],
  ['an iPhone', { userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)' }, 64],
  ['an iPad', { userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)', maxTouchPoints: 5 }, 64],
]

test.each(PHONES)('%s takes less', (_name, hints, mebibytes) => {
  expect(defaultsFor(hints)).toEqual({
    memoryBytes: mebibytes * MEBIBYTE,
    maxPeers: 8,
    uploadBytesPerSession: 500_000_000,
  })
})

test('a Mac, and a laptop with a touch screen, are desktops', () => {
  const desktops = [
    { userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)', maxTouchPoints: 0 },
    {
      userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)',
      maxTouchPoints: 10,
      userAgentData: { mobile: false },
    },
  ]
  for (const hints of desktops) expect(defaultsFor(hints).maxPeers).toBe(16)
})

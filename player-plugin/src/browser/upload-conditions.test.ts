import { expect, test, vi } from 'vitest'
import { CountingTarget } from '../testing/counting-target.js'
import type { BatteryHints } from './device.js'
import { UploadConditions } from './upload-conditions.js'

function batteryOf(hints: { charging?: boolean; level?: number }) {
  return Object.assign(new CountingTarget(), hints)
}

test('nothing known, nothing against it', () => {
  const conditions = new UploadConditions({}, () => {})
  expect(conditions.allow).toBe(true)
  conditions.release()
})

test.each([
  [{ type: 'wifi', saveData: false }, true],
  [{ type: 'wifi', saveData: true }, false],
  [{ type: 'cellular' }, false],
  [{}, true],
])('a connection %o', (connection, allow) => {
  expect(new UploadConditions({ connection }, () => {}).allow).toBe(allow)
})

test.each([
  [{ charging: false, level: 0.19 }, false],
  [{ charging: false, level: 0.2 }, true],
  [{ charging: true, level: 0.05 }, true],
  [{ charging: false }, true],
])('a battery %o', async (hints, allow) => {
  const onChange = vi.fn()
  const conditions = new UploadConditions({ getBattery: async () => batteryOf(hints) }, onChange)
  await vi.waitFor(() => expect(onChange).toHaveBeenCalled())
  expect(conditions.allow).toBe(allow)
})

test('listens until it is released, to both', async () => {
  const connection = Object.assign(new CountingTarget(), { type: 'wifi' })
  const battery = batteryOf({ charging: true, level: 0.5 })
  const onChange = vi.fn()
  const conditions = new UploadConditions({ connection, getBattery: async () => battery }, onChange)
  await vi.waitFor(() => expect(battery.count).toBe(2))
  onChange.mockClear()
  connection.type = 'cellular'
  connection.dispatchEvent(new Event('change'))
  expect(conditions.allow).toBe(false)
  connection.type = 'wifi'
  battery.charging = false
  battery.dispatchEvent(new Event('chargingchange'))
  battery.level = 0.1
  battery.dispatchEvent(new Event('levelchange'))
  expect(conditions.allow).toBe(false)
  expect(onChange).toHaveBeenCalledTimes(3)
  conditions.release()
  expect([connection.count, battery.count]).toEqual([0, 0])
})

test('a battery that comes after the release is not listened to', async () => {
  const battery = batteryOf({ charging: false, level: 0.1 })
  let answer: (battery: BatteryHints) => void = () => {}
  const getBattery = () =>
    new Promise<BatteryHints>((resolve) => {
      answer = resolve
    })
  const onChange = vi.fn()
  const conditions = new UploadConditions({ getBattery }, onChange)
  conditions.release()
  answer(battery)
  await Promise.resolve()
  await Promise.resolve()
  expect(battery.count).toBe(0)
  expect(onChange).not.toHaveBeenCalled()
})

test('a battery that the page may not know', async () => {
  const getBattery = vi.fn(() => Promise.reject(new DOMException('no', 'NotAllowedError')))
  const conditions = new UploadConditions({ getBattery }, () => {})
  await vi.waitFor(() => expect(getBattery).toHaveBeenCalled())
  expect(conditions.allow).toBe(true)
})

import type { Clock, UploadState } from '@shoal/core'
import { millis } from '@shoal/protocol'
import { expect, test, vi } from 'vitest'
import type { DeviceHints } from '../browser/device.js'
import type { Environment } from '../browser/environment.js'
import type { ShoalOptions } from '../options/options.js'
import { resolveOptions } from '../options/validate.js'
import { CountingTarget } from '../testing/counting-target.js'
import { type PlaybackState, UploadControl } from './upload-control.js'

/** Time that a test moves. */
class ManualClock implements Clock {
  #now = 0
  readonly #timers = new Map<() => void, number>()
  now = () => millis(this.#now)
  setTimer = (delay: number, callback: () => void): (() => void) => {
    this.#timers.set(callback, this.#now + delay)
    return () => this.#timers.delete(callback)
  }
  get timers(): number {
    return this.#timers.size
  }
  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const [next] = [...this.#timers].filter(([, at]) => at <= until).sort((a, b) => a[1] - b[1])
      if (next === undefined) break
      const [callback, at] = next
      this.#timers.delete(callback)
      this.#now = at
      callback()
    }
    this.#now = until
  }
}

function scene(upload: ShoalOptions['upload'] = {}, device: DeviceHints = {}) {
  const clock = new ManualClock()
  const told: UploadState[] = []
  const site = { uploadAllowed: true, playback: null as PlaybackState | null }
  const warn = vi.fn()
  const control = new UploadControl(
    { setUploads: (state) => void told.push(state) },
    {
      environment: { clock, device } as unknown as Environment,
      options: resolveOptions({ upload }),
      get uploadAllowed() {
        return site.uploadAllowed
      },
      playback: () => site.playback,
      warn,
    },
  )
  return { clock, told, site, warn, control }
}

test('says nothing while nothing speaks against uploads', () => {
  const { clock, told, control } = scene()
  clock.advance(10_000)
  control.settle()
  expect(told).toEqual([])
})

test('the site says no, and yes again', () => {
  const { told, site, control } = scene({ enabled: true })
  for (const allowed of [false, false, true]) {
    site.uploadAllowed = allowed
    control.settle()
  }
  expect(told).toEqual(['off', 'on'])
})

test('a function of the site is asked again and again', () => {
  let inCall = false
  const { clock, told, warn } = scene({ enabled: () => !inCall })
  clock.advance(2_000)
  inCall = true
  clock.advance(1_000)
  inCall = false
  clock.advance(1_000)
  expect(told).toEqual(['off', 'on'])
  expect(warn).not.toHaveBeenCalled()
})

test('a function of the site that throws, or answers with something else, means no', () => {
  const broken = scene({
    enabled: () => {
      throw new Error('not now')
    },
  })
  expect(broken.told).toEqual(['off'])
  expect(broken.warn).toHaveBeenCalledWith('upload-check-failed', 'Error: not now')
  expect(scene({ enabled: (() => 'yes') as unknown as () => boolean }).told).toEqual(['off'])
})

test.each([
  ['auto', ['off', 'on']],
  [true, []],
  [() => true, []],
] as const)('the device counts with %s', (enabled, expected) => {
  const connection = Object.assign(new CountingTarget(), { type: 'cellular' })
  const { told } = scene({ enabled }, { connection })
  connection.type = 'wifi'
  connection.dispatchEvent(new Event('change'))
  expect(told).toEqual(expected)
})

test('pauses while playback is about to run dry; off counts for more', () => {
  const { clock, told, site, control } = scene()
  site.playback = { ahead: 20, playing: true }
  clock.advance(1_000)
  site.playback = { ahead: 2, playing: true }
  clock.advance(1_000)
  expect(told).toEqual(['paused'])
  site.uploadAllowed = false
  control.settle()
  site.playback = { ahead: 15, playing: true }
  clock.advance(1_000)
  site.uploadAllowed = true
  control.settle()
  expect(told).toEqual(['paused', 'off', 'on'])
})

test('leaves nothing behind', () => {
  const connection = Object.assign(new CountingTarget(), { type: 'wifi' })
  const { clock, told, site, control } = scene({}, { connection })
  control.release()
  expect([connection.count, clock.timers]).toEqual([0, 0])
  site.uploadAllowed = false
  control.settle()
  clock.advance(5_000)
  expect(told).toEqual([])
})

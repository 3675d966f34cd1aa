import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pictured } from './playback.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function media(readyState: number): HTMLMediaElement {
  return Object.assign(new EventTarget(), { readyState, HAVE_CURRENT_DATA: 2 }) as HTMLMediaElement
}

/** Whether it has resolved by now. */
async function over(promise: Promise<void>): Promise<boolean> {
  let resolved = false
  void promise.then(() => {
    resolved = true
  })
  await vi.advanceTimersByTimeAsync(0)
  return resolved
}

test('a picture that is there is not waited for', async () => {
  expect(await over(pictured(media(2)))).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

test('the first picture ends the wait, and leaves no timer', async () => {
  const element = media(0)
  const promise = pictured(element)
  await vi.advanceTimersByTimeAsync(300)
  expect(await over(promise)).toBe(false)
  element.dispatchEvent(new Event('loadeddata'))
  expect(await over(promise)).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

test.each([
  ['that does not come', media(0)],
  ['without an element', null],
])('a picture %s is waited for a moment', async (_name, element) => {
  const promise = pictured(element)
  await vi.advanceTimersByTimeAsync(599)
  expect(await over(promise)).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(await over(promise)).toBe(true)
})

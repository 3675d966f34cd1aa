import { millis } from '@shoal/protocol'
import { expect, test } from 'vitest'
import { bufferedAhead, deadlineOf, type PlaybackElement } from './deadline.js'

function playing(currentTime: number, buffered: ReadonlyArray<readonly [number, number]>, playbackRate = 1) {
  const at = (i: number, edge: 0 | 1) => buffered[i]?.[edge] ?? Number.NaN
  const media: PlaybackElement = {
    currentTime,
    playbackRate,
    buffered: { length: buffered.length, start: (i) => at(i, 0), end: (i) => at(i, 1) },
  }
  return media
}

const NOW = millis(50_000)

test('a segment is due when the playhead reaches it', () => {
  expect(deadlineOf(12, playing(4, [[0, 12]]), NOW)).toBe(NOW + 8000)
  expect(deadlineOf(12, playing(4, [[0, 12]], 2), NOW)).toBe(NOW + 4000)
})

test('the viewer who waits is served at once', () => {
  expect(deadlineOf(0, null, NOW)).toBe(NOW)
  expect(deadlineOf(4, playing(0, []), NOW)).toBe(NOW)
  expect(deadlineOf(104, playing(100, [[0, 12]]), NOW)).toBe(NOW)
  expect(deadlineOf(12, playing(11.95, [[0, 12]]), NOW)).toBe(NOW)
})

test('a segment behind the playhead is not due in the past', () => {
  expect(deadlineOf(2, playing(4, [[3, 12]]), NOW)).toBe(NOW)
})

test('slow motion does not stretch the wait without bound', () => {
  expect(deadlineOf(12, playing(4, [[0, 12]], 0), NOW)).toBe(NOW + 16_000)
})

test('the range that holds the playhead counts, with a small hole before it', () => {
  expect(
    bufferedAhead(
      playing(5, [
        [0, 3],
        [5.05, 9],
      ]),
    ),
  ).toBeCloseTo(4)
  expect(
    bufferedAhead(
      playing(4, [
        [0, 3],
        [5, 9],
      ]),
    ),
  ).toBe(0)
})

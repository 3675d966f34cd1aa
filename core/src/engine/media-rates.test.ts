import { millis, type TrackId } from '@shoal/protocol'
import { expect, it } from 'vitest'
import { MediaRates } from './media-rates.js'

const track = (id: number) => id as TrackId

it('expects of a track what its last media had', () => {
  const rates = new MediaRates()
  expect(rates.expect(track(1), millis(500))).toBeNull()
  rates.sample(track(1), 2_000, millis(4_000))
  rates.sample(track(2), 50, millis(500))
  rates.sample(track(2), 100, millis(0))
  expect(rates.expect(track(1), millis(500))).toBe(250)
  expect(rates.expect(track(2), millis(500))).toBe(50)
})

it('forgets the track that was played longest ago', () => {
  const rates = new MediaRates()
  for (let id = 1; id <= 17; id++) {
    rates.sample(track(id), 100, millis(100))
    rates.sample(track(1), 100, millis(100))
  }
  expect(rates.expect(track(1), millis(100))).toBe(100)
  expect(rates.expect(track(2), millis(100))).toBeNull()
  expect(rates.expect(track(17), millis(100))).toBe(100)
})

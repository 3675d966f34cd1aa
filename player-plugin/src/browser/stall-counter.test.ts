import { expect, test } from 'vitest'
import { StallCounter } from './stall-counter.js'

/** A media element that a test moves. */
class FakeMedia extends EventTarget {
  readonly HAVE_CURRENT_DATA = 2
  currentTime = 0
  paused = true
  seeking = false
  ended = false
  readyState = 0
  fire(...names: string[]): void {
    for (const name of names) this.dispatchEvent(new Event(name))
  }
}

function scene(prepare: (media: FakeMedia) => void = () => {}) {
  const media = new FakeMedia()
  prepare(media)
  const count = { stalls: 0 }
  const counter = new StallCounter(media as unknown as HTMLMediaElement, () => void count.stalls++)
  return { media, counter, count }
}

test('waiting for the first frame is no stall', () => {
  const { media, counter, count } = scene()
  media.fire('waiting')
  counter.stalled()
  media.fire('playing')
  expect(count.stalls).toBe(0)
})

test('one stall, however many tell of it', () => {
  const { media, counter, count } = scene()
  media.fire('playing', 'waiting')
  counter.stalled()
  media.fire('timeupdate', 'waiting')
  expect(count.stalls).toBe(1)
  media.fire('playing', 'waiting')
  expect(count.stalls).toBe(2)
})

test('a stall that only hls.js saw is over when the playhead moves', () => {
  const { media, counter, count } = scene()
  media.fire('playing')
  counter.stalled()
  media.currentTime = 1
  media.fire('timeupdate')
  counter.stalled()
  expect(count.stalls).toBe(2)
})

test('waiting after a seek is no stall, after playing again it is', () => {
  const { media, count } = scene()
  media.fire('playing', 'seeking', 'waiting')
  expect(count.stalls).toBe(0)
  media.fire('playing', 'waiting')
  expect(count.stalls).toBe(1)
})

test('the end is no stall', () => {
  const { media, count } = scene()
  media.fire('playing')
  media.ended = true
  media.fire('waiting')
  expect(count.stalls).toBe(0)
})

test('attached in the middle of playback', () => {
  const { media, count, counter } = scene((media) => {
    Object.assign(media, { paused: false, currentTime: 5, readyState: 4 })
  })
  media.fire('waiting')
  expect(count.stalls).toBe(1)
  counter.release()
  media.fire('playing', 'waiting')
  expect(count.stalls).toBe(1)
})

import { describe, expect, it } from 'vitest'
import { sampleAt } from './frames.testing.js'
import { ratesNow, SMOOTHING_MS, timelineOf, WINDOW_MS, windowOf, withSample } from './samples.js'

const seconds = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => (from + index) * 1000)

describe('windowOf', () => {
  it('orders samples, keeps one of a moment and forgets the old', () => {
    const end = 2_000_000
    const samples = windowOf([
      sampleAt(end, { viewers: 1 }),
      sampleAt(end - 1000),
      sampleAt(end, { viewers: 2 }),
      sampleAt(end - WINDOW_MS - SMOOTHING_MS - 1),
    ])
    expect(samples.map(({ at, viewers }) => [at, viewers])).toEqual([
      [end - 1000, 0],
      [end, 2],
    ])
    expect(windowOf([])).toEqual([])
  })

  it('stays bounded while samples come', () => {
    let samples = windowOf([])
    for (const at of seconds(1, 2000)) samples = withSample(samples, sampleAt(at))
    expect(samples).toHaveLength((WINDOW_MS + SMOOTHING_MS) / 1000 + 1)
    expect(samples.at(-1)?.at).toBe(2_000_000)
  })

  it('follows a clock that was set back', () => {
    const samples = withSample(windowOf(seconds(100, 110).map((at) => sampleAt(at))), sampleAt(103_000))
    expect(samples.map(({ at }) => at)).toEqual([100_000, 101_000, 102_000, 103_000])
  })
})

describe('rates', () => {
  it('are means of the last ten seconds', () => {
    const samples = seconds(1, 30).map((at) =>
      sampleAt(at, { peerRate: at > 20_000 ? 100 : 5000, httpRate: 30 }),
    )
    expect(ratesNow(samples)).toEqual({ peers: 100, seeders: 0, http: 30 })
    expect(ratesNow([])).toBeNull()
  })

  it('are means of what there is at the beginning', () => {
    const samples = [sampleAt(1000, { seederRate: 10 }), sampleAt(2000, { seederRate: 30 })]
    expect(ratesNow(samples)?.seeders).toBe(20)
  })

  it('do not reach across a hole', () => {
    const samples = [sampleAt(1000, { peerRate: 1000 }), sampleAt(8000, { peerRate: 10 })]
    expect(ratesNow(samples)?.peers).toBe(10)
  })
})

describe('timelineOf', () => {
  it('gives every column the same length and rising times', () => {
    const timeline = timelineOf(
      seconds(1, 700).map((at) => sampleAt(at, { viewers: 3, peerRate: 3, httpRate: 1 })),
    )
    const { at, ...columns } = timeline
    for (const column of Object.values(columns)) expect(column).toHaveLength(at.length)
    expect(at[0]).toBe(100)
    expect(at.at(-1)).toBe(700)
    expect(at.every((time, index) => index === 0 || time > (at[index - 1] ?? 0))).toBe(true)
    expect(timeline.offload.at(-1)).toBe(0.75)
    expect(timeline.viewers.at(-1)).toBe(3)
  })

  it('draws a hole where samples are missing, and only there', () => {
    const timeline = timelineOf([1, 2, 4, 20, 21].map((at) => sampleAt(at * 1000, { viewers: 1 })))
    expect(timeline.at).toEqual([1, 2, 4, 5, 20, 21])
    expect(timeline.viewers).toEqual([1, 1, 1, null, 1, 1])
    expect(timeline.peerRate).toEqual([0, 0, 0, null, 0, 0])
  })

  it('has no offload while nothing is fetched', () => {
    expect(timelineOf([sampleAt(1000)]).offload).toEqual([null])
    expect(timelineOf([]).at).toEqual([])
  })
})

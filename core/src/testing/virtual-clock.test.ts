import { millis } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { seededRandom } from './random.js'
import { VirtualClock } from './virtual-clock.js'

describe('VirtualClock', () => {
  it('runs timers by time, then by the order of their setting', () => {
    const clock = new VirtualClock()
    const seen: string[] = []
    for (const [name, delay] of [
      ['late', 30],
      ['early', 10],
      ['early too', 10],
      ['never', 31],
    ] as const) {
      clock.setTimer(millis(delay), () => seen.push(`${name}@${clock.now()}`))
    }
    clock.advance(30)
    expect(seen).toEqual(['early@10', 'early too@10', 'late@30'])
    expect(clock.now()).toBe(30)
    expect(clock.pendingTimers).toBe(1)
    expect(clock.nextTimerAt).toBe(31)
  })

  it('runs what a timer sets for the same advance, and not what was cancelled', () => {
    const clock = new VirtualClock(1000)
    const seen: number[] = []
    const cancel = clock.setTimer(millis(15), () => seen.push(-1))
    clock.setTimer(millis(10), () => {
      cancel()
      cancel()
      clock.setTimer(millis(0), () => seen.push(clock.now()))
      clock.setTimer(millis(5), () => seen.push(clock.now()))
    })
    clock.advance(20)
    expect(seen).toEqual([1010, 1015])
    expect(clock.pendingTimers).toBe(0)
  })

  it('keeps the order of thousands of timers, half of them cancelled', () => {
    const clock = new VirtualClock()
    const random = seededRandom(7)
    const seen: number[] = []
    const cancels: (() => void)[] = []
    for (let index = 0; index < 10_000; index++) {
      const cancel = clock.setTimer(millis(Math.floor(random() * 1000)), () => seen.push(clock.now()))
      if (index % 2 === 0) cancels.push(cancel)
    }
    for (const cancel of cancels) cancel()
    clock.advance(1000)
    expect(seen).toHaveLength(5000)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })

  it('stops at the timer that fulfils a condition, or at the limit', () => {
    const clock = new VirtualClock()
    let count = 0
    const tick = () => {
      count++
      clock.setTimer(millis(10), tick)
    }
    tick()
    expect(clock.runUntil(() => count === 4, 1000)).toBe(true)
    expect(clock.now()).toBe(30)
    expect(clock.runUntil(() => count === -1, 100)).toBe(false)
    expect(clock.now()).toBe(130)
  })

  it('lets promises settle between instants', async () => {
    const clock = new VirtualClock()
    const seen: number[] = []
    const work = async () => {
      for (let round = 0; round < 3; round++) {
        await new Promise<void>((resolve) => clock.setTimer(millis(10), resolve))
        seen.push(clock.now())
      }
    }
    const done = work()
    await clock.advanceAsync(35)
    await done
    expect(seen).toEqual([10, 20, 30])
    expect(clock.now()).toBe(35)
  })

  it('hands on what a timer throws and goes on afterwards', () => {
    const clock = new VirtualClock()
    let ran = false
    clock.setTimer(millis(1), () => {
      throw new Error('from a timer')
    })
    clock.setTimer(millis(2), () => {
      ran = true
    })
    expect(() => clock.advance(5)).toThrow('from a timer')
    clock.advance(5)
    expect(ran).toBe(true)
  })

  it('refuses to be advanced by its own timers', () => {
    const clock = new VirtualClock()
    clock.setTimer(millis(1), () => clock.advance(1))
    expect(() => clock.advance(5)).toThrow('must not advance')
  })
})

describe('seededRandom', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed))
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
    expect(draw(0)).not.toEqual(draw(1))
  })

  it('is uniform in [0, 1)', () => {
    const random = seededRandom(42)
    const buckets = new Array<number>(10).fill(0)
    for (let index = 0; index < 100_000; index++) {
      const value = random()
      expect(value >= 0 && value < 1).toBe(true)
      const bucket = Math.floor(value * 10)
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    }
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(500)
  })
})

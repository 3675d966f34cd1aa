import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AddressLimits } from './address-limits.js'
import { RateLimit } from './rate-limit.js'

describe('RateLimit', () => {
  it('lets a burst pass, then the rate', () => {
    const limit = new RateLimit(10, 2)
    let fullAt = 0
    let passed = 0
    for (let now = 0; now <= 10_000; now += 10) {
      const next = limit.take(fullAt, 1, now)
      if (next === null) continue
      fullAt = next
      passed++
    }
    // 20 at once, and 10 in each of 10 seconds.
    expect(passed).toBe(120)
  })

  it('never lets more pass than burst and rate together, whatever comes when', () => {
    const step = fc.record({ wait: fc.nat(500), units: fc.integer({ min: 1, max: 30 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const [rate, burstSeconds] = [50, 1]
        const limit = new RateLimit(rate, burstSeconds)
        let [now, fullAt, passed] = [0, 0, 0]
        for (const { wait, units } of steps) {
          now += wait
          const next = limit.take(fullAt, units, now)
          if (next === null) continue
          fullAt = next
          passed += units
        }
        return passed <= rate * burstSeconds + (rate * now) / 1000 + 1e-6
      }),
    )
  })

  it('lets what is larger than the burst pass when the bucket is full', () => {
    const limit = new RateLimit(1, 1)
    const fullAt = limit.take(0, 1000, 5000)
    expect(fullAt).toBe(6000)
    expect(limit.take(6000, 1, 5999)).toBeNull()
  })
})

const SETTINGS = {
  connections: 2,
  connectsPerSecond: 1,
  announcesPerSecond: 1,
  offersPerSecond: 5,
  bytesPerSecond: 1000,
  burstSeconds: 2,
}

describe('AddressLimits', () => {
  it('bounds connections of an address, at once and in time', () => {
    const limits = new AddressLimits({ ...SETTINGS, connectsPerSecond: 100 })
    const uses = [1, 2].map(() => {
      expect(limits.mayConnect('a', 0)).toBe(true)
      return limits.connect('a')
    })
    expect(limits.mayConnect('a', 0)).toBe(false)
    expect(limits.mayConnect('b', 0)).toBe(true)
    for (const use of uses) limits.disconnect(use, 1)
    expect(limits.mayConnect('a', 1)).toBe(true)

    const slow = new AddressLimits(SETTINGS)
    const tries = [0, 0, 0, 1000].map((now) => slow.mayConnect('a', now))
    expect(tries).toEqual([true, true, false, true])
  })

  it('keeps what was spent over a reconnect, and forgets it when it is over', () => {
    const limits = new AddressLimits(SETTINGS)
    const first = limits.connect('a')
    expect([limits.mayReceive(first, 2000, 0), limits.mayReceive(first, 1, 0)]).toEqual([true, false])
    limits.disconnect(first, 0)
    expect(limits.size).toBe(1)
    const second = limits.connect('a')
    expect(limits.mayReceive(second, 1, 0)).toBe(false)
    limits.disconnect(second, 0)
    limits.expire(1999)
    expect(limits.size).toBe(1)
    limits.expire(2001)
    expect(limits.size).toBe(0)
  })

  it('takes announces and their offers together', () => {
    const limits = new AddressLimits(SETTINGS)
    const use = limits.connect('a')
    expect(limits.mayAnnounce(use, 10, 0)).toBe(true)
    expect(limits.mayAnnounce(use, 5, 0)).toBe(false)
    expect(limits.mayAnnounce(use, 0, 0)).toBe(true)
    expect(limits.mayAnnounce(use, 0, 0)).toBe(false)
  })

  it('remembers a bounded number of addresses', () => {
    const limits = new AddressLimits(SETTINGS)
    for (let i = 0; i < 60_000; i++) limits.mayConnect(`${i}`, 0)
    expect(limits.size).toBe(50_000)
  })
})
